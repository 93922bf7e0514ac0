package text

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"duet/model/shared"
)

const goodVocab = `{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"b":5,"ab":6,"<mask>":7}`

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		name, vocab, merges string
		want                []string // parts of the error
	}{
		{"missing specials", `{"a":0,"<s>":1}`, "", []string{"vocab.json", "<pad> </s> <unk> <mask> are missing"}},
		{"gap in the ids", strings.Replace(goodVocab, ":7", ":8", 1), "", []string{"vocab.json", `"<mask>" is 8`, "0 to 7"}},
		{"huge id", strings.Replace(goodVocab, ":7", ":1099511627776", 1), "", []string{"1099511627776"}},
		{"negative id", strings.Replace(goodVocab, ":7", ":-1", 1), "", []string{"-1"}},
		{"fraction", strings.Replace(goodVocab, ":7", ":7.5", 1), "", []string{"7.5"}},
		{"exponent", strings.Replace(goodVocab, ":7", ":7e0", 1), "", []string{"7e0"}},
		{"string id", strings.Replace(goodVocab, ":7", `:"7"`, 1), "", []string{`"<mask>" is not a number`}},
		{"nested", strings.Replace(goodVocab, ":7", `:{"a":1}`, 1), "", []string{`"<mask>" is not a number`}},
		{"same id twice", strings.Replace(goodVocab, ":7", ":6", 1), "", []string{"id 6", `"ab"`, `"<mask>"`}},
		{"same token twice", strings.Replace(goodVocab, `"b"`, `"a"`, 1), "", []string{`"a" appears twice`}},
		{"empty token", strings.Replace(goodVocab, `"b"`, `""`, 1), "", []string{"empty string"}},
		{"not byte-level", strings.Replace(goodVocab, `"b"`, `"▁b"`, 1), "", []string{`"▁b" is not byte-level`}},
		{"surrogate", strings.Replace(goodVocab, `"b"`, `"\ud800"`, 1), "", []string{"not byte-level"}},
		{"list", `["a"]`, "", []string{"one JSON object"}},
		{"cut off", goodVocab[:30], "", []string{"not JSON"}},
		{"more after it", goodVocab + "{}", "", []string{"after the vocabulary"}},
		{"empty file", "", "", []string{"vocab.json", "not JSON"}},
		{"not UTF-8", goodVocab + "\xff", "", []string{"not UTF-8"}},
		{"unknown left", goodVocab, "x b", []string{"merges.txt", "rule 1", `lacks "x"`}},
		{"unknown right", goodVocab, "#version: 0.2\na b\na x", []string{"rule 2", `lacks "x"`}},
		{"unknown result", goodVocab, "b a", []string{`lacks "ba"`}},
		{"rule twice", goodVocab, "a b\na b", []string{"rule 2", "twice"}},
		{"one token", goodVocab, "a b\nab", []string{"line 2", `"ab" is not a merge rule`}},
		{"three tokens", goodVocab, "a b a", []string{"line 1", "not a merge rule"}},
		{"blank line", goodVocab, "a b\n\na b", []string{"line 2"}},
		{"two spaces", goodVocab, "a  b", []string{"line 1"}},
		{"second header", goodVocab, "#version: 0.2\n#version: 0.2", []string{"rule 1", `lacks "#version:"`}},
		{"not byte-level rule", goodVocab, "▁ b", []string{"line 1", "not byte-level"}},
		{"binary merges", goodVocab, "a b\n\xff\xfe", []string{"merges.txt", "not UTF-8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Load(fstest.MapFS{"vocab.json": {Data: []byte(c.vocab)}, "merges.txt": {Data: []byte(c.merges)}})
			if err == nil {
				t.Fatalf("accepted, with %d tokens", tok.VocabSize())
			}
			for _, part := range append(c.want, "text: reading ") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not say %q: %v", part, err)
				}
			}
		})
	}
}

func TestLoadAccepts(t *testing.T) {
	for _, c := range []struct{ name, vocab, merges string }{
		{"plain", goodVocab, "#version: 0.2\na b\n"},
		{"no header", goodVocab, "a b\n"},
		{"no newline at the end", goodVocab, "a b"},
		{"carriage returns", goodVocab, "#version: 0.2\r\na b\r\n"},
		{"byte order marks", "\ufeff" + goodVocab, "\ufeff#version: 0.2\na b\n"},
		{"blanks in the JSON", " \n" + goodVocab + "\n", "a b\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Load(fstest.MapFS{"vocab.json": {Data: []byte(c.vocab)}, "merges.txt": {Data: []byte(c.merges)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := tok.Encode("ab<mask>", 0); !slices.Equal(got, []int32{0, 6, 7, 2}) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestLoadAbsent(t *testing.T) {
	_, err := Load(fstest.MapFS{})
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("empty folder: %v", err)
	}
	_, err = Load(fstest.MapFS{"vocab.json": {Data: []byte(goodVocab)}})
	if errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "merges.txt") {
		t.Errorf("no merges: %v", err)
	}
}

// endless is a file that never ends.
type endless struct{ fstest.MapFS }

type endlessFile struct{ fs.File }

func (endlessFile) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil
}

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	return endlessFile{f}, err
}

func TestLoadBoundsTheFile(t *testing.T) {
	_, err := Load(endless{fstest.MapFS{"tokenizer.json": {}}})
	if err == nil || !strings.Contains(err.Error(), "tokenizer.json: the file is larger than") {
		t.Errorf("got %v", err)
	}
}

// edit gives the tiny tokenizer.json with one part changed.
func edit(t *testing.T, change func(file map[string]any)) fstest.MapFS {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(tiny(t).Files()["tokenizer.json"], &file); err != nil {
		t.Fatal(err)
	}
	change(file)
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"tokenizer.json": {Data: data}}
}

func TestTokenizerJSON(t *testing.T) {
	type object = map[string]any
	added := func(content string, id int) object { return object{"content": content, "id": id, "special": true} }
	for _, c := range []struct {
		name   string
		want   string // part of the error; "" accepts
		change func(file object)
	}{
		{"unchanged", "", func(object) {}},
		{"older: BPE not named", "", func(f object) { delete(f["model"].(object), "type") }},
		{"newer: rules as pairs", "", func(f object) {
			var pairs [][]string
			for _, rule := range f["model"].(object)["merges"].([]any) {
				pairs = append(pairs, strings.Split(rule.(string), " "))
			}
			f["model"].(object)["merges"] = pairs
		}},
		{"no decoder", "", func(f object) { f["decoder"] = nil }},
		{"padding and truncation are the caller's", "", func(f object) { f["padding"] = object{"strategy": "x"}; f["truncation"] = object{"max_length": 1} }},
		{"one more token", "", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("<obj>", 333)) }},

		{"WordPiece", `model is "WordPiece"`, func(f object) { f["model"] = object{"type": "WordPiece", "vocab": object{}} }},
		{"Unigram", `model is "Unigram"`, func(f object) { f["model"] = object{"type": "Unigram", "vocab": []any{}} }},
		{"no model", "no model", func(f object) { delete(f, "model") }},
		{"model is a list", "not a tokenizer file", func(f object) { f["model"] = []any{} }},
		{"normalizer", `normalizer is "NFC"`, func(f object) { f["normalizer"] = object{"type": "NFC"} }},
		{"pre-tokenizer", `pre_tokenizer is "Metaspace"`, func(f object) { f["pre_tokenizer"] = object{"type": "Metaspace"} }},
		{"no pre-tokenizer", "no pre_tokenizer", func(f object) { f["pre_tokenizer"] = nil }},
		{"post-processor", `post_processor is "TemplateProcessing"`, func(f object) { f["post_processor"] = object{"type": "TemplateProcessing", "single": []any{}} }},
		{"decoder", `decoder is "WordPiece"`, func(f object) { f["decoder"] = object{"type": "WordPiece"} }},
		{"added blank", "pre_tokenizer.add_prefix_space", func(f object) { f["pre_tokenizer"].(object)["add_prefix_space"] = true }},
		{"no pattern", "pre_tokenizer.use_regex", func(f object) { f["pre_tokenizer"].(object)["use_regex"] = false }},
		{"dropout", "model.dropout", func(f object) { f["model"].(object)["dropout"] = 0.1 }},
		{"subword prefix", "model.continuing_subword_prefix", func(f object) { f["model"].(object)["continuing_subword_prefix"] = "##" }},
		{"word suffix", "model.end_of_word_suffix", func(f object) { f["model"].(object)["end_of_word_suffix"] = "</w>" }},
		{"byte fallback", "model.byte_fallback", func(f object) { f["model"].(object)["byte_fallback"] = true }},
		{"merges ignored", "model.ignore_merges", func(f object) { f["model"].(object)["ignore_merges"] = true }},
		{"another sep", "post_processor.sep", func(f object) { f["post_processor"].(object)["sep"] = []any{"</s>", 3} }},
		{"another cls", "post_processor.cls", func(f object) { f["post_processor"].(object)["cls"] = []any{"[CLS]", 0} }},
		{"sep is no pair", "not a token with its id", func(f object) { f["post_processor"].(object)["sep"] = []any{"</s>"} }},
		{"no vocabulary", "model.vocab", func(f object) { delete(f["model"].(object), "vocab") }},
		{"rule of three", "not a merge rule", func(f object) { f["model"].(object)["merges"] = []any{"a b c"} }},
		{"rule of one", "two tokens", func(f object) { f["model"].(object)["merges"] = []any{[]any{"a"}} }},
		{"rule is a number", "not a tokenizer file", func(f object) { f["model"].(object)["merges"] = []any{1} }},
		{"unknown rule", "lacks", func(f object) { f["model"].(object)["merges"] = []any{"q z"} }},
		{"no added tokens", "added_tokens: the special tokens", func(f object) { f["added_tokens"] = nil }},
		{"added id beyond", "0 to 333", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("<obj>", 999)) }},
		{"added id taken", "stands for two tokens", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("<obj>", 300)) }},
		{"added id differs", "but 101 in the vocabulary", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("a", 333)) }},
		{"added id negative", "-1", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("<obj>", -1)) }},
		{"added twice", "appears twice", func(f object) {
			f["added_tokens"] = append(f["added_tokens"].([]any), added("<obj>", 333), added("<obj>", 333))
		}},
		{"added is empty", "0 bytes", func(f object) { f["added_tokens"] = append(f["added_tokens"].([]any), added("", 333)) }},
		{"added is long", "257 bytes", func(f object) {
			f["added_tokens"] = append(f["added_tokens"].([]any), added(strings.Repeat("x", 257), 333))
		}},
		{"single word", "single_word", func(f object) {
			a := added("<obj>", 333)
			a["single_word"] = true
			f["added_tokens"] = append(f["added_tokens"].([]any), a)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Load(edit(t, c.change))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tokenizer.json") {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range referenceCases(t)["tiny"] {
				if got := r.encode(tok); !slices.Equal(got, r.IDs) {
					t.Errorf("%q: got %v, want %v", r.Text, got, r.IDs)
				}
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for name, get := range map[string]func(testing.TB) *Tokenizer{
		"trained": tiny, "roberta": roberta,
		"with more added tokens": func(testing.TB) *Tokenizer {
			tok, err := Load(edit(t, func(f map[string]any) {
				f["added_tokens"] = append(f["added_tokens"].([]any), map[string]any{"id": 333, "content": "物 <", "rstrip": true, "special": false})
			}))
			if err != nil {
				t.Fatal(err)
			}
			return tok
		},
	} {
		t.Run(name, func(t *testing.T) {
			tok := get(t)
			files := tok.Files()
			back, err := Load(asFS(files))
			if err != nil {
				t.Fatal(err)
			}
			if back.Specials != tok.Specials || !slices.Equal(back.model.tokens, tok.model.tokens) ||
				!slices.Equal(back.model.rules, tok.model.rules) || !slices.Equal(back.added.all, tok.added.all) {
				t.Error("the tokenizer that was read back differs")
			}
			for name, data := range back.Files() {
				if !bytes.Equal(data, files[name]) {
					t.Errorf("%s differs when saved again", name)
				}
			}
			if name == "with more added tokens" {
				if got := back.Decode(back.Encode("a物 < \n b", 0)); got != "a物 <b" {
					t.Errorf("got %q", got)
				}
				return
			}
			delete(files, "tokenizer.json") // vocab.json and merges.txt alone
			back, err = Load(asFS(files))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range referenceCases(t)["tiny"] {
				if !slices.Equal(c.encode(back), c.encode(tok)) {
					t.Errorf("%q differs", c.Text)
				}
			}
		})
	}
}

// TestHostile gives every file of the shared corpus a verdict within its limit.
func TestHostile(t *testing.T) {
	dir := shared.Path(t, "fixtures", "hostile")
	f, err := os.Open(path.Join(dir, "hostile.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range rows[1:] {
		name, kind, allowed := row[0], row[1], strings.Split(row[2], "|")
		if kind != "tokenizer" {
			continue
		}
		n++
		t.Run(path.Base(name), func(t *testing.T) {
			start := time.Now()
			err := Check(os.DirFS(dir), name)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			verdict := "accept"
			if err != nil {
				verdict = "refuse"
				if !strings.Contains(err.Error(), path.Base(name)) {
					t.Errorf("the error does not name the file: %v", err)
				}
			}
			t.Logf("%s: %v", verdict, err)
			if !slices.Contains(allowed, verdict) {
				t.Errorf("%s (%v), allowed: %s", verdict, err, row[2])
			}
		})
	}
	if n == 0 {
		t.Error("no tokenizer files")
	}
}

func TestCheck(t *testing.T) {
	files := asFS(tiny(t).Files())
	files["alone/merges.txt"] = &fstest.MapFile{Data: []byte("q z\n")}
	files["alone/bad.txt"] = &fstest.MapFile{Data: []byte("q\n")}
	files["beside/merges.txt"] = &fstest.MapFile{Data: []byte("q z\n")}
	files["beside/vocab.json"] = &fstest.MapFile{Data: []byte(goodVocab)}
	for _, c := range []struct {
		file string
		ok   bool
	}{
		{"tokenizer.json", true}, {"vocab.json", true}, {"merges.txt", true},
		{"alone/merges.txt", true}, {"alone/bad.txt", false}, {"beside/merges.txt", false}, {"beside/vocab.json", true},
		{"absent.json", false}, {"absent.txt", false}, {"alone", false},
	} {
		t.Run(c.file, func(t *testing.T) {
			err := Check(files, c.file)
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), c.file) {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}
