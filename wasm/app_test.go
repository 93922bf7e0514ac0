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
	picture, caption := drawSample(t, t.TempDir())
	words, err := os.ReadFile(caption)
	if err != nil {
		t.Fatal(err)
	}
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t)))
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
