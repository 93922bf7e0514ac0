package text

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/sugarme/tokenizer"
)

const (
	// maxEntries bounds a vocabulary; the largest in use have about 260,000.
	maxEntries = 1 << 20

	// Words up to cachedWord bytes are remembered, cachedWords of them at most:
	// a few MB.
	cachedWord  = 64
	cachedWords = 1 << 14

	// longestWord bounds the memory that one word without a blank may take, and
	// keeps positions within 32 bits. Longer words are merged in parts.
	longestWord = 1 << 24
)

// pair is two neighbouring tokens: the left id in the upper 32 bits.
type pair uint64

func pairOf(left, right int32) pair { return pair(uint64(left)<<32 | uint64(uint32(right))) }

func (p pair) split() (left, right int32) { return int32(p >> 32), int32(uint32(p)) }

// rule joins two neighbouring tokens into one; its rank is its place in the
// merge list.
type rule struct{ left, right, joined int32 }

// Model is byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2): of all
// neighbours in a word those with the rule of lowest rank are joined first, the
// leftmost of equals first, until no rule applies. It implements
// tokenizer.Model and is safe for concurrent use.
type Model struct {
	tokens []string // by id, spelt in the byte alphabet
	ids    map[string]int32
	rules  []rule // by rank
	ranks  map[pair]int32
	bytes  [256]int32 // the token of each byte, or unk
	unk    int32
	cache  wordCache
}

// newModel checks that every rule joins known tokens into a known token.
func newModel(tokens []string, merges [][2]string, unk string) (*Model, error) {
	m := &Model{tokens: tokens, ids: make(map[string]int32, len(tokens)), ranks: make(map[pair]int32, len(merges))}
	for id, token := range tokens {
		m.ids[token] = int32(id)
	}
	var ok bool
	if m.unk, ok = m.ids[unk]; !ok {
		return nil, fmt.Errorf("the vocabulary lacks the token %q for unknown bytes", unk)
	}
	for b := range m.bytes {
		if m.bytes[b], ok = m.ids[string(byteRune(byte(b)))]; !ok {
			m.bytes[b] = m.unk
		}
	}
	for i, merge := range merges {
		left, lok := m.ids[merge[0]]
		right, rok := m.ids[merge[1]]
		joined, jok := m.ids[merge[0]+merge[1]]
		if !lok || !rok || !jok {
			return nil, fmt.Errorf("merge rule %d (%.40q %.40q): the vocabulary lacks %.80q",
				i+1, merge[0], merge[1], firstMissing(lok, rok, merge))
		}
		if _, twice := m.ranks[pairOf(left, right)]; twice {
			return nil, fmt.Errorf("merge rule %d (%.40q %.40q) appears twice", i+1, merge[0], merge[1])
		}
		m.addRule(rule{left, right, joined})
	}
	return m, nil
}

func firstMissing(leftKnown, rightKnown bool, merge [2]string) string {
	switch {
	case !leftKnown:
		return merge[0]
	case !rightKnown:
		return merge[1]
	}
	return merge[0] + merge[1]
}

func (m *Model) addToken(token string) int32 {
	id := int32(len(m.tokens))
	m.ids[token] = id
	m.tokens = append(m.tokens, token)
	return id
}

func (m *Model) addRule(r rule) {
	m.ranks[pairOf(r.left, r.right)] = int32(len(m.rules))
	m.rules = append(m.rules, r)
}

// Tokenize implements tokenizer.Model for one word, given as its raw bytes.
// Offsets are bytes of the word. A byte without a token becomes <unk>. The
// result may be shared: it must not be changed. The error is always nil.
func (m *Model) Tokenize(word string) ([]tokenizer.Token, error) {
	if len(word) > cachedWord {
		return m.tokenize(word), nil
	}
	if tokens, ok := m.cache.get(word); ok {
		return tokens, nil
	}
	tokens := m.tokenize(word)
	m.cache.put(word, tokens)
	return tokens, nil
}

func (m *Model) tokenize(word string) []tokenizer.Token {
	var out []tokenizer.Token
	for start := 0; start < len(word); start += longestWord {
		part := word[start:min(start+longestWord, len(word))]
		symbols := m.merge(part)
		n := 0
		for i := int32(0); i >= 0; i = symbols[i].next {
			n++
		}
		if out == nil {
			out = make([]tokenizer.Token, 0, n)
		}
		offsets := make([]int, 2*n)
		at := start
		for i := int32(0); i >= 0; i = symbols[i].next {
			s := symbols[i]
			o := offsets[:2:2]
			offsets = offsets[2:]
			o[0], o[1] = at, at+int(s.width)
			at = o[1]
			out = append(out, tokenizer.NewToken(int(s.id), m.tokens[s.id], o))
		}
	}
	return out
}

// symbol is a token of a word that is being merged, in a linked list over the
// word's bytes.
type symbol struct {
	id         int32
	rank       int32 // of the rule that joins it to the next symbol, or noRule
	prev, next int32 // positions, -1 at the ends
	width      int32 // bytes covered
}

const noRule = -1

// candidate is a rule at a position of a word: the rank in the upper 32 bits,
// so that smaller is lower in rank, then further left.
type candidate uint64

func (c candidate) Before(d candidate) bool { return c < d }

// merge joins the bytes of a word, which is not empty, and returns the linked
// list, which starts at position 0. It takes O(n log n) steps for n bytes.
func (m *Model) merge(word string) []symbol {
	symbols := make([]symbol, len(word))
	for i := range symbols {
		symbols[i] = symbol{id: m.bytes[word[i]], rank: noRule, prev: int32(i) - 1, next: int32(i) + 1, width: 1}
	}
	symbols[len(word)-1].next = -1

	var candidates queue[candidate]
	look := func(i int32) {
		s := &symbols[i]
		s.rank = noRule
		if s.next < 0 {
			return
		}
		if rank, ok := m.ranks[pairOf(s.id, symbols[s.next].id)]; ok {
			s.rank = rank
			candidates.push(candidate(uint64(rank)<<32 | uint64(i)))
		}
	}
	for i := range len(word) - 1 {
		look(int32(i))
	}
	for len(candidates) > 0 {
		c := candidates.pop()
		rank, i := int32(c>>32), int32(uint32(c))
		s := &symbols[i]
		if s.rank != rank {
			continue // joined or joined to another since
		}
		joined := &symbols[s.next]
		s.id = m.rules[rank].joined
		s.width += joined.width
		s.next = joined.next
		joined.rank = noRule
		if s.next >= 0 {
			symbols[s.next].prev = i
		}
		look(i)
		if s.prev >= 0 {
			look(s.prev)
		}
	}
	return symbols
}

// TokenToId implements tokenizer.Model.
func (m *Model) TokenToId(token string) (id int, ok bool) {
	i, ok := m.ids[token]
	return int(i), ok
}

// IdToToken implements tokenizer.Model.
func (m *Model) IdToToken(id int) (token string, ok bool) {
	if id < 0 || id >= len(m.tokens) {
		return "", false
	}
	return m.tokens[id], true
}

// GetVocab implements tokenizer.Model: a new map from token to id.
func (m *Model) GetVocab() map[string]int {
	vocab := make(map[string]int, len(m.tokens))
	for id, token := range m.tokens {
		vocab[token] = id
	}
	return vocab
}

// GetVocabSize implements tokenizer.Model.
func (m *Model) GetVocabSize() int { return len(m.tokens) }

// Save implements tokenizer.Model: it writes vocab.json and merges.txt, or
// PREFIX-vocab.json and PREFIX-merges.txt, into the folder at path.
func (m *Model) Save(path string, prefix ...string) error {
	start := ""
	if len(prefix) > 0 && prefix[0] != "" {
		start = prefix[0] + "-"
	}
	for name, data := range map[string][]byte{vocabName: m.vocabJSON(), mergesName: m.mergesText()} {
		if err := writeFile(filepath.Join(path, start+name), data); err != nil {
			return fmt.Errorf("text: saving the vocabulary: %w", err)
		}
	}
	return nil
}

// wordCache remembers the tokens of words. When full it starts anew: the
// frequent words are back after one more look each.
type wordCache struct {
	mu    sync.RWMutex
	words map[string][]tokenizer.Token
}

func (c *wordCache) get(word string) ([]tokenizer.Token, bool) {
	c.mu.RLock()
	tokens, ok := c.words[word]
	c.mu.RUnlock()
	return tokens, ok
}

func (c *wordCache) put(word string, tokens []tokenizer.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.words == nil || len(c.words) >= cachedWords {
		c.words = make(map[string][]tokenizer.Token)
	}
	c.words[string([]byte(word))] = tokens // a copy, or the whole text would stay alive
}
