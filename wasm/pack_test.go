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

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
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
	if got, want := names(), "files.js files.js.br files.js.gz long.js long.js.br long.js.gz tiny.txt"; got != want {
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
	if got, want := names(), "files.js files.js.br files.js.gz long.js long.js.br long.js.gz"; got != want {
		t.Errorf("laid out %s, want %s", got, want)
	}
	if got := unzip(t, filepath.Join(dir, "long.js.gz")); got != text+"new" {
		t.Error("long.js.gz is of the old content")
	}
}

// budget bounds what the tab's two programs take, packed as make wasm packs them.
// The Go fonts in tab.wasm and the model, a file of its own, do not count.
const budget = 6_000_000

// TestSize packs the tab's programs.
func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the tab")
	}
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("node is not installed (make deps)")
	}
	build := func(dir, source string) {
		t.Helper()
		command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", dir, source)
		command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	sources, dir := t.TempDir(), t.TempDir()
	args := []string{"pack.mjs", dir}
	for name, source := range map[string]string{"main.wasm": "duet/cmd/duet", "tab.wasm": "duet/cmd/tab"} {
		build(filepath.Join(sources, name), source)
		args = append(args, filepath.Join(sources, name))
	}
	for name, font := range map[string][]byte{"regular.ttf": goregular.TTF, "bold.ttf": gobold.TTF} {
		if err := os.WriteFile(filepath.Join(sources, name), font, 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args, filepath.Join(sources, name))
	}
	if output, err := exec.Command("node", args...).CombinedOutput(); err != nil {
		t.Fatalf("pack.mjs: %v\n%s", err, output)
	}
	size := func(name string) int {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, name+".br"))
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size())
	}
	fonts := size("regular.ttf") + size("bold.ttf")
	engine, window := size("main.wasm"), size("tab.wasm")
	t.Logf("main.wasm %.2f MB, tab.wasm %.2f MB, of which the fonts are %.2f MB", float64(engine)/1e6, float64(window)/1e6, float64(fonts)/1e6)
	if sum := engine + window - fonts; sum > budget {
		t.Errorf("the programs take %d bytes, %d more than they may: go list -deps shows what they bring along", sum, sum-budget)
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
