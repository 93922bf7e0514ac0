//go:build !js

package wasm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duet/assets"
	"duet/wasm"
	"duet/wasm/browser"
)

// A person uses the app by what it shows to those who do not see it, and by the
// pointer, the keyboard and the clipboard.
type person struct {
	testing.TB
	began time.Time
	seen  string // what the mirror held when the wheel was last turned
	page  *browser.Page
	dir   string // for what is dropped and saved
}

// find waits for a thing with a role whose name holds a text, turning the wheel
// where it is not in sight, and returns where its middle is.
func (p *person) find(role, name string) (x, y float64) {
	p.Helper()
	return p.search(role, name, false)
}

// search is find for what can, or need not, be clicked.
func (p *person) search(role, name string, enabled bool) (x, y float64) {
	p.Helper()
	quoted, _ := json.Marshal(name)
	selector := "[role=" + role + "]"
	if role == "text" {
		selector = ":not([role])"
	}
	middle := fmt.Sprintf(`(() => {
		const e = [...document.querySelectorAll('#mirror > %s')].find((e) => (e.getAttribute('aria-label') ?? e.textContent).includes(%s) && !(%t && e.getAttribute('aria-disabled')));
		const r = e?.getBoundingClientRect();
		return r ? [r.x + r.width / 2, r.y + r.height / 2] : null;
	})()`, selector, quoted, enabled)
	down := true
	for began := time.Now(); time.Since(began) < patience; {
		for range 12 {
			var at *[2]float64
			eval(p.TB, p.page, middle, &at)
			if at != nil {
				return at[0], at[1]
			}
			time.Sleep(100 * time.Millisecond)
		}
		for range 6 {
			p.must(p.page.Wheel(p.Context(), 740, 500, map[bool]float64{true: 120, false: -120}[down]))
		}
		var moved string
		eval(p.TB, p.page, `document.querySelector('#mirror').textContent`, &moved)
		if moved == p.seen {
			down = !down
		}
		p.seen = moved
	}
	var shown string
	eval(p.TB, p.page, `document.querySelector('#mirror').innerText`, &shown)
	p.Fatalf("there is no %s %q in %q", role, name, shown)
	return 0, 0
}

// step tells how far the journey has come.
func (p *person) step(name string) { p.Logf("%6.1f s  %s", time.Since(p.began).Seconds(), name) }

// click clicks on such a thing.
func (p *person) click(role, name string) {
	p.Helper()
	x, y := p.search(role, name, true)
	p.must(p.page.Click(p.Context(), x, y))
}

func (p *person) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// told waits until the app has announced something.
func (p *person) told(text string) {
	p.Helper()
	quoted, _ := json.Marshal(text)
	condition := fmt.Sprintf(`[...document.querySelectorAll('.told')].some((e) => e.textContent.includes(%s))`, quoted)
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	if err := p.page.Wait(ctx, condition); err != nil {
		var shown string
		eval(p.TB, p.page, `document.body.innerText`, &shown)
		p.shot("untold")
		p.Fatalf("%v; the page holds %q", err, shown)
	}
}

// enter clicks into a field and waits until the keys go there.
func (p *person) enter(name string) {
	p.Helper()
	p.click("textbox", name)
	p.focused(name)
}

// focused waits until keys go to a field.
func (p *person) focused(name string) {
	p.Helper()
	quoted, _ := json.Marshal(name)
	wait(p.TB, p.page, fmt.Sprintf(`document.activeElement.getAttribute('aria-label')?.startsWith(%s)`, quoted))
}

// holds waits until a field holds a text.
func (p *person) holds(name, text string) {
	p.Helper()
	p.find("textbox", name)
	quoted, _ := json.Marshal([]string{name, text})
	wait(p.TB, p.page, fmt.Sprintf(`(([name, text]) => [...document.querySelectorAll('#mirror > [role=textbox]')].some((e) => e.getAttribute('aria-label').includes(name) && e.textContent === text))(%s)`, quoted))
}

// answered waits until the engine has answered so many times for some words.
func (p *person) answered(words string, times int) {
	p.Helper()
	quoted, _ := json.Marshal(words)
	wait(p.TB, p.page, fmt.Sprintf(`answers.filter((a) => a.caption === %s).length >= %d`, quoted, times))
}

// saved waits for a file that the page saves.
func (p *person) saved(pattern string) string {
	p.Helper()
	for range 600 {
		found, err := filepath.Glob(filepath.Join(p.dir, "saved", pattern))
		p.must(err)
		if len(found) > 0 {
			return found[0]
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.Fatalf("no %s was saved", pattern)
	return ""
}

// shot leaves a picture of the page in the folder DUET_FRAMES.
func (p *person) shot(name string) {
	p.Helper()
	if out := os.Getenv("DUET_FRAMES"); out != "" {
		time.Sleep(500 * time.Millisecond)
		content, err := p.page.Screenshot(p.Context())
		p.must(err)
		p.must(os.WriteFile(filepath.Join(out, name+".png"), content, 0o666))
	}
}

// draw writes a picture of the sample collection and returns its question.
func (p *person) draw(name string, i int) (path, question string) {
	p.Helper()
	sample, err := assets.Draw("rule", 99, i, 64)
	p.must(err)
	path = filepath.Join(p.dir, name)
	f, err := os.Create(path)
	p.must(err)
	p.must(png.Encode(f, sample.Image))
	p.must(f.Close())
	return path, sample.Text
}

// TestJourney goes through the app as a person does: trains on the drawn
// collection, looks at what the model takes for what, uses it for a new picture
// with words, saves answers and model, and finds all of it again, also without a
// network.
func TestJourney(t *testing.T) {
	server := httptest.NewServer(wasm.Handler(tabFiles(t)))
	t.Cleanup(server.Close)
	b := browser.ForTest(t)
	p := &person{TB: t, page: b.MustOpen(t, server.URL), dir: t.TempDir(), began: time.Now()}
	p.must(os.Mkdir(filepath.Join(p.dir, "saved"), 0o777))
	p.must(p.page.Downloads(t.Context(), filepath.Join(p.dir, "saved")))

	p.find("text", "slow, with the same answers") // the adapter: the engine has started
	eval(t, p.page, `(() => {
		const { sample, classify } = duet;
		duet.sample = (o) => sample({...o, n: 600}); // fewer than the app asks for
		window.answers = [];
		duet.classify = async (...args) => { const a = await classify(...args); answers.push(a); return a; };
	})()`, nil)
	p.click("button", "Close") // that it is slow in software
	p.step("engine started")
	p.click("radio", "Train")
	p.click("button", "Use the sample collection")
	p.find("text", "This is what Duet understood")
	p.find("text", "Needs ")
	p.shot("journey-confirm")
	p.step("understood and estimated")
	p.click("button", "Start training")
	p.find("button", "Stop and keep")
	p.told("Right, of the pictures held back")
	p.shot("journey-running")
	p.step("first epoch")
	p.find("heading", "examples it has not learnt from")
	p.told("shapes is right for")
	p.step("trained and measured")
	p.click("button", "warm → warm")
	p.find("text", "warm → warm: ")
	p.shot("journey-result")
	p.step("cell open")
	p.click("button", "Use this model")
	p.find("button", "in use")

	p.step("model in use")
	p.click("radio", "Classify")
	first, question := p.draw("first.png", 1)
	p.must(p.page.Drop(t.Context(), "#giowindow", first))
	p.told("first.png: ")
	p.enter("a question or a caption")
	p.must(p.page.Type(t.Context(), question))
	p.holds("a question or a caption", question)
	p.must(p.page.Shortcut(t.Context(), "a", "selectAll"))
	p.must(p.page.Shortcut(t.Context(), "c", "copy"))
	p.focused("a question or a caption")
	p.must(p.page.Type(t.Context(), "\r"))
	p.answered(question, 1)
	p.step("first answered")
	second, _ := p.draw("second.png", 2)
	p.must(p.page.Drop(t.Context(), "#giowindow", second))
	p.told("second.png: ")
	p.enter("a question or a caption")
	p.must(p.page.Shortcut(t.Context(), "v", "paste"))
	p.holds("a question or a caption", question)
	p.must(p.page.Type(t.Context(), "\r"))
	p.answered(question, 2)
	p.find("text", "2 of 2 pictures")
	p.step("second answered")
	p.click("button", "Save as CSV")
	table, err := os.ReadFile(p.saved("*.csv"))
	p.must(err)
	if strings.Count(string(table), question) != 2 {
		t.Errorf("the table is\n%s", table)
	}
	p.shot("journey-classify")

	p.click("radio", "Models")
	p.find("textbox", "Name")
	p.click("button", "Export…")
	p.saved("*.zip")
	p.find("text", "Saved as ") // which moves what is below it
	p.click("button", "As ONNX…")
	p.saved("*.onnx")
	p.shot("journey-models")

	p.step("saved")
	p.must(p.page.Eval(t.Context(), `(() => { window.old = true; location.reload(); })()`, nil))
	wait(t, p.page, `!window.old && window.duetMirror`)
	p.find("text", "slow, with the same answers")
	p.must(p.page.Drop(t.Context(), "#giowindow", first))
	p.told("first.png: ")
	p.click("radio", "Models")
	p.holds("Name", "shapes")
	p.find("button", "in use")
	p.shot("journey-reloaded")
	p.step("found again")

	kept(t, p.page)
	server.CloseClientConnections()
	server.Close()
	p.must(p.page.Eval(t.Context(), `(() => { window.old = true; location.reload(); })()`, nil))
	wait(t, p.page, `!window.old && window.duetMirror`)
	p.find("text", "slow, with the same answers")
	p.must(p.page.Drop(t.Context(), "#giowindow", second))
	p.told("second.png: ")
	p.click("radio", "Models")
	p.holds("Name", "shapes")
	p.find("button", "in use")
	p.step("found without a network")
	if errors := p.page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
}
