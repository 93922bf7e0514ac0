package wasm

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPack lays out a tab twice, with a change between.
func TestPack(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("node is not installed (make deps)")
	}
	if err != nil {
		t.Fatal(err)
	}
	sources, dir := t.TempDir(), t.TempDir()
	write := func(path, content string) string {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pack := func(files ...string) {
		t.Helper()
		output, err := exec.Command(node, append([]string{"pack.mjs", dir}, files...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	names := func() string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range entries {
			list = append(list, e.Name())
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}

	text := strings.Repeat("much the same ", 500)
	long := write(filepath.Join(sources, "long.js"), text)
	tiny := write(filepath.Join(sources, "tiny.txt"), "x")
	write(filepath.Join(dir, "stale.html"), "gone")
	pack(long, tiny)
	if got, want := names(), "long.js long.js.br long.js.gz tiny.txt"; got != want {
		t.Fatalf("laid out %s, want %s", got, want)
	}
	if got := unzip(t, filepath.Join(dir, "long.js.gz")); got != text {
		t.Errorf("long.js.gz holds %d bytes, want %d", len(got), len(text))
	}

	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "long.js.br"), old, old); err != nil {
		t.Fatal(err)
	}
	pack(long)
	if info, err := os.Stat(filepath.Join(dir, "long.js.br")); err != nil || time.Since(info.ModTime()) < time.Minute {
		t.Errorf("an unchanged file was packed again (%v)", err)
	}
	write(long, text+"new")
	pack(long)
	if got, want := names(), "long.js long.js.br long.js.gz"; got != want {
		t.Errorf("laid out %s, want %s", got, want)
	}
	if got := unzip(t, filepath.Join(dir, "long.js.gz")); got != text+"new" {
		t.Error("long.js.gz is of the old content")
	}
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
