package text

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// shared gives a path in the tree of shared test data, or skips.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	dir := os.Getenv("DUET_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "shared")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(dir); err == nil && os.Getenv("CI") == "true" {
			t.Fatalf("the shared data lacks %s", filepath.Join(elem...))
		}
		t.Skipf("needs %s of the shared data (DUET_SHARED)", filepath.Join(elem...))
	}
	return path
}

func roberta(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Load(os.DirFS(shared(t, "fixtures", "roberta_tokenizer")))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// tinyTexts is what the tiny vocabulary of the tests is trained on. The ids in
// testdata/reference.json depend on it.
func tinyTexts() []string {
	return []string{
		"a red circle on a blue ground", "two red circles and a green square on a grey ground",
		"is there a blue triangle?", "there isn't a triangle; there's a square.",
		"how many shapes are there in the picture?", "the picture shows three shapes, and they're red.",
		"soooo many circles!!!", "hahaha ....", "naïve café", "日本の日本", "1234 1234 12", "\n\n\n\n", "a  b    c",
	}
}

func tiny(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Train(context.Background(), slices.Values(tinyTexts()), 340)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// folder makes a tokenizer's folder of a vocabulary in order of ids and a merge
// list.
func folder(t testing.TB, merges string, tokens ...string) fstest.MapFS {
	t.Helper()
	ids := make(map[string]int)
	for i, token := range tokens {
		ids[token] = i
	}
	vocab, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{vocabName: {Data: vocab}, mergesName: {Data: []byte(merges)}}
}

func asFS(files map[string][]byte) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

// spell writes raw bytes in the byte alphabet.
func spell(raw string) string {
	out := make([]byte, 0, 2*len(raw))
	for i := range len(raw) {
		out = utf8.AppendRune(out, byteRune(raw[i]))
	}
	return string(out)
}
