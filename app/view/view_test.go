package view

import (
	"image/color"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/app/ui"
	"duet/model/report"

	"gioui.org/text"
)

// contrast is WCAG 2.1's ratio of two opaque colours.
func contrast(a, b color.NRGBA) float64 {
	luminance := func(c color.NRGBA) float64 {
		linear := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds every colour of text to 4.5:1 against every ground that it
// stands on, and the marks of focus and choice to 3:1.
func TestContrast(t *testing.T) {
	for name, p := range map[string]Palette{"light": light, "dark": dark} {
		grounds := map[string]color.NRGBA{"ground": p.Ground, "surface": p.Surface, "raised": p.Raised}
		// A cell of the confusion matrix is tinted, at most so much.
		grounds["a right cell"] = blend(p.Surface, p.Accent, 70)
		grounds["a wrong cell"] = blend(p.Surface, p.Bad, 70)
		for text, ink := range map[string]color.NRGBA{"ink": p.Ink, "muted": p.Muted, "accent": p.Accent, "warn": p.Warn, "bad": p.Bad} {
			for on, ground := range grounds {
				if strings.HasSuffix(on, "cell") && text != "ink" {
					continue
				}
				if c := contrast(ink, ground); c < 4.5 {
					t.Errorf("%s: %s on %s has %.2f:1", name, text, on, c)
				}
			}
		}
		for _, ground := range []color.NRGBA{p.Accent, blend(p.Accent, p.Ink, 24)} {
			if c := contrast(p.OnFill, ground); c < 4.5 {
				t.Errorf("%s: text of a button has %.2f:1", name, c)
			}
		}
		for on, ground := range grounds {
			if c := contrast(p.Ink, ground); c < 3 {
				t.Errorf("%s: the ring of focus on %s has %.2f:1", name, on, c)
			}
		}
	}
}

var filling = regexp.MustCompile(`%[.0-9]*[a-z%]`)

// TestTexts checks that every language has every text, with the same things to
// fill in, in the same order.
func TestTexts(t *testing.T) {
	for _, other := range Languages[1:] {
		compare(t, other.Code, reflect.ValueOf(english), reflect.ValueOf(*other))
	}
	for code, want := range map[string]string{"zh_CN.UTF-8": "zh", "zh": "zh", "en_GB": "en", "de_DE": "en", "": "en", "C": "en"} {
		if got := TextsFor(code, Languages).Code; got != want {
			t.Errorf("%q gets %s, want %s", code, got, want)
		}
	}
}

// TestDrawable offers English alone where there is no font for Chinese.
func TestDrawable(t *testing.T) {
	shaper := text.NewShaper(text.NoSystemFonts(), text.WithCollection(goFaces()))
	if list := drawable(shaper); len(list) != 1 || list[0] != &english {
		t.Errorf("%d languages", len(list))
	}
	if TextsFor("zh_CN", drawable(shaper)) != &english {
		t.Error("Chinese without a font")
	}
}

// TestConventions holds the names of conventions that are translated to those
// that collections are reported with.
func TestConventions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "model", "data", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`Convention(?: =|:) "([^"]*)"`).FindAllStringSubmatch(string(content), -1) {
			found[m[1]] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(slices.Values(conventions[:])); !slices.Equal(got, want) {
		t.Errorf("collections are reported as %q, translated are %q", got, want)
	}
}

func compare(t *testing.T, code string, a, b reflect.Value) {
	for i := range a.NumField() {
		x, y, name := a.Field(i), b.Field(i), a.Type().Field(i).Name
		if x.Kind() == reflect.Array {
			for j := range x.Len() {
				same(t, code, name, x.Index(j).String(), y.Index(j).String())
			}
			continue
		}
		same(t, code, name, x.String(), y.String())
	}
}

func same(t *testing.T, code, name, a, b string) {
	if a == "" || b == "" {
		t.Errorf("%s lacks %s", code, name)
	}
	if x, y := filling.FindAllString(a, -1), filling.FindAllString(b, -1); !reflect.DeepEqual(x, y) {
		t.Errorf("%s of %s fills in %v, English %v", name, code, y, x)
	}
}

// TestAdvice has words for every reason why there is no engine, and for every
// browser where it is the browser.
func TestAdvice(t *testing.T) {
	for _, texts := range Languages {
		said := map[string]string{}
		say := func(code, browser string) {
			p := &ui.Problem{Code: code, Failure: ui.Failure{Text: "1 MiB offered"}}
			text, _ := texts.advice(p, browser)
			if text == p.Text || strings.Contains(text, "%!") || said[text] != "" {
				t.Errorf("%s: %s in %q says %q, as %s does", texts.Code, code, browser, text, said[text])
			}
			said[text] = code + " " + browser
		}
		for _, browser := range []string{"chrome", "chrome-linux", "firefox", "safari", ""} {
			say("no-webgpu", browser)
		}
		for _, code := range []string{"insecure", "no-adapter", "limit", "device", "lost", "internal"} {
			say(code, "chrome")
		}
		for _, code := range towerCodes {
			text := texts.towerProblem(&ui.Problem{Code: code, Failure: ui.Failure{Text: "as it is"}})
			if text == "as it is" || said[text] != "" {
				t.Errorf("%s: of a tower %s says %q", texts.Code, code, text)
			}
			said[text] = code
		}
		for _, lack := range []string{"tokenizer", "architecture"} {
			if text := texts.lack(lack); text == "" || said[text] != "" {
				t.Errorf("%s: without a %s it says %q", texts.Code, lack, text)
			} else {
				said[text] = lack
			}
		}
		if got, details := texts.advice(&ui.Problem{Failure: ui.Failure{Text: "as it is"}}, ""); got != "as it is" || details != "" {
			t.Errorf("without a code it says %q, %q", got, details)
		}
	}
}

// TestReasons has words for every reason, which name what there is to name.
func TestReasons(t *testing.T) {
	for _, texts := range Languages {
		said := map[string]bool{}
		for r := report.NoReason + 1; r < report.Reasons; r++ {
			words, details := texts.because(ui.Failure{Text: "in full", Reason: r, Names: []string{"100 %s.png"}})
			whole := r == report.NoPictures || r == report.Elsewhere || r == report.EmptyFolder
			if words == "" || said[words] || (details == "") != whole {
				t.Errorf("%s: %s says %q, %q", texts.Code, r, words, details)
			}
			if names := strings.Contains(texts.Reasons[r], "%s"); names != strings.Contains(words, "100 %s.png") {
				t.Errorf("%s: %s says %q", texts.Code, r, words)
			}
			said[words] = true
		}
		if words, details := texts.because(ui.Failure{Text: "in full", Reason: report.BadPicture}); words != "in full" || details != "" {
			t.Errorf("%s: without a name it says %q, %q", texts.Code, words, details)
		}
	}
}

// towerCodes are the reasons why a tower cannot be fetched: model/hub's, and
// wasm/hub.js's.
var towerCodes = []string{"offline", "unreachable", "gated", "absent", "room", "corrupt", "elsewhere", "closed"}

// TestGuesses checks that what is only guessed is not told to the millisecond.
func TestGuesses(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Millisecond: "1 s", 728 * time.Millisecond: "1 s", 2700 * time.Millisecond: "3 s", 61 * time.Second: "1 min 01 s"} {
		if got := about(d); got != want {
			t.Errorf("%v is told as %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 kB", 999_001: "1000 kB", 46_830_571: "47 MB", 1_420_000_000: "1.4 GB"} {
		if got := memory(n); got != want {
			t.Errorf("%d bytes are told as %q, want %q", n, got, want)
		}
	}
}
