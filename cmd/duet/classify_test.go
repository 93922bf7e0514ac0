//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu/gputest"
	"duet/model/shared"
)

// TestClassifyUntrained asks a model that was just joined: it is never sure, and
// says why.
func TestClassifyUntrained(t *testing.T) {
	gputest.Open(t)
	tower := shared.Path(t, "fixtures", "resnet_cifar10", "resnet20.safetensors")
	dir := t.TempDir()
	model, photo := filepath.Join(dir, "m"), filepath.Join(dir, "a.png")
	command(t, 0, "init", "--vision", tower, "--classes", "a,b", "--out", model)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(photo, picture.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	out, errs := command(t, 0, "classify", photo, "--model", model)
	var answer map[string]any
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if answer["untrained"] != true || answer["sure"] != false {
		t.Errorf("answered %s", out)
	}
	if !strings.Contains(errs, model+" is not trained yet") || !strings.Contains(errs, "--init "+model) {
		t.Errorf("said %q", errs)
	}
	out, errs = command(t, 0, "classify", photo) // by the default model
	if strings.Contains(out, "untrained") || errs != "" {
		t.Errorf("the default model answers %s, and says %q", out, errs)
	}
}

// TestClassifyFolder classifies what lies in a folder and below it, in order. What
// cannot be read stops nothing, and is named after the answers.
func TestClassifyFolder(t *testing.T) {
	gputest.Open(t) // says why, where there is no adapter
	var picture bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 * 30 {
		m.Set(i%40, i/40, color.NRGBA{uint8(6 * i), uint8(i), 200, 255})
	}
	if err := png.Encode(&picture, m); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, "photos", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := picture.String()
	z, b, a := write("z.png", whole), write("sub/b.PNG", whole), write("a.png", whole)
	cut, other := write("c.png", whole[:len(whole)/2]), write("d.heic", "x")
	write("a.txt", "words")
	write(".hidden/a.png", whole)
	alone := filepath.Join(dir, "alone.png")
	if err := os.WriteFile(alone, []byte(whole), 0o666); err != nil {
		t.Fatal(err)
	}
	photos := filepath.Join(dir, "photos")
	out, errs := command(t, 1, "classify", "--json", "--caption", "which color is it?", alone, photos)
	var answered []string
	for line := range strings.Lines(out) {
		var x struct {
			File, Caption string
			Top           []struct{ P float64 }
		}
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if x.Caption != "which color is it?" || len(x.Top) != 5 || x.Top[0].P <= 0 {
			t.Errorf("answered %s", line)
		}
		answered = append(answered, x.File)
	}
	if want := []string{alone, a, b, z}; !slices.Equal(answered, want) {
		t.Errorf("answered for %q, want %q", answered, want)
	}
	for _, want := range []string{cut, other + ": this format", "2 of 6 pictures could not be read"} {
		if !strings.Contains(errs, want) {
			t.Errorf("said %q, want %q", errs, want)
		}
	}
	for _, test := range []struct{ path, want string }{
		{t.TempDir(), "holds no pictures"}, {filepath.Join(dir, "nothing"), "1 of 1 picture could not be read"},
	} {
		if out, errs := command(t, 1, "classify", test.path); out != "" || !strings.Contains(errs, test.want) {
			t.Errorf("%s: printed %q, said %q", test.path, out, errs)
		}
	}
}
