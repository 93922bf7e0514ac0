//go:build !js

package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"strings"
	"testing"

	_ "golang.org/x/image/webp"
)

func TestDemoPhoto(t *testing.T) {
	data, name, ok := DemoPhoto()
	if !ok {
		if os.Getenv("CI") == "true" {
			t.Fatal("no photograph was fetched before this build: run go run ./assets/fetch")
		}
		t.Skip("no photograph was fetched before this build: go run ./assets/fetch brings it")
	}
	img, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if b := img.Bounds(); min(b.Dx(), b.Dy()) < 224 {
		t.Errorf("%s (%s) measures %v: too small to show", name, format, b)
	}
}

func TestFetchedPhotosDecode(t *testing.T) {
	entries, err := fs.ReadDir(DemoPhotos(), ".")
	if err != nil {
		t.Fatal(err)
	}
	readme := false
	for _, e := range entries {
		if e.Name() == "README.md" {
			readme = true
			continue
		}
		f, err := DemoPhotos().Open(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := image.Decode(f); err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
		f.Close()
	}
	if !readme {
		t.Error("README.md, which keeps the folder embeddable, is missing")
	}
}

// TestDefaultModel holds the shipped model to its size and to its line in SOURCES.md.
func TestDefaultModel(t *testing.T) {
	model := DefaultModel()
	weights, err := fs.ReadFile(model, "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(weights); !strings.Contains(string(table), hex.EncodeToString(sum[:])) {
		t.Errorf("SOURCES.md lacks the SHA-256 %x of model.safetensors", sum)
	}
	config, err := fs.ReadFile(model, "config.json")
	if err != nil || !json.Valid(config) {
		t.Errorf("config.json is no JSON (%v)", err)
	}
	size := int64(0)
	err = fs.WalkDir(model, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil || size > 6<<20 {
		t.Errorf("the model takes %d bytes, more than the 6 MiB the program should carry (%v)", size, err)
	}
}
