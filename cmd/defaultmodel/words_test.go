//go:build !js

package main

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"duet/model/data"
	"duet/model/shared"
)

// TestWordsNameNoClass reads the real texts and looks for the classes' names in
// what would stand beside their photographs.
func TestWordsNameNoClass(t *testing.T) {
	w, err := readWords(os.DirFS(shared.Path(t, "data")))
	if err != nil {
		t.Fatal(err)
	}
	if len(w.captions) < 20_000 || len(w.descriptions) != 81 {
		t.Fatalf("%d captions, %d descriptions", len(w.captions), len(w.descriptions))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, names := range [][]string{{"car_side"}, {"Apple", "Royal-Gala"}, {"Sour-Milk", "Arla-Sour-Milk"}, {"umbrella"}, {"Oatghurt"}} {
		kinds := map[string]bool{}
		for range 50 {
			for _, text := range w.beside(r, names...) {
				for _, name := range names {
					for _, part := range strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == '-' || c == '_' }) {
						if strings.Contains(strings.ToLower(text), strings.TrimSuffix(part, "s")) {
							t.Errorf("beside %v stands %q", names, text)
						}
					}
				}
				if len(strings.Fields(text)) > longest {
					t.Errorf("%q is long", text)
				}
				kinds[text] = true
			}
		}
		if len(kinds) < 100 {
			t.Errorf("beside %v stand only %d different texts", names, len(kinds))
		}
	}
}

// TestCaption holds words to be absent for half the examples.
func TestCaption(t *testing.T) {
	w := words{captions: []string{"two people walk"}, descriptions: []string{"sweet and juicy. Grown in Spain."}, questions: []string{"is it red?"}}
	c := &data.Collection{Classes: []string{"ant", "bee"}}
	out := w.caption(c, []data.Example{{Label: 0, Captions: []string{"an ant"}}, {Label: 1}}, func(data.Example) []string { return nil }, 1)
	silent := 0
	for _, e := range out {
		if len(e.Captions) == 0 {
			silent++
		}
		for _, s := range e.Captions {
			if s == "an ant" || s == "sweet and juicy. Grown in Spain." {
				t.Errorf("%q stands beside a photograph", s)
			}
		}
	}
	if len(out) != 8 || silent != 4 {
		t.Errorf("%d examples, %d of them without words", len(out), silent)
	}
}
