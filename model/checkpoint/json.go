package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of JSON; no file that we read needs ten.
const maxDepth = 64

// A scanner reads JSON (RFC 8259) without building a tree. It is stricter than
// encoding/json: a key that appears twice in an object, invalid UTF-8, a lone
// surrogate and nesting beyond maxDepth are errors. The data must have passed
// utf8.Valid.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

func (s *scanner) errorf(format string, args ...any) error {
	line := 1 + bytes.Count(s.data[:min(s.pos, len(s.data))], []byte{'\n'})
	return fmt.Errorf("line %d: not JSON: %w", line, fmt.Errorf(format, args...))
}

// found describes what stands at the position.
func (s *scanner) found() string {
	if s.pos >= len(s.data) {
		return "the end of the data"
	}
	word := s.data[s.pos:]
	if n := bytes.IndexAny(word, " \t\r\n,:[]{}"); n > 0 {
		word = word[:n]
	} else {
		_, size := utf8.DecodeRune(word)
		word = word[:size]
	}
	return fmt.Sprintf("%.24q", word)
}

// peek skips white space and gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) expect(c byte, where string) error {
	if s.peek() != c {
		return s.errorf("want %q %s, found %s", c, where, s.found())
	}
	s.pos++
	return nil
}

// enter counts a level of nesting.
func (s *scanner) enter() error {
	if s.depth++; s.depth > maxDepth {
		return s.errorf("nested deeper than %d", maxDepth)
	}
	return nil
}

// object reads an object and calls member for each key, with the position at
// its value, which member must read.
func (s *scanner) object(member func(key string) error) error {
	if err := s.expect('{', "to begin an object"); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	var seen keySet
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !seen.add(key) {
			return fmt.Errorf("the key %.80q appears twice", key)
		}
		if err := s.expect(':', "after a key"); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		switch s.peek() {
		case '}':
			s.pos++
			return nil
		case ',':
			s.pos++
		default:
			return s.errorf("want ',' or '}' after a value, found %s", s.found())
		}
	}
}

// array reads an array and calls element for each element, with the position at
// it.
func (s *scanner) array(element func(i int) error) error {
	if err := s.expect('[', "to begin a list"); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		switch s.peek() {
		case ']':
			s.pos++
			return nil
		case ',':
			s.pos++
		default:
			return s.errorf("want ',' or ']' after an element, found %s", s.found())
		}
	}
}

// text reads a string.
func (s *scanner) text() (string, error) {
	if s.peek() != '"' {
		return "", s.errorf("want a string, found %s", s.found())
	}
	s.pos++
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return string(s.data[start : s.pos-1]), nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", s.errorf("the control character %#02x stands in a string", c)
		}
		s.pos++
	}
	return "", s.errorf("a string does not end")
}

// escaped reads a string that has a backslash at the position.
func (s *scanner) escaped(start int) (string, error) {
	var out strings.Builder
	out.Write(s.data[start:s.pos])
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return out.String(), nil
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out.WriteRune(r)
		case c < ' ':
			return "", s.errorf("the control character %#02x stands in a string", c)
		default:
			out.WriteByte(c)
			s.pos++
		}
	}
	return "", s.errorf("a string does not end")
}

const escapes = `"\/bfnrt`

func (s *scanner) escape() (rune, error) {
	if s.pos+1 >= len(s.data) {
		return 0, s.errorf("a string does not end")
	}
	c := s.data[s.pos+1]
	if i := strings.IndexByte(escapes, c); i >= 0 {
		s.pos += 2
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return 0, s.errorf(`the escape \%c is not known`, c)
	}
	r, ok := s.hex()
	if !ok {
		return 0, s.errorf(`\u needs four hexadecimal digits`)
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.pos < len(s.data) && s.data[s.pos] == '\\' {
		if low, ok := s.hex(); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return full, nil
			}
		}
	}
	return 0, s.errorf(`\u%04x is half a character`, r)
}

// hex reads \uXXXX.
func (s *scanner) hex() (rune, bool) {
	if s.pos+6 > len(s.data) || s.data[s.pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.data[s.pos+2:s.pos+6]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.pos += 6
	return rune(n), true
}

// number reads a number and gives its text.
func (s *scanner) number() ([]byte, error) {
	s.peek()
	start := s.pos
	digits := func() int {
		from := s.pos
		for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
			s.pos++
		}
		return s.pos - from
	}
	at := func(set string) bool {
		if s.pos < len(s.data) && strings.IndexByte(set, s.data[s.pos]) >= 0 {
			s.pos++
			return true
		}
		return false
	}
	bad := func() ([]byte, error) {
		s.pos = start
		return nil, s.errorf("%s is not a number", s.found())
	}
	at("-")
	if at("0") {
		if s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
			return bad()
		}
	} else if digits() == 0 {
		return bad()
	}
	if at(".") && digits() == 0 {
		return bad()
	}
	if at("eE") {
		at("+-")
		if digits() == 0 {
			return bad()
		}
	}
	return s.data[start:s.pos], nil
}

// natural reads a whole number of at least 0 that fits an int.
func (s *scanner) natural() (int, error) {
	text, err := s.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(text), 10, strconv.IntSize-1)
	if err != nil {
		return 0, fmt.Errorf("%.40s is not a whole number from 0 to 2^%d-1", text, strconv.IntSize-1)
	}
	return int(n), nil
}

// literal reads true, false or null.
func (s *scanner) literal() error {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return s.errorf("%s is not a value", s.found())
}

// value reads any value.
func (s *scanner) value() error { return s.typed(nil) }

// end refuses anything but white space after the value.
func (s *scanner) end() error {
	if s.peek() != 0 || s.pos < len(s.data) {
		return s.errorf("%s stands after the value", s.found())
	}
	return nil
}

var errUTF8 = errors.New("the text is not UTF-8")

// A keySet holds the keys of an object: a few in an array, which costs no
// allocation, more in a map.
type keySet struct {
	few  [8]string
	n    int // keys in few
	many map[string]struct{}
}

// add reports whether the key is new.
func (k *keySet) add(key string) bool {
	if k.many == nil {
		if slices.Contains(k.few[:k.n], key) {
			return false
		}
		if k.n < len(k.few) {
			k.few[k.n] = key
			k.n++
			return true
		}
		k.many = make(map[string]struct{}, 4*len(k.few))
		for _, old := range k.few {
			k.many[old] = struct{}{}
		}
	}
	before := len(k.many)
	k.many[key] = struct{}{}
	return len(k.many) > before
}
