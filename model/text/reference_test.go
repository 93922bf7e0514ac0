package text

import (
	"encoding/json"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/sugarme/tokenizer"

	"duet/model/shared"
)

type referenceCase struct {
	Text   string  `json:"text"`
	Pair   *string `json:"pair"`
	MaxLen int     `json:"max_len"`
	IDs    []int32 `json:"ids"`
}

func (c referenceCase) encode(t *Tokenizer) []int32 {
	if c.Pair != nil {
		return t.EncodePair(c.Text, *c.Pair, c.MaxLen)
	}
	return t.Encode(c.Text, c.MaxLen)
}

// referenceCases are the ids of Hugging Face's library; see testdata/README.md.
func referenceCases(t testing.TB) map[string][]referenceCase {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string][]referenceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestReference(t *testing.T) {
	all := referenceCases(t)
	for name, get := range map[string]func(testing.TB) *Tokenizer{"tiny": tiny, "roberta": roberta} {
		t.Run(name, func(t *testing.T) {
			tok := get(t)
			if len(all[name]) < 100 {
				t.Fatalf("%d cases", len(all[name]))
			}
			for _, c := range all[name] {
				if got := c.encode(tok); !slices.Equal(got, c.IDs) {
					t.Errorf("%q (max %d)\n got %v %q\nwant %v %q", c.Text, c.MaxLen, got, tok.Tokens(got), c.IDs, tok.Tokens(c.IDs))
				}
			}
		})
	}
}

func TestSharedGolden(t *testing.T) {
	tok := roberta(t)
	if n := tok.VocabSize(); n != 50265 {
		t.Errorf("%d tokens, want 50265", n)
	}
	if want := (Specials{0, 1, 2, 3, 50264}); tok.Specials != want {
		t.Errorf("special ids %v, want %v", tok.Specials, want)
	}
	data, err := os.ReadFile(shared.Path(t, "fixtures", "roberta_tokenizer", "golden_ids.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []referenceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		got := tok.Encode(c.Text, 0)
		if !slices.Equal(got, c.IDs) {
			t.Errorf("%q\n got %v %q\nwant %v %q", c.Text, got, tok.Tokens(got), c.IDs, tok.Tokens(c.IDs))
		}
		if back := tok.Decode(got); back != c.Text {
			t.Errorf("%q decodes to %q", c.Text, back)
		}
	}
}

// TestPipeline runs our stages in the module's own pipeline, with its own
// strings and alignments.
func TestPipeline(t *testing.T) {
	tok := tiny(t)
	pipeline := tokenizer.NewTokenizer(tok.model)
	pipeline.WithPreTokenizer(PreTokenizer{added: tok.added})
	pipeline.WithPostProcessor(tok.post)
	for _, c := range referenceCases(t)["tiny"] {
		if c.Text == "" || c.MaxLen > 0 {
			continue
		}
		input := tokenizer.NewSingleEncodeInput(tokenizer.NewInputSequence(c.Text))
		if c.Pair != nil {
			if *c.Pair == "" {
				continue
			}
			input = tokenizer.NewDualEncodeInput(tokenizer.NewInputSequence(c.Text), tokenizer.NewInputSequence(*c.Pair))
		}
		e, err := pipeline.Encode(input, true)
		if err != nil {
			t.Fatalf("%q: %v", c.Text, err)
		}
		if got := ids32(e); !slices.Equal(got, c.IDs) {
			t.Errorf("%q: got %v, want %v", c.Text, got, c.IDs)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	tok := tiny(t)
	cases := referenceCases(t)["tiny"]
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range cases {
				c := cases[(i+17*worker)%len(cases)]
				if got := c.encode(tok); !slices.Equal(got, c.IDs) {
					t.Errorf("%q: got %v, want %v", c.Text, got, c.IDs)
				}
			}
		})
	}
	wg.Wait()
}
