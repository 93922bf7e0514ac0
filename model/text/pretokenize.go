package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sugarme/tokenizer"
	"github.com/sugarme/tokenizer/normalizer"
)

// PreTokenizer splits a text into special tokens and words. The words follow
// GPT-2's pattern
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// with Unicode classes and Unicode white space. Together the pieces are the
// text, byte for byte. It is safe for concurrent use.
type PreTokenizer struct {
	added addedTokens
	limit int // stop after so many pieces; 0: none
}

// piece is the stretch [start, end) of a text: a word, or an added token.
type piece struct {
	start, end int
	added      *addedToken // nil for a word
}

// PreTokenize implements tokenizer.PreTokenizer. The pieces hold the text's
// own bytes: spelling them in the byte alphabet is left to [Model].
func (p PreTokenizer) PreTokenize(in *tokenizer.PreTokenizedString) (*tokenizer.PreTokenizedString, error) {
	return in.Split(func(_ int, whole *normalizer.NormalizedString) []tokenizer.SplitIdx {
		text, shift := whole.GetNormalized(), whole.Shift()
		var splits []tokenizer.SplitIdx
		p.pieces(text, func(s piece) bool {
			part := text[s.start:s.end]
			split := tokenizer.SplitIdx{Normalized: normalizer.NewNormalizedString(part, part, nil, nil, shift+s.start)}
			if s.added != nil {
				split.Tokens = []tokenizer.Token{tokenizer.NewToken(int(s.added.ID), s.added.Content, []int{0, len(part)})}
			}
			splits = append(splits, split)
			return p.limit == 0 || len(splits) < p.limit
		})
		return splits
	}), nil
}

// pieces calls yield with each piece of the text in order, until it says false.
func (p PreTokenizer) pieces(text string, yield func(piece) bool) {
	for at := 0; at < len(text); {
		found := p.added.next(text, at)
		for at < found.start {
			end := at + wordEnd(text[at:found.start])
			if !yield(piece{start: at, end: end}) {
				return
			}
			at = end
		}
		if found.added != nil && !yield(found) {
			return
		}
		at = found.end
	}
}

// addedTokens finds tokens that are recognised before any word is split.
type addedTokens struct {
	all     []addedToken // by id
	byText  map[string]*addedToken
	lengths []int  // distinct lengths in bytes, longest first
	firsts  string // distinct first characters
}

func newAddedTokens(all []addedToken) addedTokens {
	a := addedTokens{all: all, byText: make(map[string]*addedToken, len(all))}
	for i := range all {
		content := all[i].Content
		a.byText[content] = &all[i]
		if !slices.Contains(a.lengths, len(content)) {
			a.lengths = append(a.lengths, len(content))
		}
		if first, _ := utf8.DecodeRuneInString(content); !strings.ContainsRune(a.firsts, first) {
			a.firsts += string(first)
		}
	}
	slices.Sort(a.lengths)
	slices.Reverse(a.lengths)
	return a
}

// next finds the first added token at or after from, the longest where several
// start together, with the blanks that it absorbs. Without one it returns an
// empty piece at the end of the text.
func (a addedTokens) next(text string, from int) piece {
	for at := from; at < len(text); {
		hit := strings.IndexAny(text[at:], a.firsts)
		if hit < 0 {
			break
		}
		at += hit
		for _, n := range a.lengths {
			if n > len(text)-at {
				continue
			}
			token, ok := a.byText[text[at:at+n]]
			if !ok {
				continue
			}
			found := piece{start: at, end: at + n, added: token}
			if token.LStrip {
				found.start = from + len(strings.TrimRightFunc(text[from:at], unicode.IsSpace))
			}
			if token.RStrip {
				found.end = len(text) - len(strings.TrimLeftFunc(text[found.end:], unicode.IsSpace))
			}
			return found
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return piece{start: len(text), end: len(text)}
}

// class is what GPT-2's pattern tells characters apart by.
type class uint8

const (
	other class = iota
	letter
	number
	space
)

// firstClass gives the class and length in bytes of the first character of s.
func firstClass(s string) (class, int) {
	if b := s[0]; b < utf8.RuneSelf {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
			return letter, 1
		case '0' <= b && b <= '9':
			return number, 1
		case b == ' ', '\t' <= b && b <= '\r':
			return space, 1
		}
		return other, 1
	}
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsLetter(r):
		return letter, size
	case unicode.IsNumber(r):
		return number, size
	case unicode.IsSpace(r):
		return space, size
	}
	return other, size
}

// wordEnd is the length in bytes of the word that s, which is not empty,
// begins with.
func wordEnd(s string) int {
	if n := contraction(s); n > 0 {
		return n
	}
	start := 0
	if s[0] == ' ' && len(s) > 1 {
		start = 1 // " ?": one blank belongs to the word that follows
	}
	c, size := firstClass(s[start:])
	if c == space {
		return blanksEnd(s)
	}
	end := start + size
	for end < len(s) {
		next, size := firstClass(s[end:])
		if next != c {
			break
		}
		end += size
	}
	return end
}

// blanksEnd applies \s+(?!\S)|\s+ to the run of blanks that s begins with: all
// of it at the end of the text, else all but the last, else the only one.
func blanksEnd(s string) int {
	end, last := 0, 0
	for end < len(s) {
		c, size := firstClass(s[end:])
		if c != space {
			break
		}
		last, end = end, end+size
	}
	if end == len(s) || last == 0 {
		return end
	}
	return last
}

// contraction is the length of the English contraction that s begins with, or 0.
func contraction(s string) int {
	if s[0] != '\'' || len(s) < 2 {
		return 0
	}
	switch s[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(s) > 2 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}
