package text

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// firstByte is the id of the byte 0 in a trained vocabulary: the bytes follow
	// the special tokens but <mask>, which is last.
	firstByte = 4
	minVocab  = firstByte + 256 + 1

	// minCount is how often two neighbours must meet for a rule to be learnt:
	// what was seen once is no pattern.
	minCount = 2

	// trainedWord is how many bytes of a word are learnt from as one: longer
	// ones (a whole line without a blank) are cut there.
	trainedWord = 1024
)

// Train learns a byte-level BPE vocabulary of at most vocabSize tokens, which
// must be 261 or more: <s> 0, <pad> 1, </s> 2, <unk> 3, the 256 bytes from 4,
// then a token for each rule, <mask> last. It learns fewer where no two
// neighbours meet twice any more. The same texts give the same vocabulary: of
// equally frequent pairs the one with the smaller ids is joined first, and the
// order of the texts does not matter. It stops with ctx's error.
func Train(ctx context.Context, texts iter.Seq[string], vocabSize int) (*Tokenizer, error) {
	if vocabSize < minVocab || vocabSize > maxEntries {
		return nil, fmt.Errorf("text: training a tokenizer: a vocabulary of %d tokens; %d to %d are possible", vocabSize, minVocab, maxEntries)
	}
	words, err := countWords(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("text: training a tokenizer: %w", err)
	}
	model, err := learn(ctx, words, vocabSize-1)
	if err != nil {
		return nil, fmt.Errorf("text: training a tokenizer: %w", err)
	}
	model.addToken(maskToken)
	t, err := newTokenizer(model, robertaAdded(model.ids))
	if err != nil {
		return nil, fmt.Errorf("text: training a tokenizer: %w", err)
	}
	return t, nil
}

// word is a word of the texts as it is merged, and how often it occurs.
type word struct {
	symbols []int32
	count   int
}

// countWords splits texts as encoding does and gives the distinct words in
// byte order. Special tokens in a text teach nothing.
func countWords(ctx context.Context, texts iter.Seq[string]) ([]word, error) {
	pre := PreTokenizer{added: newAddedTokens(robertaAdded(nil))}
	counts := make(map[string]int)
	for text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
		pre.pieces(text, func(s piece) bool {
			if s.added != nil {
				return true
			}
			for start := s.start; start < s.end; start += trainedWord {
				part := text[start:min(start+trainedWord, s.end)]
				if n, ok := counts[part]; ok {
					counts[part] = n + 1
				} else {
					counts[strings.Clone(part)] = 1 // or the whole text would stay alive
				}
			}
			return true
		})
	}
	words := make([]word, 0, len(counts))
	for _, raw := range slices.Sorted(maps.Keys(counts)) {
		symbols := make([]int32, len(raw))
		for i := range symbols {
			symbols[i] = firstByte + int32(raw[i])
		}
		words = append(words, word{symbols, counts[raw]})
	}
	return words, nil
}

// learn finds the rules. It ends with limit tokens or fewer; <mask> is not yet
// among them.
func learn(ctx context.Context, words []word, limit int) (*Model, error) {
	tokens := specialTokens()[:firstByte]
	for b := range 256 {
		tokens = append(tokens, string(byteRune(byte(b))))
	}
	m, err := newModel(tokens, nil, unkToken)
	if err != nil {
		return nil, err
	}
	t := newTrainer(words)
	for len(m.tokens) < limit {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, ok := t.mostFrequent()
		if !ok {
			break
		}
		left, right := p.split()
		joined, known := m.ids[m.tokens[left]+m.tokens[right]]
		if !known {
			joined = m.addToken(m.tokens[left] + m.tokens[right])
		}
		if _, known := m.ranks[p]; !known { // neighbours of an old rule can meet anew
			m.addRule(rule{left, right, joined})
		}
		t.join(p, joined)
	}
	return m, nil
}

// trainer keeps the counts of all neighbouring pairs while words are merged.
type trainer struct {
	words  []word
	pairs  map[pair]*pairCount
	queue  queue[countedPair]
	raised []pair // pairs whose count rose in this join
}

type pairCount struct {
	count  int
	words  []int32 // words that hold the pair, or held it once
	raised bool
}

// countedPair orders pairs by count, then by smaller ids. A count in the queue
// may be out of date, but is never below the pair's own.
type countedPair struct {
	count int
	pair  pair
}

func (a countedPair) Before(b countedPair) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return a.pair < b.pair
}

func newTrainer(words []word) *trainer {
	t := &trainer{words: words, pairs: make(map[pair]*pairCount)}
	for i, w := range words {
		for j := range len(w.symbols) - 1 {
			t.add(pairOf(w.symbols[j], w.symbols[j+1]), w.count, i)
		}
	}
	t.enqueue()
	return t
}

// mostFrequent takes the pair to join next; ok is false when none is left that
// occurs often enough.
func (t *trainer) mostFrequent() (p pair, ok bool) {
	for len(t.queue) > 0 {
		top := t.queue.pop()
		c := t.pairs[top.pair]
		switch {
		case c == nil || c.count < minCount:
		case c.count != top.count:
			t.queue.push(countedPair{c.count, top.pair})
		default:
			return top.pair, true
		}
	}
	return 0, false
}

// add changes the count of a pair by delta, in the word at index i.
func (t *trainer) add(p pair, delta, i int) {
	c := t.pairs[p]
	if c == nil {
		c = &pairCount{}
		t.pairs[p] = c
	}
	c.count += delta
	if delta < 0 {
		return
	}
	if n := len(c.words); n == 0 || c.words[n-1] != int32(i) {
		c.words = append(c.words, int32(i))
	}
	if !c.raised {
		c.raised = true
		t.raised = append(t.raised, p)
	}
}

// enqueue puts the pairs whose count rose in the queue.
func (t *trainer) enqueue() {
	for _, p := range t.raised {
		c := t.pairs[p]
		c.raised = false
		if c.count >= minCount {
			t.queue.push(countedPair{c.count, p})
		}
	}
	t.raised = t.raised[:0]
}

// join replaces a pair by a token in every word and updates its neighbours'
// counts.
func (t *trainer) join(p pair, joined int32) {
	left, right := p.split()
	for _, i := range t.pairs[p].words {
		w := &t.words[i]
		out := w.symbols[:0]
		for j := 0; j < len(w.symbols); j++ {
			s := w.symbols[j]
			if s != left || j+1 == len(w.symbols) || w.symbols[j+1] != right {
				out = append(out, s)
				continue
			}
			if n := len(out); n > 0 {
				t.add(pairOf(out[n-1], left), -w.count, int(i))
				t.add(pairOf(out[n-1], joined), w.count, int(i))
			}
			if j+2 < len(w.symbols) {
				next := w.symbols[j+2]
				t.add(pairOf(right, next), -w.count, int(i))
				t.add(pairOf(joined, next), w.count, int(i))
			}
			out = append(out, joined)
			j++
		}
		w.symbols = out
	}
	delete(t.pairs, p)
	t.enqueue()
}
