package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds on what is read of a file of strangers.
const (
	pageSize  = 64 << 10
	maxFields = 2 << 20  // in the whole file, packed numbers apart
	maxText   = 1 << 20  // bytes of one text
	maxTexts  = 64 << 20 // bytes of all texts that are kept
	maxDepth  = 32       // of graphs within graphs
	maxNested = 256      // messages within each other
)

// errOther is that of a file of another format.
var errOther = errors.New("this is no ONNX file: it begins with none of the fields that one has")

// A span is a part of a file.
type span struct{ from, to int64 }

func (s span) size() int64 { return s.to - s.from }

// A reader reads protobuf messages from where they lie, a page at a time.
type reader struct {
	r      io.ReaderAt
	size   int64
	page   []byte // what the file holds from at on
	at     int64
	fields int   // read so far
	texts  int64 // bytes of texts so far
	nested int   // messages that are being read
}

// A field is one of a message, as it was read.
type field struct {
	number  protowire.Number
	wire    protowire.Type
	value   uint64 // of a varint
	content span   // of everything else
	at      int64
}

// bytes returns a part of at most a page. It is valid until the next call.
func (r *reader) bytes(s span) ([]byte, error) {
	if s.from < r.at || s.to > r.at+int64(len(r.page)) {
		n := int(min(pageSize, r.size-s.from))
		r.page, r.at = r.page[:cap(r.page)][:n], s.from
		if n, err := r.r.ReadAt(r.page, s.from); n < len(r.page) {
			r.page = r.page[:0]
			return nil, fmt.Errorf("reading byte %d: %w", s.from, err)
		}
	}
	return r.page[s.from-r.at : s.to-r.at], nil
}

// next reads the field at the beginning of what is left of a message.
func (r *reader) next(left *span) (f field, err error) {
	if r.fields++; r.fields > maxFields {
		return f, fmt.Errorf("it has more than %d fields", maxFields)
	}
	head, err := r.bytes(span{left.from, min(left.to, left.from+2*10)}) // two varints
	if err != nil {
		return f, err
	}
	f.at = left.from
	broken := fmt.Errorf("byte %d: no field begins here: the file is damaged, or something was added to it", f.at)
	if f.at == 0 {
		broken = errOther
	}
	n, m := 0, 0
	if f.number, f.wire, n = protowire.ConsumeTag(head); n < 0 {
		return f, broken
	}
	length := uint64(0)
	switch f.wire {
	case protowire.VarintType:
		f.value, m = protowire.ConsumeVarint(head[n:])
	case protowire.Fixed32Type:
		length = 4
	case protowire.Fixed64Type:
		length = 8
	case protowire.BytesType:
		length, m = protowire.ConsumeVarint(head[n:])
	default: // groups, which ONNX has none of
		return f, broken
	}
	if m < 0 {
		return f, broken
	}
	start := f.at + int64(n+m)
	if length > uint64(left.to-start) {
		return f, fmt.Errorf("byte %d: a field of %d bytes in a message that has %d left: the file is cut short or damaged", f.at, length, left.to-start)
	}
	f.content = span{start, start + int64(length)}
	left.from = f.content.to
	return f, nil
}

// text reads a text.
func (r *reader) text(s span) (string, error) {
	if r.texts += s.size(); s.size() > maxText || r.texts > maxTexts {
		return "", fmt.Errorf("byte %d: a text of %d bytes; one has at most %d and all together %d", s.from, s.size(), maxText, maxTexts)
	}
	text := make([]byte, 0, s.size())
	for at := s.from; at < s.to; at += pageSize {
		part, err := r.bytes(span{at, min(s.to, at+pageSize)})
		if err != nil {
			return "", err
		}
		text = append(text, part...)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("byte %d: a text that is not UTF-8", s.from)
	}
	return string(text), nil
}

// pages calls f with the parts of a span, one after the other.
func (r *reader) pages(s span, f func(part []byte)) error {
	for at := s.from; at < s.to; at += pageSize {
		part, err := r.bytes(span{at, min(s.to, at+pageSize)})
		if err != nil {
			return err
		}
		f(part)
	}
	return nil
}

// varints counts the varints that a span is made of.
func (r *reader) varints(s span) (n int64, err error) {
	length, long := 0, false
	err = r.pages(s, func(part []byte) {
		for _, b := range part {
			if length++; b < 0x80 {
				n, length = n+1, 0
			}
			long = long || length >= 10
		}
	})
	if err == nil && (long || length > 0) {
		err = fmt.Errorf("byte %d: numbers that do not end where their field does", s.from)
	}
	return n, err
}

// numbers appends the numbers of a repeated field, which may be packed.
func (r *reader) numbers(to []int64, f field) ([]int64, error) {
	if f.wire == protowire.VarintType {
		return append(to, int64(f.value)), nil
	}
	if f.content.size() > 10*maxRank {
		return nil, fmt.Errorf("byte %d: more than %d dimensions", f.at, maxRank)
	}
	b, err := r.bytes(f.content)
	if err != nil {
		return nil, err
	}
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, fmt.Errorf("byte %d: numbers that do not end where their field does", f.at)
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// maxRank bounds the dimensions of a tensor.
const maxRank = 64

// elements is how many values a shape has.
func elements(shape []int64) (int64, error) {
	n := int64(1)
	empty := false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("its shape %v has a negative dimension", shape)
		}
		empty = empty || d == 0
	}
	for _, d := range shape {
		if empty {
			return 0, nil
		}
		if d > math.MaxInt64/256/n {
			return 0, fmt.Errorf("its shape %v is too large", shape)
		}
		n *= d
	}
	return n, nil
}
