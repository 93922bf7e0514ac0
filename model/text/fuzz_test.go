package text

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func FuzzLoad(f *testing.F) {
	// Small seeds: the fuzzer spends its time on shortening long ones.
	f.Add([]byte(nil), []byte(goodVocab), []byte("#version: 0.2\r\na b\r\n"))
	f.Add([]byte(nil), []byte(goodVocab), []byte("a b"))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":`+goodVocab+`,"merges":[["a","b"]]},"pre_tokenizer":{"type":"ByteLevel"},`+
		`"post_processor":{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0]},"added_tokens":[{"id":0,"content":"<s>"},`+
		`{"id":1,"content":"<pad>"},{"id":2,"content":"</s>"},{"id":3,"content":"<unk>"},{"id":7,"content":"<mask>","lstrip":true}]}`), []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, file, vocab, merges []byte) {
		fsys := make(fstest.MapFS)
		for name, data := range map[string][]byte{tokenizerName: file, vocabName: vocab, mergesName: merges} {
			if len(data) > 0 {
				fsys[name] = &fstest.MapFile{Data: data}
				_ = Check(fsys, name)
			}
		}
		tok, err := Load(fsys)
		if err != nil {
			if tok != nil {
				t.Error("an error and a tokenizer")
			}
			return
		}
		saved := tok.Files()
		back, err := Load(asFS(saved))
		if err != nil {
			t.Fatalf("what was saved is refused: %v", err)
		}
		for name, data := range back.Files() {
			if !bytes.Equal(data, saved[name]) {
				t.Errorf("%s differs when saved again", name)
			}
		}
		for _, s := range []string{"ab <mask> b", "  a\n", "é\xff", strings.Join(tok.model.tokens[:min(len(tok.model.tokens), 50)], " ")} {
			ids := tok.Encode(s, 0)
			if !slices.Equal(ids, back.Encode(s, 0)) {
				t.Errorf("%q differs after saving", s)
			}
			for _, id := range ids {
				if id < 0 || int(id) >= tok.VocabSize() {
					t.Errorf("%q has the id %d of %d", s, id, tok.VocabSize())
				}
			}
			tok.Decode(ids)
		}
	})
}

func FuzzEncode(f *testing.F) {
	tok := tiny(f)
	for _, c := range referenceCases(f)["tiny"] {
		f.Add(c.Text, c.MaxLen)
	}
	f.Add("a\xc3<mask>\xff", 5)
	special := regexp.MustCompile(`[\s\v\x{85}\pZ]*<mask>|<s>|<pad>|</s>|<unk>`)
	f.Fuzz(func(t *testing.T, s string, maxLen int) {
		full := tok.Encode(s, 0)
		// Special tokens in the text are left out by Decode; the rest comes back.
		valid := strings.ToValidUTF8(s, "\ufffd")
		if got, want := tok.Decode(full), special.ReplaceAllString(valid, ""); got != want {
			t.Errorf("%q decodes to %q, want %q", s, got, want)
		}
		if full[0] != tok.BOS || full[len(full)-1] != tok.EOS {
			t.Errorf("%q: %v", s, full)
		}
		want := full
		if maxLen > 0 && len(full) > max(maxLen, 2) {
			want = append(slices.Clone(full[:max(maxLen, 2)-1]), tok.EOS)
		}
		if got := tok.Encode(s, maxLen); !slices.Equal(got, want) {
			t.Errorf("%q cut to %d: got %v, want %v", s, maxLen, got, want)
		}
		pair := tok.EncodePair(s, s, maxLen)
		if maxLen > 0 && len(pair) > max(maxLen, 4) || pair[0] != tok.BOS || pair[len(pair)-1] != tok.EOS {
			t.Errorf("pair of %q cut to %d: %v", s, maxLen, pair)
		}
	})
}
