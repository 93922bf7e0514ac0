package data

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMapFS(t *testing.T) {
	m := MapFS{"a/b/c.txt": strings.NewReader("hello"), "a/d.txt": bytes.NewReader(nil), "e.txt": strings.NewReader("x"), "../evil": strings.NewReader("x")}
	if err := fstest.TestFS(m, "a/b/c.txt", "a/d.txt", "e.txt"); err != nil {
		t.Error(err)
	}
	if _, err := m.Open("../evil"); err == nil {
		t.Error("a path that leads out is opened")
	}
	entries, err := fs.ReadDir(m, ".")
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}

// streamFS opens files that can only be read from the start.
type streamFS struct{ MapFS }

type streamFile struct{ f fs.File }

func (s streamFile) Stat() (fs.FileInfo, error) { return s.f.Stat() }
func (s streamFile) Read(p []byte) (int, error) { return s.f.Read(p) }
func (s streamFile) Close() error               { return s.f.Close() }

func (s streamFS) Open(name string) (fs.File, error) {
	f, err := s.MapFS.Open(name)
	if err != nil {
		return nil, err
	}
	if _, folder := f.(fs.ReadDirFile); folder {
		return f, nil
	}
	return streamFile{f}, nil
}

func TestFilesWithoutOffsets(t *testing.T) {
	tr := tree{"x.tar": tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "0"}, [2]string{"b.png", "#b"}, [2]string{"b.cls", "1"})}
	c, err := Open(t.Context(), streamFS{tr.fs()}, "x.tar", Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Examples[1].Picture.Decode(0)
	if err != nil {
		t.Fatal(err)
	}
	if most, _ := difference(t, m.Upright(), drawn(hashString("b"), 12, 10)); most != 0 {
		t.Errorf("the wrong picture: differs by %d", most)
	}
}

func TestReportAsJSON(t *testing.T) {
	c := tree{"cat/1.png": "#a", "dog/2.png": "#b", "dog/3.png": "x"}.open(t, ".", Options{})
	b, err := json.Marshal(c.Report)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Convention  string   `json:"convention"`
		ClassesFrom string   `json:"classes_from"`
		Classes     []string `json:"classes"`
		Splits      []struct {
			Split    string `json:"split"`
			PerClass []int  `json:"per_class"`
		} `json:"splits"`
		SkippedPictures int `json:"skipped_pictures"`
		Skipped         []struct {
			File   string `json:"file"`
			Reason string `json:"reason"`
		} `json:"skipped"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Convention != "a folder per class" || got.ClassesFrom == "" || !slices.Equal(got.Classes, []string{"cat", "dog"}) ||
		len(got.Splits) != 1 || !slices.Equal(got.Splits[0].PerClass, []int{1, 1}) ||
		got.SkippedPictures != 1 || got.Skipped[0].File != "dog/3.png" || got.Skipped[0].Reason == "" {
		t.Errorf("%s", b)
	}
}
