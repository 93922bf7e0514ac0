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
)

// TestAppInTab opens the app's page and drops a picture with a text file of the
// same name on it: the worker is asked about both and answers. With DUET_FRAMES
// set to a folder it leaves pictures of the page there.
func TestAppInTab(t *testing.T) {
	sample, err := assets.Draw("rule", 1, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, sample.Image); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"shape.png": picture.Bytes(), "shape.txt": []byte(sample.Text)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"app.html")
	wait(t, page, `window.duetDropped`)
	eval(t, page, `(() => {
		window.answers = [];
		const classify = duet.classify;
		duet.classify = async (...args) => { const a = await classify(...args); answers.push(a); return a; };
	})()`, nil)
	if err := page.Drop(t.Context(), "#giowindow", filepath.Join(dir, "shape.png"), filepath.Join(dir, "shape.txt")); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `answers.length > 0`)
	var answers []struct {
		File, Caption string
		Top           []struct{ Label string }
	}
	eval(t, page, `answers`, &answers)
	if a := answers[0]; a.File != "shape.png" || a.Caption != sample.Text || len(a.Top) != 5 {
		t.Errorf("%+v", answers)
	}
	if errors := page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
	if out := os.Getenv("DUET_FRAMES"); out != "" {
		eval(t, page, `await new Promise((done) => setTimeout(done, 1500))`, nil)
		shot, err := page.Screenshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, "tab.png"), shot, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
