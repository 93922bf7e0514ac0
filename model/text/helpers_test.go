package text

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"duet/model/shared"
)

func roberta(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Load(os.DirFS(shared.Path(t, "fixtures", "roberta_tokenizer")))
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
