package text

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestTrainByHand follows the trainer through small texts. A byte's id is
// 4 + its value, so 'a' is 101, 'b' 102, 'c' 103, 'd' 104 and the blank 36.
func TestTrainByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		size  int
		rules [][2]string
		text  string
		want  []int32
	}{
		{
			// "abab" and " abab": a b four times, then ab ab twice, then nothing twice.
			"until nothing meets twice", []string{"abab abab"}, 1000,
			[][2]string{{"a", "b"}, {"ab", "ab"}}, " abab", []int32{0, 36, 261, 2},
		},
		{
			"the size is a limit", []string{"abab abab"}, 262,
			[][2]string{{"a", "b"}}, "abab", []int32{0, 260, 260, 2},
		},
		{
			// c d and a b twice each: the smaller ids first.
			"ties by ids", []string{"cd", "cd", "ab", "ab"}, 262,
			[][2]string{{"a", "b"}}, "cdab", []int32{0, 103, 104, 260, 2},
		},
		{
			// "aaa": a a counts as 2 a word, so 4; joined once a word; then aa a twice.
			"pairs that overlap", []string{"aaa", "aaa"}, 1000,
			[][2]string{{"a", "a"}, {"aa", "a"}}, "aaaa", []int32{0, 260, 260, 2},
		},
		{
			"special tokens teach nothing", []string{"<mask><mask>", "<s>b</s><s>b</s>"}, 1000,
			nil, "<mask>b", []int32{0, 260, 102, 2},
		},
		{
			"what is seen once teaches nothing", []string{"abcd"}, 1000,
			nil, "ab", []int32{0, 101, 102, 2},
		},
		{"nothing to learn from", nil, 261, nil, "a", []int32{0, 101, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Train(t.Context(), slices.Values(c.texts), c.size)
			if err != nil {
				t.Fatal(err)
			}
			var rules [][2]string
			for _, r := range tok.model.rules {
				rules = append(rules, [2]string{tok.model.tokens[r.left], tok.model.tokens[r.right]})
			}
			if !slices.Equal(rules, c.rules) {
				t.Errorf("rules %q, want %q", rules, c.rules)
			}
			mask := int32(firstByte + 256 + len(c.rules))
			if want := (Specials{0, 1, 2, 3, mask}); tok.Specials != want || tok.VocabSize() != int(mask)+1 {
				t.Errorf("%d tokens, special ids %v", tok.VocabSize(), tok.Specials)
			}
			if got := tok.Encode(c.text, 0); !slices.Equal(got, c.want) {
				t.Errorf("%q: got %v, want %v", c.text, got, c.want)
			}
		})
	}
}

// TestTrainAgainstDefinition recounts all pairs after every join.
func TestTrainAgainstDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var texts []string
	for range 200 {
		var s strings.Builder
		for range 5 + random.IntN(40) {
			s.WriteByte("aaab bc"[random.IntN(7)])
		}
		texts = append(texts, s.String())
	}
	tok, err := Train(t.Context(), slices.Values(texts), 400)
	if err != nil {
		t.Fatal(err)
	}
	words, err := countWords(t.Context(), slices.Values(texts))
	if err != nil {
		t.Fatal(err)
	}
	m := tok.model
	known := make(map[pair]bool)
	rules := m.rules
	for len(rules) > 0 {
		counts := make(map[pair]int)
		for _, w := range words {
			for i := range len(w.symbols) - 1 {
				counts[pairOf(w.symbols[i], w.symbols[i+1])] += w.count
			}
		}
		var best pair
		for p, n := range counts {
			if n > counts[best] || n == counts[best] && p < best {
				best = p
			}
		}
		left, right := best.split()
		joined := m.ids[m.tokens[left]+m.tokens[right]]
		if !known[best] {
			known[best] = true
			if want := (rule{left, right, joined}); rules[0] != want {
				t.Fatalf("rule %d joins %q, want %q", len(m.rules)-len(rules), m.tokens[rules[0].joined], m.tokens[joined])
			}
			rules = rules[1:]
		}
		for i, w := range words {
			for j := 0; j < len(w.symbols)-1; j++ {
				if w.symbols[j] == left && w.symbols[j+1] == right {
					w.symbols = slices.Replace(w.symbols, j, j+2, joined)
				}
			}
			words[i] = w
		}
	}
	if len(m.rules) < 100 {
		t.Errorf("only %d rules", len(m.rules))
	}
}

func TestTrainIsDeterministic(t *testing.T) {
	texts := tinyTexts()
	want := tiny(t).Files()
	for seed := range uint64(5) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		tok, err := Train(t.Context(), slices.Values(texts), 340)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range tok.Files() {
			if string(data) != string(want[name]) {
				t.Errorf("order %d: %s differs", seed, name)
			}
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	for _, size := range []int{-1, 0, 260, maxEntries + 1} {
		if _, err := Train(t.Context(), slices.Values([]string{"a"}), size); err == nil {
			t.Errorf("a vocabulary of %d passed", size)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var forever iter.Seq[string] = func(yield func(string) bool) {
		for i := 0; yield("a b"); i++ {
			if i == 10 {
				cancel()
			}
		}
	}
	if _, err := Train(ctx, forever, 300); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTrainHardTexts has what is slow or fatal where words are unbounded.
func TestTrainHardTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	raw := make([]byte, 1<<17)
	for i := range raw {
		raw[i] = byte(random.IntN(256))
	}
	texts := []string{strings.Repeat("a", 1<<20), strings.Repeat("日本語", 1<<15), string(raw), "\xff\xfe", "", "\x00"}
	tok, err := Train(t.Context(), slices.Values(texts), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range texts {
		want := strings.ToValidUTF8(s, "\ufffd")
		if got := tok.Decode(tok.Encode(s, 0)); got != want {
			t.Errorf("%.20q does not decode to itself", s)
		}
	}
}
