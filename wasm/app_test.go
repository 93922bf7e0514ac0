//go:build !js

package wasm_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"duet/assets"
	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// TestAppInTab opens the app's page, with no more of the adapter than WebGPU
// promises, and drops a picture with a text file of the same name on it: the
// worker is asked about both and answers, and nothing was sent. Then it drops a
// folder with nothing in it. With DUET_FRAMES set to a folder it leaves pictures
// of the page there.
func TestAppInTab(t *testing.T) {
	picture, caption := drawSample(t, t.TempDir())
	words, err := os.ReadFile(caption)
	if err != nil {
		t.Fatal(err)
	}
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"?limits=default")
	wait(t, page, `window.duetDropped`)
	eval(t, page, `(() => {
		window.answers = [];
		const classify = duet.classify;
		duet.classify = async (...args) => { const a = await classify(...args); answers.push(a); return a; };
	})()`, nil)
	if err := page.Drop(t.Context(), "#giowindow", picture, caption); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `answers.length > 0`)
	var answers []struct {
		File, Caption string
		Top           []struct{ Label string }
	}
	eval(t, page, `answers`, &answers)
	if a := answers[0]; a.File != "shape.png" || a.Caption != string(words) || len(a.Top) != 5 {
		t.Errorf("%+v", answers)
	}
	var sent, binding int64
	eval(t, page, `duetTraffic().sent`, &sent)
	eval(t, page, `(await duet.info()).limits.maxStorageBufferBindingSize`, &binding)
	if sent != 0 || binding != 128<<20 {
		t.Errorf("%d bytes are told as sent; it binds %d", sent, binding)
	}
	empty := filepath.Join(t.TempDir(), "nothing")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := page.Drop(t.Context(), "#giowindow", empty); err != nil {
		t.Fatal(err)
	}
	p := &person{TB: t, page: page}
	p.told("There is no file in the folder nothing.")
	if errors := page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
	leavePicture(t, page, "tab.png")
}

// drawSample writes a picture of the sample collection and the words beside it.
func drawSample(t testing.TB, dir string) (picture, caption string) {
	t.Helper()
	sample, err := assets.Draw("rule", 1, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, sample.Image); err != nil {
		t.Fatal(err)
	}
	picture, caption = filepath.Join(dir, "shape.png"), filepath.Join(dir, "shape.txt")
	for path, content := range map[string][]byte{picture: encoded.Bytes(), caption: []byte(sample.Text)} {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return picture, caption
}

// TestAppGoesOn leaves the app's page in a training that has a job, opens it
// again and goes on: the model is then among the others, and nothing is left of
// the job but what this page still shows, and at the next start not that.
func TestAppGoesOn(t *testing.T) {
	address := serve(t, tabFiles(t))
	page := browser.ForTest(t).MustOpen(t, address)
	wait(t, page, `window.duetDropped`)
	eval(t, page, `await new Promise(async (begun) => {
		const files = [...await duet.sample({n: 100, task: 'rule', seed: 1})];
		duet.train(files, {
			init: 'current', tune: 'last', name: 'shapes', batch: 8, maxSteps: 12, saveEvery: 0.1, give: true, job: 'left',
			note: {Name: 'shapes', Setup: {Preset: 1, Name: 'Mine', Inputs: 'both'}},
		}, (e) => { if (e.step >= 3) begun(); });
	})`, nil)
	open := func() {
		t.Helper()
		if err := page.Do(t.Context(), chromedp.Navigate(address+"?again")); err != nil {
			t.Fatal(err)
		}
		wait(t, page, `window.duetDropped && window.duet`)
	}
	open()
	eval(t, page, `(() => {
		window.steps = [];
		const {resume, jobs} = duet;
		duet.jobs = async () => { const list = await jobs(); window.looked = list.length; return list; };
		window.resumed = false;
		duet.resume = (id, onEvent, o) => (window.resumed = true, resume)(id, (e) => { if (e.event === 'step') steps.push(e.step); onEvent(e); }, o);
	})()`, nil)
	wait(t, page, `window.looked === 1`)
	p := &person{TB: t, page: page}
	p.click("radio", "Train")
	p.click("button", "Go on")
	wait(t, page, `steps.length > 0`)
	wait(t, page, `duetStore.list().then((models) => models.length === 1 && models[0].Name === 'Mine')`)
	wait(t, page, `duet.jobs().then((list) => list.length === 0)`)
	var steps []int
	if eval(t, page, `steps`, &steps); steps[0] <= 1 || steps[len(steps)-1] != 12 {
		t.Errorf("it goes on with the steps %v", steps)
	}
	if names := stored(t, page); len(names) != 1 || names[0] != "jobs/left/files" {
		t.Errorf("while its result is shown there is %q", names)
	}
	if errors := page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
	open()
	wait(t, page, `duet.jobs().then((list) => list.length === 0)`)
	if names := stored(t, page); len(names) > 0 {
		t.Errorf("after the page was left there is %q", names)
	}
}
