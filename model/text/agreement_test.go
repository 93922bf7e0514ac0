//go:build !js

package text

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"duet/model/shared"
	"duet/wasm/node"
)

// generatedTexts are n texts of everything that a tokenizer may stumble over,
// the same for the same seed.
func generatedTexts(n int, seed uint64) []string {
	rng := rand.New(rand.NewPCG(seed, 0))
	pick := func(from []string) string { return from[rng.IntN(len(from))] }
	out := make([]string, n)
	for i := range out {
		var s strings.Builder
		pieces := 1 + rng.IntN(10)
		for range pieces {
			switch rng.IntN(10) {
			case 0, 1, 2:
				s.WriteString(pick(plainPieces))
			case 3:
				s.WriteString(pick(blankPieces))
			case 4:
				s.WriteString(pick(emojiPieces))
			case 5:
				s.WriteString(pick(scriptPieces))
			case 6:
				s.WriteString(pick(specialPieces))
			case 7:
				s.WriteString(strings.Repeat(pick(repeatedPieces), 1+rng.IntN(12)))
			case 8:
				s.WriteRune(rune(rng.IntN(0x100))) // controls and Latin-1
			case 9:
				s.WriteRune(assigned(rng))
			}
			if rng.IntN(3) == 0 {
				s.WriteByte(' ')
			}
		}
		out[i] = s.String()
	}
	return out
}

var (
	plainPieces = []string{"a", "dog", "Dogs", "the picture", "what's", "they're", "I'LL", "don't", "'s", "'", "''d", "can't've", "U.S.A.",
		"hello,world", "e-mail@example.org", "3.14", "1,000,000", "2nd", "x²", "½", "№5", "C++", "#tag", "_under_score_", "\"quoted\"", "(a)",
		"https://example.org/a?b=c&d", "camelCase", "ÀÉÎÕÜ", "ß", "œuvre", "ﬁ", "Ångström", "I’m", "“so”", "…", "—", "*", "\\n", "$5", "€7", "%"}
	blankPieces = []string{" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\n \n", "\t\t ", "\u00a0", "\u00a0\u00a0", "\u2003", "\u3000", "\u2028", "\u2029",
		"\v", "\f", "\u1680", "\u202f", "\u205f", "\u200b", "\u2060"}
	emojiPieces  = []string{"🙂", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇳", "🇫🇷🇩🇪", "1️⃣", "❤️", "☺", "🫠", "🦊🦊🦊", "🤷🏿‍♀️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "©", "™"}
	scriptPieces = []string{"一只狗在草地上", "日本語のテキスト", "カタカナ", "ｶﾅ", "한국어", "각", "مرحبا بالعالم", "مَرْحَبًا", "שלום", "שָׁלוֹם", "नमस्ते", "क्षि", "สวัสดี", "Привет", "Ελληνικά",
		"Ünïcödé", "cafe\u0301", "a\u0308\u0323", "e\u0301\u0301\u0301", "𝕳𝖊𝖑𝖑𝖔", "𠮷野家", "ａｂｃ１２３", "٣٤٥", "४५", "Ⅷ", "①②", "ǅ", "İ", "ı", "ſ"}
	specialPieces  = []string{"<s>", "</s>", "<pad>", "<unk>", "<mask>", " <mask>", "<mask> ", "  <mask>  ", "\n<mask>", "<MASK>", "<mas", "mask>", "< s>", "<s><s>", "</s></s>", "<|endoftext|>", "<<s>>", "a<s>b", "<s"}
	repeatedPieces = []string{"a", "o", "ha", ".", "!", "?!", "-", "=", "é", "🙂", "的", "0", "12", " ", "\n", "\t", "#", "'", "'s", "<", "\u0301", "Ġ", "Ċ"}
)

// assigned is a character that Unicode has, from anywhere.
func assigned(rng *rand.Rand) rune {
	for {
		limit := 0x3000
		if rng.IntN(2) == 0 {
			limit = 0x20000
		}
		r := rune(rng.IntN(limit))
		if unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf) {
			return r
		}
	}
}

// realTexts are captions, questions and reviews of the reference data; none
// where it is absent.
func realTexts(t testing.TB) (out []string) {
	t.Helper()
	root := filepath.Join(shared.Path(t, "data"))
	for _, name := range []string{"photos/photos.tsv", "flickr8k/matching_dev.tsv", "nlvr/dev.tsv", "text/sst2_dev.tsv", "text/rt-polarity.neg", "coco_mini/captions.tsv"} {
		f, err := os.Open(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n := 0; n < 500 && lines.Scan(); n++ {
			out = append(out, strings.ToValidUTF8(lines.Text(), "�"))
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// theirs encodes texts with Hugging Face's tokenizer, from the files that ours
// writes.
func theirs(t testing.TB, tok *Tokenizer, texts []string) (ids [][]int32) {
	t.Helper()
	files := tok.Files()
	node.Test(t, "tokenize.mjs", "@huggingface/tokenizers", map[string]any{
		"tokenizer": json.RawMessage(files[tokenizerName]), "config": json.RawMessage(files["tokenizer_config.json"]), "texts": texts,
	}, &ids)
	if len(ids) != len(texts) {
		t.Fatalf("ids of %d texts, want %d", len(ids), len(texts))
	}
	return ids
}

// TestAgreement encodes thousands of texts with Hugging Face's own tokenizer for
// JavaScript. There \s is JavaScript's, which lacks U+0085 and has U+FEFF; in
// the library that models are trained with, as in ours, it is Unicode's, so texts
// with either are left to testdata/reference.json.
func TestAgreement(t *testing.T) {
	t.Run("tiny", func(t *testing.T) { agree(t, tiny(t), generatedTexts(6000, 1)) })
	t.Run("roberta", func(t *testing.T) { agree(t, roberta(t), append(generatedTexts(6000, 2), realTexts(t)...)) })
}

func agree(t *testing.T, tok *Tokenizer, texts []string) {
	texts = slices.DeleteFunc(texts, func(s string) bool { return strings.ContainsAny(s, "\u0085\ufeff") })
	wrong := 0
	for i, want := range theirs(t, tok, texts) {
		if got := tok.Encode(texts[i], 0); !slices.Equal(got, want) {
			wrong++
			if wrong <= 20 {
				t.Errorf("%q\n got %v %q\nwant %v %q", texts[i], got, tok.Tokens(got), want, tok.Tokens(want))
			}
		}
	}
	t.Logf("%d texts, %d mismatches", len(texts), wrong)
	if len(texts) < 5000 {
		t.Error("fewer than 5000 texts were compared")
	}
}
