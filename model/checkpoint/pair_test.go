package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
)

// memorySlot is a slot in memory that can break off after so many operations,
// as a kill does.
type memorySlot struct {
	content []byte // nil: there is no file
	left    *int   // operations until the kill; nil: none comes
}

var errKilled = errors.New("killed")

func (s *memorySlot) step() error {
	if s.left == nil {
		return nil
	}
	if *s.left == 0 {
		return errKilled
	}
	*s.left--
	return nil
}

func (s *memorySlot) Read() (io.ReaderAt, int64, error) {
	if s.content == nil {
		return nil, 0, fs.ErrNotExist
	}
	return bytes.NewReader(s.content), int64(len(s.content)), nil
}

func (s *memorySlot) Write() (SlotWriter, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	s.content = []byte{}
	return s, nil
}

func (s *memorySlot) WriteAt(b []byte, at int64) (int, error) {
	err := s.step()
	n := len(b)
	if err != nil { // a part may have been written
		n /= 2
	}
	if need := int(at) + n; need > len(s.content) {
		s.content = append(s.content, make([]byte, need-len(s.content))...)
	}
	copy(s.content[at:], b[:n])
	return n, err
}

func (s *memorySlot) Sync() error  { return s.step() }
func (s *memorySlot) Close() error { return nil }

func put(p *Pair, text string) error {
	return p.Write(func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func held(t *testing.T, p *Pair) string {
	t.Helper()
	r, err := p.Open()
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// TestPairKilled breaks off every write at every operation: the pair holds what
// it held before or what was being written, and can be written again.
func TestPairKilled(t *testing.T) {
	before := ""
	var a, b memorySlot
	for turn := range 4 {
		text := fmt.Sprint("content ", turn)
		whole := false
		for at := 0; !whole; at++ {
			if at > 10 {
				t.Fatal("a write never comes to its end")
			}
			left := at
			x, y := memorySlot{bytes.Clone(a.content), &left}, memorySlot{bytes.Clone(b.content), &left}
			err := put(NewPair(&x, &y), text)
			whole = err == nil
			x.left, y.left = nil, nil
			got := held(t, NewPair(&x, &y))
			if got != before && got != text || whole && got != text {
				t.Fatalf("turn %d killed at operation %d (%v): %q", turn, at, err, got)
			}
			again := NewPair(&x, &y)
			if err := put(again, "again"); err != nil || held(t, again) != "again" || held(t, NewPair(&x, &y)) != "again" {
				t.Fatalf("turn %d killed at operation %d: writing again: %v", turn, at, err)
			}
			if whole {
				a.content, b.content = nil, nil
				p := NewPair(&a, &b)
				for i := range turn + 1 {
					if err := put(p, fmt.Sprint("content ", i)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		before = text
	}
}

// TestPairDamaged damages what was written last, byte by byte: what was written
// before it is found, and is not what the next write replaces.
func TestPairDamaged(t *testing.T) {
	for at := range markSize + len("second") {
		var a, b memorySlot
		p := NewPair(&a, &b)
		if err := errors.Join(put(p, "first"), put(p, "second")); err != nil {
			t.Fatal(err)
		}
		b.content[at] ^= 4
		if got := held(t, NewPair(&a, &b)); got != "first" {
			t.Errorf("byte %d damaged: %q", at, got)
		}
		left := 1 // the write of the third is killed in its middle
		x, y := &memorySlot{a.content, &left}, &memorySlot{b.content, &left}
		if err := put(NewPair(x, y), "third"); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if got := held(t, NewPair(x, y)); got != "first" {
			t.Errorf("byte %d damaged, then a write killed: %q", at, got)
		}
	}
	var a, b memorySlot
	if err := put(NewPair(&a, &b), "x"); err != nil {
		t.Fatal(err)
	}
	a.content = a.content[:markSize]
	if _, err := NewPair(&a, &b).Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("cut short: %v", err)
	}
}
