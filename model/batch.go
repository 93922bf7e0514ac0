package model

import (
	"fmt"

	"duet/gpu"
)

// A Batch is examples as a model takes them. A side that is nil or empty is
// hidden: zeros are the mean picture, and no words are the two special tokens,
// which the caller gives.
type Batch struct {
	Pictures []float32 // [B/per size size 4], normalised; unused by a model of words alone
	Tokens   [][]int32 // B token sequences with their special tokens; unused by a model of pictures alone
	Targets  []int32   // [B] class indices for training; −100 does not count

	// Rows of tables of what the towers make of pictures and texts, in their
	// place, [B] each; for buffers made by [NewRowBuffers].
	PictureRows, TextRows []uint32
}

// lengths are the padded text lengths for which programs are compiled: few
// enough to compile, close enough to waste little.
var lengths = []int{8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512}

// TextLength returns the padded length for texts, at most limit; 0 without texts.
func TextLength(texts [][]int32, limit int) int {
	longest := 0
	for _, t := range texts {
		longest = max(longest, len(t))
	}
	if longest == 0 {
		return 0
	}
	for _, l := range lengths {
		if l >= longest {
			return min(l, limit)
		}
	}
	return limit
}

// TextLengths returns the padded lengths of texts of shortest to longest tokens,
// at most limit.
func TextLengths(shortest, longest, limit int) []int {
	var out []int
	first := TextLength([][]int32{make([]int32, max(1, min(shortest, limit)))}, limit)
	last := TextLength([][]int32{make([]int32, max(1, min(longest, limit)))}, limit)
	for _, l := range lengths {
		if l = min(l, limit); l >= first && l <= last && (len(out) == 0 || out[len(out)-1] != l) {
			out = append(out, l)
		}
	}
	if len(out) == 0 || out[len(out)-1] != last {
		out = append(out, last)
	}
	return out
}

// BatchBuffers are the input buffers of a program for b examples, and the host
// memory they are filled from.
type BatchBuffers struct {
	b, per, size, t int
	Buffers         map[string]gpu.Buffer
	ids             []uint32
	positions       []uint32
	lengths         []uint32
}

// NewBatchBuffers allocates the buffers of b examples, see [VLM.NewInputs].
func NewBatchBuffers(backend gpu.Backend, m *VLM, b, per, size, t int) (*BatchBuffers, error) {
	words := map[string]int{"targets": b, "loss": 1, "logits": b * m.Shape.Classes}
	if m.Visual != nil {
		words["pictures"] = pictureWords(b/per, size)
	}
	if m.Text != nil {
		addTextWords(words, b, t)
	}
	return newBatchBuffers(backend, words, b, per, size, t)
}

// NewRowBuffers allocates the buffers of b examples whose features are rows of
// tables.
func NewRowBuffers(backend gpu.Backend, m *VLM, b int) (*BatchBuffers, error) {
	words := map[string]int{"targets": b, "loss": 1, "logits": b * m.Shape.Classes, "picture_rows": b, "text_rows": b}
	return newBatchBuffers(backend, words, b, 1, 0, 0)
}

func pictureWords(n, size int) int { return n * size * size * 4 }

func addTextWords(words map[string]int, b, t int) {
	words["ids"], words["positions"], words["lengths"] = b*t, b*t, b
}

// newBatchBuffers allocates the named buffers.
func newBatchBuffers(backend gpu.Backend, words map[string]int, b, per, size, t int) (*BatchBuffers, error) {
	x := &BatchBuffers{b: b, per: per, size: size, t: t, Buffers: map[string]gpu.Buffer{}}
	if words["ids"] > 0 {
		x.ids, x.positions, x.lengths = make([]uint32, b*t), make([]uint32, b*t), make([]uint32, b)
	}
	for name, n := range words {
		buffer, err := backend.NewBuffer(name, gpu.Bytes(n))
		if err != nil {
			x.Release()
			return nil, fmt.Errorf("model: allocating %s: %w", name, err)
		}
		x.Buffers[name] = buffer
	}
	return x, nil
}

func (x *BatchBuffers) Release() {
	for _, b := range x.Buffers {
		b.Release()
	}
}

// Write uploads a batch; sequences longer than t keep their first t tokens.
func (x *BatchBuffers) Write(b Batch, pad int32) error {
	if len(b.Targets) != x.b {
		return fmt.Errorf("model: a batch of %d examples, want %d", len(b.Targets), x.b)
	}
	if err := x.Buffers["targets"].Write(0, Bytes(b.Targets)); err != nil {
		return err
	}
	for name, rows := range map[string][]uint32{"picture_rows": b.PictureRows, "text_rows": b.TextRows} {
		if p := x.Buffers[name]; p != nil {
			if err := p.Write(0, Bytes(rows)); err != nil {
				return err
			}
		}
	}
	if p := x.Buffers["pictures"]; p != nil {
		if want := x.b / x.per * x.size * x.size * 4; len(b.Pictures) != want {
			return fmt.Errorf("model: %d picture values, want %d", len(b.Pictures), want)
		}
		if err := p.Write(0, Bytes(b.Pictures)); err != nil {
			return err
		}
	}
	if x.ids == nil {
		return nil
	}
	return x.writeText(b.Tokens, pad)
}

func (x *BatchBuffers) writeText(texts [][]int32, pad int32) error {
	for i, tokens := range texts {
		tokens = tokens[:min(len(tokens), x.t)]
		row := x.ids[i*x.t : (i+1)*x.t]
		for j := range row {
			row[j] = uint32(pad)
			if j < len(tokens) {
				row[j] = uint32(tokens[j])
			}
		}
		copy(x.positions[i*x.t:], Positions(row, uint32(pad)))
		x.lengths[i] = uint32(max(1, len(tokens)))
	}
	for name, words := range map[string][]uint32{"ids": x.ids, "positions": x.positions, "lengths": x.lengths} {
		if err := x.Buffers[name].Write(0, Bytes(words)); err != nil {
			return err
		}
	}
	return nil
}
