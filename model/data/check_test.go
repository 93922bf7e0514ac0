//go:build !js

package data

import (
	"path/filepath"
	"testing"

	"duet/assets"
)

func TestCheck(t *testing.T) {
	cut := string(pngOf(drawn(9, 80, 80)))
	dir := tree{
		"all/cat/1.png": "#1", "all/dog/2.png": "#2", "some/cat/1.png": "#1", "some/dog/2.png": "#2", "some/dog/cut.png": cut[:len(cut)/2],
		"t.csv": "image,label\nall/cat/1.png,x\nno.png,y\n", "x.tar": tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "0"}), "x.tar.gz": "x",
		"1.png": "#1", "png.jpg": "#1", "picture": "#1", "text.png": "hello", "notes.txt": "x", "none/notes.txt": "x",
	}.write(t)
	for _, c := range []struct {
		file    string
		kind    Kind
		verdict Verdict
		reason  string
	}{
		{"all", KindCollection, Accept, "2 examples, 2 pictures, 2 classes"},
		{"some", KindCollection, Partial, "dog/cut.png: not a usable png"},
		{"none", KindCollection, Refuse, "holds no pictures"},
		{"t.csv", KindTable, Partial, "t.csv line 3: picture no.png: no such file"},
		{"x.tar", KindTar, Accept, "1 example"},
		{"x.tar.gz", KindTar, Refuse, "unpack it"},
		{"1.png", KindPicture, Accept, "png, 12 x 10 pixels"},
		{"png.jpg", KindPicture, Accept, "though the name ends in .jpg"},
		{"picture", KindPicture, Accept, "png"},
		{"text.png", KindPicture, Refuse, "text.png"},
		{"absent.png", KindPicture, Refuse, "no such file"},
		{"notes.txt", "", Refuse, "no kind"},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			if kind := KindOf(path); kind != c.kind {
				t.Errorf("kind %q, want %q", kind, c.kind)
			}
			f := Check(t.Context(), path, c.kind, "", Options{})
			if f.Verdict != c.verdict {
				t.Errorf("%s, want %s: %s", f.Verdict, c.verdict, f.Reason)
			}
			mustContain(t, f.Reason, c.reason)
		})
	}
	if f := Check(t.Context(), filepath.Join(dir, "all"), KindTable, "", Options{}); f.Verdict != Refuse {
		t.Errorf("a folder as a table: %s", f.Verdict)
	}
}

// The drawn sample collection opens with its own splits, none of its pictures
// on both sides.
func TestSampleCollection(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sample")
	wrote, err := assets.WriteCollection(t.Context(), dir, assets.DefaultTask, 600, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenPath(t.Context(), dir, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := holdOut(t, c, 1, 0)
	if r := c.Report; !h.Given || r.Examples != wrote.Rows || r.Pictures != wrote.Pictures || r.SkippedRows != 0 ||
		len(c.Select(Train)) != wrote.TrainRows || len(c.Select(Validation)) != wrote.ValidationRows {
		t.Errorf("wrote %+v, read\n%s", wrote, r.String())
	}
	for hash, s := range sides(t, c) {
		if len(s) != 1 {
			t.Errorf("content %.8s is on both sides", hash)
		}
	}
}
