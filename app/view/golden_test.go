//go:build !js

package view

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/gpu/gputest"

	"gioui.org/gpu/headless"
	"gioui.org/layout"
	"gioui.org/text"
)

// A variant is how a state is drawn.
type variant struct {
	texts *Texts
	size  image.Point
	dark  bool
}

func (v variant) String() string {
	return fmt.Sprintf("%s-%d-%s", v.texts.Code, v.size.X, map[bool]string{false: "light", true: "dark"}[v.dark])
}

var (
	wide, phone = image.Pt(1280, 800), image.Pt(400, 800)

	// Of a main state every variant is kept, of the others these four, so that
	// every language, size and theme comes twice.
	some4 = []variant{{&english, wide, false}, {&chinese, wide, true}, {&english, phone, true}, {&chinese, phone, false}}
	all8  = append([]variant{{&english, wide, true}, {&chinese, wide, false}, {&english, phone, false}, {&chinese, phone, true}}, some4...)

	// These are drawn scrolled to their end, or with a tip.
	touched = []string{"several" + atEnd, "train-done" + atEnd, "train-many" + atEnd, "train-long" + atEnd, "models-loading" + atEnd, "towers" + atEnd, "towers-problems" + atEnd, "several" + withTip}

	mainStates = []string{"empty", "one", "several", "train", "train-confirm", "train-running", "train-done", "models", "settings", "problem"}
)

// What is done to a state, as the end of its name.
const (
	atEnd   = "-end"
	withTip = "-tip"
)

// ownChinese reads the fonts that make leaves in bin/fonts.
func ownChinese() (c Chinese, err error) {
	dir := filepath.Join("..", "..", "bin", "fonts")
	c.Regular, err = os.ReadFile(filepath.Join(dir, "noto-sans-sc-regular.ttf"))
	if err == nil {
		c.SemiBold, err = os.ReadFile(filepath.Join(dir, "noto-sans-sc-semibold.ttf"))
	}
	return c, err
}

// sameEverywhere is a shaper over the same fonts everywhere, and whether they
// have Chinese.
func sameEverywhere(t testing.TB) (newShaper func() *text.Shaper, hasChinese bool) {
	t.Helper()
	newShaper = func() *text.Shaper {
		return text.NewShaper(text.NoSystemFonts(), text.WithCollection(goFaces()))
	}
	fonts, err := ownChinese()
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Logf("without Chinese, whose fonts make fonts leaves in bin/fonts: %v", err)
		return newShaper, false
	}
	if err != nil {
		t.Fatal(err)
	}
	collection, err := fonts.collection()
	if err != nil {
		t.Fatal(err)
	}
	return func() *text.Shaper { return text.NewShaper(text.NoSystemFonts(), text.WithCollection(collection)) }, true
}

// An easel draws states.
type easel struct {
	newShaper  func() *text.Shaper
	hasChinese bool
	windows    map[image.Point]*headless.Window
}

func newEasel(t *testing.T) *easel {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	e := &easel{windows: map[image.Point]*headless.Window{}}
	e.newShaper, e.hasChinese = sameEverywhere(t)
	for _, size := range []image.Point{wide, phone} {
		w, err := headless.NewWindow(size.X, size.Y)
		if err != nil {
			gputest.Unavailable(t, "drawing without a window: "+err.Error())
		}
		t.Cleanup(w.Release)
		e.windows[size] = w
	}
	return e
}

// stage returns the stage of a state, by its name, once its pictures are there.
func (e *easel) stage(t *testing.T, name string, v variant) *stage {
	t.Helper()
	state, isBelow := strings.CutSuffix(name, atEnd)
	state, hasTip := strings.CutSuffix(state, withTip)
	x := newStageIn(v.size, v.texts, NewTheme(e.newShaper(), v.dark), states(v.texts)[state])
	x.view.ownChinese = e.hasChinese
	if isBelow {
		for _, list := range []string{"page", "classify"} {
			x.view.list(list, layout.Vertical).Position = layout.Position{Offset: 9999, BeforeEnd: true}
		}
	}
	for {
		x.frame()
		x.view.thumbs.mu.Lock()
		working := x.view.thumbs.working > 0
		x.view.thumbs.mu.Unlock()
		if !working {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if hasTip {
		x.point(x.find(t, v.texts.SaveJSON), tipAfter)
	}
	return x
}

// draw draws a stage once.
func (e *easel) draw(t *testing.T, x *stage) *image.RGBA {
	t.Helper()
	x.frame()
	w := e.windows[x.size]
	if err := w.Frame(&x.ops); err != nil {
		t.Fatal(err)
	}
	m := image.NewRGBA(image.Rectangle{Max: x.size})
	if err := w.Screenshot(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGolden draws every state, in English and Chinese, light and dark, wide and
// narrow. Three draws must not differ, and come as close to the picture in
// testdata as drivers do to each other. DUET_GOLDEN=update replaces the pictures
// that differ; without, what was drawn is left in a folder to be looked at.
func TestGolden(t *testing.T) {
	e := newEasel(t)
	update := os.Getenv("DUET_GOLDEN") == "update"
	kept, bad := map[string]bool{}, ""
	names := append(slices.Sorted(maps.Keys(states(&english))), touched...)
	for _, name := range names {
		variants := some4
		if slices.Contains(mainStates, name) {
			variants = all8
		}
		for _, v := range variants {
			file := fmt.Sprintf("%s-%s.png", name, v)
			kept[file] = true
			if !e.hasChinese && (v.texts == &chinese || name == "settings") { // in which each language has its own name
				continue
			}
			x := e.stage(t, name, v)
			m := e.draw(t, x)
			for range 2 {
				if !bytes.Equal(m.Pix, e.draw(t, x).Pix) {
					t.Errorf("%s: two draws differ", file)
				}
			}
			path := filepath.Join("testdata", file)
			golden, err := load(path)
			differs := "there is none"
			if err == nil {
				differs = compareFrames(m, golden)
			}
			if differs == "" {
				continue
			}
			if update {
				save(t, path, small(m))
				continue
			}
			if bad == "" {
				bad = keepFolder(t)
			}
			save(t, filepath.Join(bad, file), m)
			if err == nil {
				save(t, filepath.Join(bad, strings.TrimSuffix(file, ".png")+"-difference.png"), difference(m, golden))
			}
			t.Errorf("%s differs from testdata: %s; what was drawn is in %s; if it is right, DUET_GOLDEN=update takes it", file, differs, bad)
		}
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "*.png"))
	for _, path := range files {
		if kept[filepath.Base(path)] {
			continue
		}
		if !update {
			t.Errorf("%s is of no state", path)
		} else if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
	if !e.hasChinese && !t.Failed() {
		t.Skip("the frames in English are as they should be; those in Chinese were not drawn, see above")
	}
}

// keepFolder is a folder that is still there after the test.
func keepFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "duet-golden-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// What one driver may draw otherwise than another, the edges of glyphs and shapes
// by a little, and what small changes: 8 in a channel and 0.3 in the mean at most.
const (
	mostPerPixel = 20  // in any channel
	mostPixels   = 60  // that differ by more
	mostOfAll    = 0.5 // mean difference of all channels
)

// compareFrames says in what way two frames differ, or nothing.
func compareFrames(a, b *image.RGBA) string {
	if a.Rect != b.Rect {
		return fmt.Sprintf("sizes %v and %v", a.Rect, b.Rect)
	}
	far, sum := 0, 0
	var box image.Rectangle
	for y := range a.Rect.Max.Y {
		for x := range a.Rect.Max.X {
			d, all := apart(a.RGBAAt(x, y), b.RGBAAt(x, y))
			sum += all
			if d > mostPerPixel {
				far++
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if far > mostPixels {
		return fmt.Sprintf("%d pixels differ, within %v", far, box)
	}
	if mean := float64(sum) / float64(3*a.Rect.Dx()*a.Rect.Dy()); mean > mostOfAll {
		return fmt.Sprintf("a mean difference of %.2f", mean)
	}
	return ""
}

// apart is the greatest difference of two colours' channels, and the sum.
func apart(p, q color.RGBA) (most, sum int) {
	for _, d := range [...]int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
		d = max(d, -d)
		most, sum = max(most, d), sum+d
	}
	return most, sum
}

// TestGoldenCanFail changes what a frame shows a little, and then what it shows
// hardly at all.
func TestGoldenCanFail(t *testing.T) {
	e := newEasel(t)
	v := variant{&english, wide, false}
	drawn := e.draw(t, e.stage(t, "train-confirm", v))
	redraw := func(change func(x *stage)) *image.RGBA {
		x := e.stage(t, "train-confirm", v)
		change(x)
		return e.draw(t, x)
	}
	shifted := image.NewRGBA(drawn.Rect)
	draw.Draw(shifted, shifted.Rect, drawn, image.Point{}, draw.Src)
	draw.Draw(shifted, image.Rect(232, 620, 620, 700).Add(image.Pt(2, 0)), drawn, image.Pt(232, 620), draw.Src)
	other := english
	other.InputsTitle = "What it saw"
	for name, m := range map[string]*image.RGBA{
		"another word":       redraw(func(x *stage) { x.view.Texts = &other }),
		"another colour":     redraw(func(x *stage) { x.view.Theme.Accent.G += 24 }),
		"a lighter ground":   redraw(func(x *stage) { x.view.Theme.Ground = rgb(0xf6f7f9) }),
		"buttons 2 px aside": shifted,
	} {
		if compareFrames(m, drawn) == "" {
			t.Errorf("%s is not seen", name)
		}
	}
	for i := range drawn.Pix { // another driver rounds otherwise
		if i%4 < 3 && i%7 == 0 && drawn.Pix[i] > 0 && drawn.Pix[i] < 255 {
			drawn.Pix[i] ^= 1
		}
	}
	if says := compareFrames(drawn, redraw(func(*stage) {})); says != "" {
		t.Errorf("rounding: %s", says)
	}
}

// difference shows where two frames differ, dark.
func difference(a, b *image.RGBA) image.Image {
	m := image.NewGray(a.Rect)
	for y := range a.Rect.Max.Y {
		for x := range a.Rect.Max.X {
			d, _ := apart(a.RGBAAt(x, y), b.RGBAAt(x, y))
			m.SetGray(x, y, color.Gray{Y: uint8(255 - min(255, 4*d))})
		}
	}
	return m
}

// small is a frame with at most 256 colours: as a file it is a third as large.
// The most frequent ones stay as they are, others become one that is near.
func small(m *image.RGBA) image.Image {
	counts := map[color.RGBA]int{}
	for i := 0; i < len(m.Pix); i += 4 {
		counts[color.RGBA{m.Pix[i], m.Pix[i+1], m.Pix[i+2], 255}]++
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := color.Palette{}
	for near := 0; len(palette) == 0 || len(palette) > 256; near += 4 {
		palette = palette[:0]
		for _, c := range colours {
			if len(palette) <= 256 && !slices.ContainsFunc(palette, func(p color.Color) bool {
				most, _ := apart(c, p.(color.RGBA))
				return most <= near
			}) {
				palette = append(palette, c)
			}
		}
	}
	index := map[color.RGBA]uint8{}
	for _, c := range colours {
		index[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(m.Rect, palette)
	for i := range out.Pix {
		out.Pix[i] = index[color.RGBA{m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], 255}]
	}
	return out
}

func load(path string) (*image.RGBA, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		return nil, err
	}
	out := image.NewRGBA(m.Bounds())
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out, nil
}

func save(t *testing.T, path string, m image.Image) {
	t.Helper()
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
