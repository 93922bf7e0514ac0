package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Cleaning says what is tidied in a text before it is tokenized. It is recorded
// in config.json as text_cleaning, so that a model sees in use what it saw in
// training. The zero value changes nothing: imported towers were trained on
// texts as they are.
type Cleaning struct {
	NFC        bool `json:"nfc"`        // compose characters (Unicode NFC)
	Controls   bool `json:"controls"`   // drop control and invisible characters
	Whitespace bool `json:"whitespace"` // runs of blanks become one space, none at the ends
	URLs       bool `json:"urls"`       // drop http, https, ftp and www addresses
	HTML       bool `json:"html"`       // drop tags, comments, scripts; decode entities
}

// DefaultCleaning is for training from scratch: nothing that carries meaning is
// lost.
func DefaultCleaning() Cleaning {
	return Cleaning{NFC: true, Controls: true, Whitespace: true}
}

// Apply gives the cleaned text. Where any step is on, invalid UTF-8 becomes
// U+FFFD first.
func (c Cleaning) Apply(s string) string {
	if c == (Cleaning{}) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if c.HTML {
		s = stripHTML(s) // before addresses, which end at tags
	}
	if c.URLs {
		s = stripURLs(s)
	}
	if c.Controls {
		s = strings.Map(visible, s) // before NFC: an invisible character may part two that compose
	}
	if c.NFC {
		s = norm.NFC.String(s)
	}
	if c.Whitespace {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}

// visible drops what shows nothing and means nothing in a caption. It keeps
// white space, and the joiners (U+200C, U+200D) and tag characters, which
// Persian, Indic scripts and emoji need.
func visible(r rune) rune {
	const drop = -1
	switch {
	case unicode.IsSpace(r):
		return r
	case unicode.IsControl(r):
		return drop
	case r == 0x00ad, r == 0x061c, r == 0x180e, // soft hyphen, Arabic letter mark, Mongolian vowel separator
		r == 0x200b, r == 0x200e, r == 0x200f, // zero width space, direction marks
		0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x206f, // direction, invisible operators
		r == 0xfeff, 0xfff9 <= r && r <= 0xfffb, // byte order mark, interlinear annotation
		0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe: // noncharacters
		return drop
	}
	return r
}

// stripURLs drops addresses, but not the punctuation after them.
func stripURLs(s string) string {
	var out strings.Builder
	for i, before := 0, rune(' '); i < len(s); {
		if !unicode.IsLetter(before) && !unicode.IsNumber(before) {
			if n := urlLen(s[i:]); n > 0 {
				i += n
				before = ' '
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		out.WriteString(s[i : i+size])
		before = r
		i += size
	}
	return out.String()
}

// urlLen is the length in bytes of the address that s begins with, or 0.
func urlLen(s string) int {
	const longest = len("https://")
	start := strings.ToLower(s[:min(longest, len(s))])
	for _, prefix := range []string{"http://", "https://", "ftp://", "www."} {
		if !strings.HasPrefix(start, prefix) {
			continue
		}
		end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"", r) })
		if end < 0 {
			end = len(s)
		}
		end = len(strings.TrimRight(s[:end], ".,;:!?)]}'"))
		if end > len(prefix) {
			return end
		}
	}
	return 0
}
