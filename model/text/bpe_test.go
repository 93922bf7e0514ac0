package text

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMergeByHand has vocabularies small enough to follow each rule.
func TestMergeByHand(t *testing.T) {
	specials := []string{"<s>", "<pad>", "</s>", "<unk>"} // 0 to 3
	for _, c := range []struct {
		name   string
		tokens []string // from 4
		merges string
		text   string
		want   []string
	}{
		{"ties are joined from the left", []string{"a", "aa"}, "a a", "aaa", []string{"aa", "a"}},
		{"pairs do not overlap", []string{"a", "aa"}, "a a", "aaaaa", []string{"aa", "aa", "a"}},
		{"rank goes before place", []string{"a", "b", "c", "ab", "bc"}, "b c\na b", "abc", []string{"a", "bc"}},
		{"the other way round", []string{"a", "b", "c", "ab", "bc"}, "a b\nb c", "abc", []string{"ab", "c"}},
		{"rules build on rules", []string{"a", "b", "c", "ab", "abc"}, "a b\nab c", "abcab", []string{"abc", "ab"}},
		{"a token without a rule is not reached", []string{"a", "b", "ab"}, "", "ab", []string{"a", "b"}},
		{"an earlier rule on a later token", []string{"a", "b", "ab", "abab"}, "ab ab\na b", "ababab", []string{"abab", "ab"}},
		{"words are merged apart", []string{"a", "b", "Ġ", "ab"}, "a b", "a b", []string{"a", "Ġ", "b"}},
		{"the blank is a byte like any", []string{"a", "Ġ", "Ġa"}, "Ġ a", " a a", []string{"Ġa", "Ġa"}},
		{"bytes, not characters", []string{"Ã", "©", "Ã©"}, "Ã ©", "é", []string{"Ã©"}},
		{"an absent byte is unknown", []string{"a"}, "", "aé", []string{"a", "<unk>", "<unk>"}},
		{"rules that begin with #", []string{"#", "##"}, "#version: 0.2\n# #", "###", []string{"##", "#"}},
		{"a first rule that begins with #", []string{"#", "##"}, "# #", "##", []string{"##"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tokens := slices.Concat(specials, c.tokens, []string{"<mask>"})
			tok, err := Load(folder(t, c.merges, tokens...))
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Concat([]string{"<s>"}, c.want, []string{"</s>"})
			if got := tok.Tokens(tok.Encode(c.text, 0)); !slices.Equal(got, want) {
				t.Errorf("%q: got %q, want %q", c.text, got, want)
			}
		})
	}
}

// TestMergeAgainstDefinition compares the heap with the definition, spelt out:
// join the leftmost pair of lowest rank until there is none.
func TestMergeAgainstDefinition(t *testing.T) {
	m := tiny(t).model
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		raw := make([]byte, 1+random.IntN(30))
		for i := range raw {
			raw[i] = " aehlrst.\nd"[random.IntN(11)]
		}
		var want []int32
		for _, b := range raw {
			want = append(want, m.bytes[b])
		}
		for {
			best, at := int32(len(m.rules)), -1
			for i := range len(want) - 1 {
				if rank, ok := m.ranks[pairOf(want[i], want[i+1])]; ok && rank < best {
					best, at = rank, i
				}
			}
			if at < 0 {
				break
			}
			want = slices.Replace(want, at, at+2, m.rules[best].joined)
		}
		tokens, err := m.Tokenize(string(raw))
		if err != nil {
			t.Fatal(err)
		}
		end := 0
		var got []int32
		for _, token := range tokens {
			got = append(got, int32(token.Id))
			if token.Offsets[0] != end || spell(string(raw[token.Offsets[0]:token.Offsets[1]])) != token.Value {
				t.Fatalf("%q: token %q has offsets %v", raw, token.Value, token.Offsets)
			}
			end = token.Offsets[1]
		}
		if end != len(raw) || !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", raw, got, want)
		}
	}
}

// TestLongWord fails for a merge that is quadratic: that takes hours.
func TestLongWord(t *testing.T) {
	tok := tiny(t)
	for name, word := range map[string]string{
		"one letter":   strings.Repeat("a", 1<<20),
		"rules apply":  strings.Repeat("there", 1<<18),
		"blanks":       strings.Repeat(" ", 1<<20),
		"newlines":     strings.Repeat("\n", 1<<20),
		"almost masks": strings.Repeat("<mask", 1<<18),
		"masks":        strings.Repeat(" <mask>", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			ids := tok.Encode(word, 0)
			took := time.Since(start)
			t.Logf("%d bytes, %d ids, %v", len(word), len(ids), took)
			if took > 20*time.Second {
				t.Errorf("%v for %d bytes", took, len(word))
			}
			if name != "masks" && tok.Decode(ids) != word {
				t.Error("does not decode to itself")
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	m := tiny(t).model
	word := make([]byte, 0, 8)
	for i := range 3 * cachedWords {
		word = append(word[:0], byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), byte('a'+i/17576))
		if _, err := m.Tokenize(string(word)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.cache.words); n == 0 || n > cachedWords {
		t.Errorf("the cache holds %d words", n)
	}
	if _, err := m.Tokenize(strings.Repeat("ab", cachedWord)); err != nil {
		t.Fatal(err)
	}
	for word := range m.cache.words {
		if len(word) > cachedWord {
			t.Errorf("the cache holds a word of %d bytes", len(word))
		}
	}
}

func TestSaveModel(t *testing.T) {
	tok := tiny(t)
	dir := t.TempDir()
	for _, prefix := range []string{"", "mine"} {
		if err := tok.model.Save(dir, prefix); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"merges.txt", "mine-merges.txt", "mine-vocab.json", "vocab.json"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	back, err := Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.model.tokens, tok.model.tokens) || !slices.Equal(back.model.rules, tok.model.rules) {
		t.Error("the saved model differs")
	}
	if err := tok.model.Save(dir + "/absent"); err == nil {
		t.Error("saved into a folder that is not there")
	}
}
