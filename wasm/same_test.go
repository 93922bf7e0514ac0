//go:build !js

package wasm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"duet/app"
	"duet/app/local"
	"duet/app/ui"
	"duet/assets"
	"duet/gpu/gputest"
	"duet/model/shared"
	"duet/wasm/browser"
)

// TestSameAnswers asks the window's engine, the tab and the command line about
// the same 200 pictures with words, half of them photographs: the best answer is
// the same, and its probability within 1e-3.
func TestSameAnswers(t *testing.T) {
	gputest.Open(t) // skips where there is no adapter
	files := tabFiles(t)
	const n = 100
	t.Run("drawn", func(t *testing.T) {
		dir := t.TempDir()
		var paths []string
		for i := range n {
			sample, err := assets.Draw(assets.DefaultTask, 7, i, 64)
			if err != nil {
				t.Fatal(err)
			}
			var picture bytes.Buffer
			if err := png.Encode(&picture, sample.Image); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.png", i)))
			if err := os.WriteFile(paths[i], picture.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		checkFaces(t, files, paths, "what colour is the circle?")
	})
	t.Run("photographs", func(t *testing.T) {
		paths, err := filepath.Glob(filepath.Join(shared.Path(t, "data", "flickr8k", "dev"), "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		checkFaces(t, files, paths[:n], "a photograph")
	})
}

// checkFaces compares the answers of all faces for pictures with the same words.
func checkFaces(t *testing.T, files fs.FS, paths []string, words string) {
	dir := t.TempDir()
	engine := local.NewEngine(local.Folders{Models: filepath.Join(dir, "models")})
	defer engine.Close()
	if _, err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	faces := map[string][]app.Answer{}
	for _, path := range paths {
		a, err := engine.Classify(t.Context(), ui.File{Name: filepath.Base(path), Path: path}, words)
		if err != nil {
			t.Fatal(err)
		}
		faces["window"] = append(faces["window"], a)
	}

	program := filepath.Join(dir, "duet")
	if out, err := exec.Command("go", "build", "-o", program, "duet/cmd/duet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var errs bytes.Buffer
	command := exec.Command(program, append([]string{"classify", "--json", "--caption", words}, paths...)...)
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	for line := range strings.Lines(string(out)) {
		var a app.Answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		faces["command line"] = append(faces["command line"], a)
	}

	page := browser.ForTest(t).MustOpen(t, serve(t, files)+"bare.html")
	wait(t, page, `window.duet`)
	eval(t, page, `(() => {
		const input = document.createElement('input');
		input.type = 'file'; input.multiple = true; input.id = 'given';
		document.body.append(input);
		window.answers = [];
	})()`, nil)
	if err := page.Choose(t.Context(), "#given", paths...); err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(words)
	if err != nil {
		t.Fatal(err)
	}
	var answers []app.Answer
	eval(t, page, `await (async () => {
		await duet.ready;
		for (const file of document.querySelector('#given').files) answers.push(await duet.classify(file, `+string(quoted)+`));
		return answers;
	})()`, &answers)
	faces["tab"] = answers

	for face, answers := range faces {
		if len(answers) != len(paths) {
			t.Fatalf("the %s has %d answers", face, len(answers))
		}
		other, far := 0, 0.0
		for i, a := range answers {
			want := faces["window"][i].Top[0]
			if a.Top[0].Label != want.Label {
				other++
				t.Errorf("%s: the %s says %v, the window %v", filepath.Base(paths[i]), face, a.Top[0], want)
			}
			far = max(far, math.Abs(float64(a.Top[0].P-want.P)))
		}
		if far > 1e-3 {
			t.Errorf("the %s and the window differ by %.2g", face, far)
		}
		t.Logf("%s: %d of %d answers differ from the window's, probabilities by at most %.2g", face, other, len(answers), far)
	}
}
