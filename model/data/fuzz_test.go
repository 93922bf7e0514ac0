package data

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// FuzzPicture: whatever the bytes, decoding and preparing end, and what is
// accepted has the size that its header announces.
func FuzzPicture(f *testing.F) {
	m := drawn(1, 9, 7)
	for _, seed := range [][]byte{
		pngOf(m), jpegOf(m), bmpOf(m), tinyWebP(),
		jpegWithEXIF(m, exifTIFF(binary.LittleEndian, 6)), pngWithEXIF(m, exifTIFF(binary.BigEndian, 5)),
		[]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"),
		[]byte("II*\x00"), nil,
	} {
		f.Add(seed)
	}
	p := NewPrep(8)
	dst := make([]float32, p.Len())
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 18
		got, err := decodeBytes(b, limit)
		if err != nil {
			return
		}
		if w, h := got.Size(); w < 1 || h < 1 || w*h > limit {
			t.Fatalf("%d x %d pixels are accepted", w, h)
		}
		if err := p.Tensor(got, dst); err != nil {
			t.Fatal(err)
		}
		for i, v := range dst {
			if v != v || i%Channels == 3 && v != 0 {
				t.Fatalf("float %d is %v", i, v)
			}
		}
	})
}

// FuzzTable: whatever the text, reading ends, no row is usable twice, and no
// picture outside the folder is named.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"image,text,label\n1.png,\"a \"\"b\"\"\",x\n", "image\tcaption\n1.png\ta\n", `{"image":"1.png","text":["a","b"],"label":3}` + "\n",
		"\ufeffimage\n1.png\n", utf16LE("image\n1.png\n"), gzipped("image,label\n1.png,x\n"),
		`{"image":"../1.png"}`, `{"image":"\ud800"}`, "image,split\n1.png,dev\n", "", "\x00",
	} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(1))
		f.Add(seed, uint8(2))
	}
	picture := pngOf(drawn(1, 2, 2))
	f.Fuzz(func(t *testing.T, table string, format uint8) {
		name := []string{"in/t.csv", "in/t.tsv", "in/t.jsonl"}[format%3]
		files := MapFS{name: strings.NewReader(table), "in/1.png": bytes.NewReader(picture), "1.png": bytes.NewReader(picture)}
		c, err := Open(t.Context(), files, name, Options{})
		if err != nil {
			return
		}
		if len(c.Examples) == 0 {
			t.Fatal("an empty collection is accepted")
		}
		for _, e := range c.Examples {
			if e.Picture != nil && !strings.HasPrefix(e.Picture.Name, "in/") {
				t.Fatalf("picture %q", e.Picture.Name)
			}
			if e.Label < -1 || e.Label >= len(c.Classes) || e.Source.Line < 1 {
				t.Fatalf("label %d of %d classes, %v", e.Label, len(c.Classes), e.Source)
			}
		}
	})
}

// FuzzTar: whatever the bytes, reading ends, and every picture lies in the
// file.
func FuzzTar(f *testing.F) {
	good := tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "0"}, [2]string{"b.png", "#b"}, [2]string{"b.json", `{"text":"x","label":"y"}`})
	for _, seed := range []string{
		good, good[:700], tarOf(), tarOf([2]string{"../a.png", "#a"}), tarOf([2]string{strings.Repeat("long/", 60) + "a.png", "#a"}), "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Open(t.Context(), MapFS{"x.tar": bytes.NewReader(b)}, "x.tar", Options{})
		if err != nil {
			return
		}
		for _, e := range c.Examples {
			p := e.Picture
			if p == nil || p.offset < 0 || p.Size < 0 || p.offset+p.Size > int64(len(b)) {
				t.Fatalf("%+v", p)
			}
			if _, err := cleanPath(strings.TrimPrefix(p.Name, "x.tar/")); err != nil {
				t.Fatal(err)
			}
		}
	})
}
