package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
)

// A Slot is one of the two files of a [Pair].
type Slot interface {
	// Read opens what the slot holds; where there is nothing the error wraps
	// [fs.ErrNotExist].
	Read() (r io.ReaderAt, size int64, err error)
	// Write opens the slot, emptied.
	Write() (SlotWriter, error)
}

// A SlotWriter is a slot that is being written; *os.File is one.
type SlotWriter interface {
	io.WriterAt
	Sync() error // makes durable what was written
	Close() error
}

// A Pair keeps a content in two slots by turns, for where no file can be given
// another's name at once, such as a browser's private files: what was written
// last stays until what comes next is complete. Each slot begins with a mark that
// is written last. One goroutine at a time may use a pair.
type Pair struct {
	slots  [2]Slot
	opened bool
	newest int // slot
	mark   mark
}

// NewPair returns the pair of two slots.
func NewPair(a, b Slot) *Pair { return &Pair{slots: [2]Slot{a, b}} }

// A mark says what a slot holds.
type mark struct {
	turn uint64 // counts the writes of both slots; 0: nothing
	size int64  // of the content
	sum  uint32 // CRC-32 of the content
}

const (
	pairMagic = "duetslot"
	markSize  = 32 // magic, turn, size, sum, sum of the mark until here
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m mark) marshal() []byte {
	little := binary.LittleEndian
	b := little.AppendUint64([]byte(pairMagic), m.turn)
	b = little.AppendUint64(b, uint64(m.size))
	b = little.AppendUint32(b, m.sum)
	return little.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readMark reads a slot's mark and compares the content with it.
func readMark(r io.ReaderAt, size int64) (m mark, err error) {
	b := make([]byte, markSize)
	if err := readAt(r, b, 0); err != nil {
		return m, err
	}
	little := binary.LittleEndian
	m = mark{little.Uint64(b[8:]), int64(little.Uint64(b[16:])), little.Uint32(b[24:])}
	if string(b[:8]) != pairMagic || little.Uint32(b[28:]) != crc32.Checksum(b[:28], castagnoli) || m.turn == 0 {
		return mark{}, errors.New("it bears no mark: a write was interrupted")
	}
	if m.size != size-markSize {
		return mark{}, fmt.Errorf("it holds %d bytes, its mark says %d", size-markSize, m.size)
	}
	sum := crc32.New(castagnoli)
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{io.NewSectionReader(r, markSize, m.size)}, make([]byte, 1<<20)); err != nil {
		return mark{}, err
	}
	if sum.Sum32() != m.sum {
		return mark{}, errors.New("its content is damaged")
	}
	return m, nil
}

// Open returns the content that was written last. Where there is none the error
// wraps [fs.ErrNotExist].
func (p *Pair) Open() (*io.SectionReader, error) {
	p.opened, p.mark = true, mark{}
	var content *io.SectionReader
	var wrong error
	for i, s := range p.slots {
		r, size, err := s.Read()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		m, err := readMark(r, size)
		if err != nil {
			wrong = err
			continue
		}
		if m.turn > p.mark.turn {
			p.newest, p.mark, content = i, m, io.NewSectionReader(r, markSize, m.size)
		}
	}
	switch {
	case content != nil:
		return content, nil
	case wrong != nil:
		return nil, fmt.Errorf("checkpoint: nothing whole was kept (%w): %w", wrong, fs.ErrNotExist)
	}
	return nil, fmt.Errorf("checkpoint: nothing was kept: %w", fs.ErrNotExist)
}

// Write puts what write gives in place of the content. On an error, and after a
// crash at any point, the pair holds what it held before or the whole new content.
func (p *Pair) Write(write func(io.Writer) error) error {
	if !p.opened {
		if _, err := p.Open(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	to := 0
	if p.mark.turn > 0 {
		to = 1 - p.newest
	}
	m, err := writeSlot(p.slots[to], p.mark.turn+1, write)
	if err != nil {
		return err // from a slot, which says its name, or from write
	}
	p.newest, p.mark = to, m
	return nil
}

func writeSlot(s Slot, turn uint64, write func(io.Writer) error) (m mark, err error) {
	f, err := s.Write()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := &slotWriter{f: f}
	buffered := bufio.NewWriterSize(w, 1<<20)
	if err := write(buffered); err != nil {
		return m, err
	}
	if err := buffered.Flush(); err != nil {
		return m, err
	}
	if err := f.Sync(); err != nil {
		return m, err
	}
	m = mark{turn, w.size, w.sum}
	if _, err := f.WriteAt(m.marshal(), 0); err != nil {
		return m, err
	}
	return m, f.Sync()
}

// slotWriter writes the content behind its mark.
type slotWriter struct {
	f    SlotWriter
	size int64
	sum  uint32
}

func (w *slotWriter) Write(b []byte) (int, error) {
	n, err := w.f.WriteAt(b, markSize+w.size)
	w.size += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli, b[:n])
	return n, err
}
