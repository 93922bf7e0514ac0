package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func openZipBytes(data []byte) (*Model, error) {
	return OpenModelZip(bytes.NewReader(data), int64(len(data)), "test.zip")
}

// makeZip packs name, text, name, text, … deflated where pack is zip.Deflate.
func makeZip(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// patch changes fields of every entry's record in the list of entries, as
// APPNOTE.TXT 4.3.12 lays it out.
func patch(t testing.TB, data []byte, change func(record []byte)) []byte {
	t.Helper()
	data = bytes.Clone(data)
	found := false
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if i < 0 {
			break
		}
		change(data[at+i:])
		at, found = at+i+4, true
	}
	if !found {
		t.Fatal("no record")
	}
	return data
}

func TestZipRefusals(t *testing.T) {
	config := []string{"config.json", `{}`}
	with := func(method uint16, files ...string) []byte { return makeZip(t, method, append(config, files...)...) }
	put16 := binary.LittleEndian.PutUint16
	put32 := binary.LittleEndian.PutUint32
	plain := with(zip.Deflate)
	bomb := with(zip.Deflate, "model.safetensors", strings.Repeat("\x00", 40<<20))
	many := config
	for i := range maxZipEntries {
		many = append(many, fmt.Sprint(i), "")
	}
	endless := config
	for i := range 20000 {
		endless = append(endless, fmt.Sprintf("%060d", i), "")
	}
	long := with(zip.Store, "model.safetensors", string(raw("{}")))
	overlap := patch(t, with(zip.Store, "a.txt", "aaaa", "b.txt", "bbbb"), func(r []byte) {
		if bytes.HasPrefix(r[46:], []byte("b.txt")) { // let b begin where a does
			put32(r[42:], uint32(bytes.Index(long, []byte("PK\x03\x04"))))
		}
	})
	tests := []struct {
		name string
		data []byte
		err  string
	}{
		{"plain", plain, ""},
		{"something before it", append([]byte("#!/bin/sh\n"), plain...), ""},
		{"in a folder", makeZip(t, zip.Deflate, "flowers/", "", "flowers/config.json", "{}", "__MACOSX/config.json", "x"), ""},
		{"nothing", nil, "not a zip archive"},
		{"text", []byte(strings.Repeat("config.json", 100)), "not a zip archive"},
		{"cut short", plain[:len(plain)-10], "not a zip archive"},
		{"no config", makeZip(t, zip.Deflate, "a.txt", "x"), "it holds no config.json"},
		{"config too deep", makeZip(t, zip.Deflate, "a/b/config.json", "{}"), "it holds no config.json"},
		{"two models", makeZip(t, zip.Deflate, "a/config.json", "{}", "b/config.json", "{}"), "several models, in a and b"},
		{"absolute name", with(zip.Deflate, "/etc/passwd", "x"), `entry "/etc/passwd": its name is not a plain path`},
		{"name leads outside", with(zip.Deflate, "../x", "x"), "not a plain path"},
		{"name leads outside further in", with(zip.Deflate, "a/../../x", "x"), "not a plain path"},
		{"backslash", with(zip.Deflate, `..\x`, "x"), "not a plain path"},
		{"drive", with(zip.Deflate, "C:x", "x"), "not a plain path"},
		{"NUL", with(zip.Deflate, "a\x00b", "x"), "not a plain path"},
		{"empty name", with(zip.Deflate, "", "x"), "not a plain path"},
		{"double slash", with(zip.Deflate, "a//b", "x"), "not a plain path"},
		{"name is not UTF-8", with(zip.Deflate, "a\xff", "x"), "not a plain path"},
		{"name twice", with(zip.Deflate, "config.json", `{}`), `the entry "config.json" appears twice`},
		{"name twice in another case", with(zip.Deflate, "CONFIG.json", `{}`), "appears twice"},
		{"name of a file and a folder", with(zip.Deflate, "a", "x", "a/", ""), "appears twice"},
		{"encrypted", patch(t, plain, func(r []byte) { put16(r[8:], 1) }), "it is encrypted"},
		{"symbolic link", patch(t, plain, func(r []byte) { r[5] = 3; put32(r[38:], 0o120777<<16) }), "neither a file nor a folder"},
		{"other method", patch(t, plain, func(r []byte) { put16(r[10:], 14) }), "packed by method 14"},
		{"claims more than the archive", patch(t, plain, func(r []byte) { put32(r[20:], 1<<30) }), "claims 1073741824 bytes of an archive"},
		{"stored in two sizes", patch(t, with(zip.Store), func(r []byte) { put32(r[24:], 1000) }), "its two sizes"},
		{"data beyond the end", patch(t, with(zip.Store), func(r []byte) { put32(r[20:], 100); put32(r[24:], 100) }), "runs beyond the end"},
		{"claims a bomb", patch(t, plain, func(r []byte) { put32(r[24:], 1<<31) }), "a zip bomb"},
		{"bomb", bomb, "a zip bomb"},
		{"overlap", overlap, "overlap"},
		{"no local header", patch(t, plain, func(r []byte) { put32(r[42:], 3) }), "config.json"},
		{"too many files", makeZip(t, zip.Store, many...), "it has 1001 files"},
		{"endless list", makeZip(t, zip.Store, endless...), "its list of files is longer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			within(t, func() {
				_, err := openZipBytes(test.data)
				wantError(t, err, test.err)
				if err != nil && !strings.Contains(err.Error(), "test.zip") {
					t.Errorf("the error does not name the archive: %v", err)
				}
			})
		})
	}
}

// TestZipDamage changes a byte of what entries hold.
func TestZipDamage(t *testing.T) {
	weights := string(raw(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, []byte("0123456789abcdef")...))
	for name, method := range map[string]uint16{"stored": zip.Store, "deflated": zip.Deflate} {
		t.Run(name, func(t *testing.T) {
			good := makeZip(t, method, "config.json", "{}", "model.safetensors", weights)
			archive, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
			if err != nil {
				t.Fatal(err)
			}
			at, err := archive.File[1].DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(good)
			bad[at+int64(archive.File[1].CompressedSize64)-8] ^= 1
			for data, want := range map[string]string{string(good): "", string(bad): "model.safetensors: "} {
				m, err := openZipBytes([]byte(data))
				if err != nil {
					t.Fatal(err)
				}
				_, err = m.Weights()
				wantError(t, err, want)
			}
		})
	}
	data := makeZip(t, zip.Deflate, "config.json", "{}", "model.safetensors", weights)
	longer := patch(t, data, func(r []byte) { put := binary.LittleEndian; put.PutUint32(r[24:], put.Uint32(r[24:])+1) })
	shorter := patch(t, data, func(r []byte) { put := binary.LittleEndian; put.PutUint32(r[24:], put.Uint32(r[24:])-1) })
	for _, data := range [][]byte{longer, shorter} {
		m, err := openZipBytes(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Weights(); err == nil {
			t.Error("a wrong size passed")
		}
	}
}

// TestZipBytes shows that the archive does not depend on the order of files
// and stores weights where they can be read.
func TestZipBytes(t *testing.T) {
	files := sample("one")
	want := zipped(t, files)
	for range 5 {
		rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		if !bytes.Equal(zipped(t, files), want) {
			t.Fatal("other bytes for another order")
		}
	}
	archive, err := zip.NewReader(bytes.NewReader(want), int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	all := contents(t, files)
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != all[f.Name] {
			t.Errorf("%s is %q, %v", f.Name, got, err)
		}
		if weights := strings.HasSuffix(f.Name, ".safetensors"); weights != (f.Method == zip.Store) {
			t.Errorf("%s has method %d", f.Name, f.Method)
		}
		if f.Modified.Year() != 1980 {
			t.Errorf("%s is dated %v", f.Name, f.Modified)
		}
	}
	if len(archive.File) != len(files) {
		t.Errorf("%d files", len(archive.File))
	}
}

func TestWriteZipErrors(t *testing.T) {
	config := Data("config.json", []byte("{}"))
	tests := []struct {
		name  string
		files []Entry
		err   string
	}{
		{"no config", []Entry{Data("a", nil)}, "a model needs a config.json"},
		{"config in another case", []Entry{Data("Config.json", nil)}, "a model needs a config.json"},
		{"twice", []Entry{config, Data("a", nil), Data("A", nil)}, "the file A is given twice"},
		{"outside", []Entry{config, Data("../a", nil)}, `the name "../a" is not a plain path`},
		{"absolute", []Entry{config, Data("/a", nil)}, "not a plain path"},
		{"empty", []Entry{config, Data("", nil)}, "not a plain path"},
		{"file and folder", []Entry{config, Data("a/b/c", nil), Data("a/b", nil)}, "a/b is given as a file and as a folder"},
		{"data fails", []Entry{config, {"a", func(io.Writer) error { return errDisk }}}, "a: the disk is broken"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantError(t, WriteZip(io.Discard, test.files), test.err) })
	}
}
