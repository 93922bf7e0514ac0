package data

import (
	"archive/tar"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drawn makes a picture whose content depends on its seed.
func drawn(seed uint64, w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	d := newDraws(seed)
	r, g := d.between(1, 9), d.between(1, 9)
	shade := uint8(d.intn(256))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(float64(x) * r), uint8(float64(y) * g), shade, 0xff})
		}
	}
	return m
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func jpegOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// tree is a file system of texts and pictures. A value "#n" stands for a PNG
// drawn from seed n.
type tree map[string]string

func (tr tree) content(value string) []byte {
	if n, ok := strings.CutPrefix(value, "#"); ok {
		return pngOf(drawn(hashString(n), 12, 10))
	}
	return []byte(value)
}

func (tr tree) fs() MapFS {
	m := MapFS{}
	for name, value := range tr {
		m[name] = bytes.NewReader(tr.content(value))
	}
	return m
}

// write writes the tree to a folder on disk.
func (tr tree) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, value := range tr {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, tr.content(value), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (tr tree) open(t testing.TB, name string, o Options) *Collection {
	t.Helper()
	c, err := Open(context.Background(), tr.fs(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tarOf makes a tar of names and contents, in order.
func tarOf(entries ...[2]string) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		content := tree{}.content(e[1])
		if err := w.WriteHeader(&tar.Header{Name: e[0], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
			panic(err)
		}
		w.Write(content)
	}
	w.Close()
	return b.String()
}

// summary renders examples as "picture|captions|class|split" lines.
func summary(c *Collection) []string {
	var lines []string
	for _, e := range c.Examples {
		name, class := "-", "-"
		if e.Picture != nil {
			name = e.Picture.Name
		}
		if e.Label >= 0 {
			class = c.Classes[e.Label]
		}
		lines = append(lines, strings.Join([]string{name, strings.Join(e.Captions, "/"), class, string(e.Split)}, "|"))
	}
	return lines
}

func equalLines(t *testing.T, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}
