package text

import (
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"blank belongs to the next word", "a dog runs", []string{"a", " dog", " runs"}},
		{"last of several blanks belongs to it", "a   dog", []string{"a", "  ", " dog"}},
		{"blanks at the end stay together", "a   ", []string{"a", "   "}},
		{"newline is no part of a word", "a\nb", []string{"a", "\n", "b"}},
		{"newlines before a word", "a\n\n\nb", []string{"a", "\n\n", "\n", "b"}},
		{"newline, then blank and word", "a\n b", []string{"a", "\n", " b"}},
		{"no-break spaces", "a\u00a0\u00a0b", []string{"a", "\u00a0", "\u00a0", "b"}},
		{"next line is white space", "a\u0085", []string{"a", "\u0085"}},
		{"zero width space is not", "a\u200b", []string{"a", "\u200b"}},
		{"digits and letters part", "a1b 22", []string{"a", "1", "b", " 22"}},
		{"other numbers", "²Ⅷ½", []string{"²Ⅷ½"}},
		{"marks are neither letters nor blanks", "e\u0301e", []string{"e", "\u0301", "e"}},
		{"contractions", "they're it's I'll", []string{"they", "'re", " it", "'s", " I", "'ll"}},
		{"only lower case", "IT'S", []string{"IT", "'", "S"}},
		{"first alternative wins", "'sup", []string{"'s", "up"}},
		{"not after a blank", " 's", []string{" '", "s"}},
		{"not after punctuation", "!'s", []string{"!'", "s"}},
		{"apostrophe alone", "'", []string{"'"}},
		{"cut contraction", "'r", []string{"'", "r"}},
		{"punctuation runs", "a... -- b", []string{"a", "...", " --", " b"}},
		{"invalid bytes", "a\xff\xfeb", []string{"a", "\xff\xfe", "b"}},
		{"empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			PreTokenizer{}.pieces(c.text, func(p piece) bool {
				got = append(got, c.text[p.start:p.end])
				return true
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("%q: got %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestAddedTokens(t *testing.T) {
	pre := PreTokenizer{added: newAddedTokens([]addedToken{
		{Content: "<s>"}, {Content: "<mask>", LStrip: true}, {Content: "<obj>", RStrip: true}, {Content: "<obj>s"}, {Content: "犬"},
	})}
	for _, c := range []struct {
		name, text string
		want       []string // added tokens in brackets
	}{
		{"in words", "a<s>b", []string{"a", "[<s>]", "b"}},
		{"blanks stay", "a <s> b", []string{"a", " ", "[<s>]", " b"}},
		{"left blanks are absorbed", "a  <mask> b", []string{"a", "[  <mask>]", " b"}},
		{"of any kind", "a\n\u3000<mask>", []string{"a", "[\n\u3000<mask>]"}},
		{"up to the token before", "<mask> <mask>", []string{"[<mask>]", "[ <mask>]"}},
		{"right blanks are absorbed", "a <obj>  b", []string{"a", " ", "[<obj>  ]", "b"}},
		{"the longest wins", "<obj>s", []string{"[<obj>s]"}},
		{"other scripts", "白犬だ", []string{"白", "[犬]", "だ"}},
		{"beginnings are no tokens", "<<s <mas", []string{"<<", "s", " <", "mas"}},
		{"blanks end at a token", "a  <s>", []string{"a", "  ", "[<s>]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			pre.pieces(c.text, func(p piece) bool {
				part := c.text[p.start:p.end]
				if p.added != nil {
					part = "[" + part + "]"
				}
				got = append(got, part)
				return true
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("%q: got %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestByteAlphabet(t *testing.T) {
	seen := make(map[rune]byte)
	for i := range 256 {
		b := byte(i)
		r := byteRune(b)
		if other, ok := seen[r]; ok {
			t.Errorf("bytes %d and %d are both %q", b, other, r)
		}
		seen[r] = b
		if back, ok := runeByte(r); !ok || back != b {
			t.Errorf("byte %d is %q, which is %d %v", b, r, back, ok)
		}
	}
	known := 0
	for r := rune(0); r < 0x400; r++ {
		if _, ok := runeByte(r); ok {
			known++
		}
	}
	if known != 256 {
		t.Errorf("%d characters stand for bytes", known)
	}
	if got := spell(" \t\n\x7f\xa0\xad é"); got != "ĠĉĊġłŃĠÃ©" { // GPT-2's own table
		t.Errorf("spelt %q", got)
	}
	if !strings.HasPrefix(spell("\x00!"), "Ā!") {
		t.Error("the first byte is Ā")
	}
}
