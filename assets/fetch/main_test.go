package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFetchAll(t *testing.T) {
	const module = "example.org/pictures"
	good := source{"rose.webp", module, "testdata/rose.webp", hash([]byte("a rose"))}
	for _, c := range []struct {
		name    string
		change  func(s *source)
		present string // what already lies at the target
		says    string // in the error, empty for success
		holds   string // the target afterwards, empty for missing
	}{
		{name: "a new file", holds: "a rose"},
		{name: "already there", change: func(s *source) { s.module = "example.org/unreachable" }, present: "a rose", holds: "a rose"},
		{name: "a wrong one there", present: "half a ro", holds: "a rose"},
		{name: "another content", change: func(s *source) { s.sha256 = strings.Repeat("0", 64) }, says: "correct the hash"},
		{name: "another content, an old file there", change: func(s *source) { s.sha256 = strings.Repeat("0", 64) }, present: "old", says: "SHA-256", holds: "old"},
		{name: "no such file", change: func(s *source) { s.path = "testdata/tulip.webp" }, says: "tulip.webp"},
		{name: "no such module", change: func(s *source) { s.module = "example.org/unreachable" }, says: "unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache, out := t.TempDir(), t.TempDir()
			err := errors.Join(
				os.Mkdir(filepath.Join(cache, "testdata"), 0o777),
				os.WriteFile(filepath.Join(cache, "testdata", "rose.webp"), []byte("a rose"), 0o666),
			)
			if c.present != "" {
				err = errors.Join(err, os.WriteFile(filepath.Join(out, good.name), []byte(c.present), 0o666))
			}
			if err != nil {
				t.Fatal(err)
			}
			s := good
			if c.change != nil {
				c.change(&s)
			}
			err = fetchAll(out, []source{s}, func(m string) (string, error) {
				if m != module {
					return "", errors.New("no module " + m)
				}
				return cache, nil
			})
			if (c.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
			got, _ := os.ReadFile(filepath.Join(out, s.name))
			if string(got) != c.holds {
				t.Errorf("the file holds %q, want %q", got, c.holds)
			}
			left, _ := os.ReadDir(out)
			for _, f := range left {
				if f.Name() != s.name {
					t.Errorf("%s was left behind", f.Name())
				}
			}
		})
	}
}

// TestSourcesTable holds assets/SOURCES.md to the list in the code.
func TestSourcesTable(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "SOURCES.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		line := ""
		for l := range strings.Lines(string(table)) {
			if strings.Contains(l, s.name) {
				line = l
			}
		}
		for _, part := range []string{s.module, s.path, s.sha256} {
			if !strings.Contains(line, part) {
				t.Errorf("the line of %s lacks %s: %q", s.name, part, line)
			}
		}
	}
}
