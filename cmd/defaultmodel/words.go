//go:build !js

package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"unicode"

	"duet/assets"
	"duet/model/data"
)

// neutral words say nothing about what a photograph shows.
var neutral = []string{
	"what is in the picture?", "what is in this photo?", "what is this?", "what do you see?", "what does the picture show?",
	"which object is this?", "what kind of thing is it?", "name what you see.", "describe the picture.", "a photo.", "a picture.",
	"photograph", "an image of something", "look at this.", "what have I photographed here?", "do you know what this is?",
}

// words are the texts beside photographs and for the vocabulary.
type words struct {
	captions     []string // of photographs of other collections
	descriptions []string // of groceries
	questions    []string // of the drawn collection
}

// readWords reads the captions and descriptions under the folder of the data.
func readWords(root fs.FS) (*words, error) {
	w := words{questions: assets.Corpus()}
	file, err := root.Open("text/coco_val2017_captions.txt.gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("text/coco_val2017_captions.txt.gz: %w", err)
	}
	lines := bufio.NewScanner(unpacked)
	for lines.Scan() {
		w.captions = append(w.captions, strings.TrimSpace(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("text/coco_val2017_captions.txt.gz: %w", err)
	}
	raw, err := fs.ReadFile(root, "grocery_store/descriptions.json")
	if err != nil {
		return nil, err
	}
	var list []struct{ Description string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("grocery_store/descriptions.json: %w", err)
	}
	for _, d := range list {
		w.descriptions = append(w.descriptions, d.Description)
	}
	return &w, nil
}

// corpus yields all texts that the vocabulary is learnt from.
func (w *words) corpus(yield func(string) bool) {
	for _, list := range [][]string{w.descriptions, w.captions, w.questions, neutral} {
		for _, s := range list {
			if !yield(s) {
				return
			}
		}
	}
}

// longest is how many words a text beside a photograph has at most: long ones
// would make every batch of short questions as slow.
const longest = 14

// beside returns alternatives of words for a photograph of a class: neutral
// ones, and others that belong to other pictures, so that the model learns that
// words do not name what a photograph shows. None holds a word of the class's
// names.
func (w *words) beside(r *rand.Rand, names ...string) []string {
	var forbidden []string
	for _, name := range names {
		for _, part := range strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) }) {
			if len(part) > 2 {
				forbidden = append(forbidden, strings.TrimSuffix(part, "s"))
			}
		}
	}
	allowed := func(s string) bool {
		lower := strings.ToLower(s)
		for _, part := range forbidden {
			if strings.Contains(lower, part) {
				return false
			}
		}
		return true
	}
	var out []string
	for i := 0; len(out) < 12; i++ {
		s := neutral[r.IntN(len(neutral))]
		switch i % 6 {
		case 1, 3:
			s = w.captions[r.IntN(len(w.captions))]
		case 2:
			s, _, _ = strings.Cut(w.descriptions[r.IntN(len(w.descriptions))], ".")
		case 4:
			s = w.questions[r.IntN(len(w.questions))]
		}
		if len(strings.Fields(s)) <= longest && allowed(s) {
			out = append(out, s)
		}
	}
	return out
}

// caption gives photographs their words. Each example becomes four: two without
// any, and two with alternatives of which each epoch takes one.
func (w *words) caption(c *data.Collection, examples []data.Example, names func(data.Example) []string, seed uint64) []data.Example {
	r := rand.New(rand.NewPCG(seed, 0xd0e7))
	var out []data.Example
	for _, e := range examples {
		e.Captions = nil
		out = append(out, e, e)
		for range 2 {
			e.Captions = w.beside(r, append(names(e), c.Classes[e.Label])...)
			out = append(out, e)
		}
	}
	return out
}
