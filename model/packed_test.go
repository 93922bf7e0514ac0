package model_test

import (
	"context"
	"math"
	"testing"

	"duet/gpu"
	"duet/model"
	"duet/shaders"
)

// mixedBatch is a batch of pictures and texts by formula for a model.
func mixedBatch(n, size, tokens, vocab int) model.Batch {
	b := model.Batch{Pictures: make([]float32, n*size*size*4), Targets: make([]int32, n)}
	for i := range b.Pictures {
		if i%4 < 3 {
			b.Pictures[i] = float32(math.Sin(0.01 * float64(i)))
		}
	}
	for i := range n {
		row := make([]int32, tokens-i%3)
		for j := range row {
			row[j] = int32(2 + (31*i+7*j*j+j)%(vocab-2))
		}
		b.Tokens = append(b.Tokens, row)
	}
	return b
}

// predict returns the logits of a model whose tower weights lie in a format.
func predict(t *testing.T, b gpu.Backend, shape model.Shape, format shaders.Format, words int, batch model.Batch, size int) (logits []float32, memory int) {
	t.Helper()
	m, err := model.NewVLM(shape)
	if err != nil {
		t.Fatal(err)
	}
	if format != shaders.F32 {
		m.Params.Pack(format, "visual", "text")
	}
	placed, err := model.PlaceWithin(b, m.Params, words)
	if err != nil {
		t.Fatal(err)
	}
	defer placed.Release()
	if err := placed.Initialize(5); err != nil {
		t.Fatal(err)
	}
	for _, a := range placed.Arenas {
		memory += a.Words
	}
	p := model.NewPredictor(b, m, placed, size, len(batch.Tokens), 1)
	defer p.Release()
	if logits, err = p.Logits(context.Background(), batch, len(batch.Tokens)); err != nil {
		t.Fatal(err)
	}
	return logits, memory
}

// Packed weights change logits by what the formats round away, and take less
// memory; tables in ranges of rows change nothing.
func TestPackedModel(t *testing.T) {
	const size, n = 64, 8
	shape := model.Shape{Width: 16, Blocks: []int{2, 2, 2, 2}, Fusion: model.ConcatProduct, Dim: 32, Classes: 7,
		Text: model.TextShape{Vocab: 500, Positions: 40, Hidden: 64, Layers: 2, Heads: 4, Intermediate: 128, Pad: 1, Eps: 1e-5, Std: 0.1}}
	batch := mixedBatch(n, size, 12, shape.Text.Vocab)
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		want, whole := predict(t, b, shape, shaders.F32, model.ArenaWords, batch, size)
		largest := 0.0
		for _, x := range want {
			largest = max(largest, math.Abs(float64(x)))
		}
		for _, c := range []struct {
			format shaders.Format
			words  int
			within float64
			less   float64
		}{{shaders.F32, smallArenas, 0, 1}, {shaders.F16, model.ArenaWords, 5e-3, 0.6}, {shaders.F16, smallArenas, 5e-3, 0.6}, {shaders.I8, model.ArenaWords, 5e-2, 0.4}, {shaders.I8, smallArenas, 5e-2, 0.4}} {
			got, memory := predict(t, b, shape, c.format, c.words, batch, size)
			worst, same := 0.0, 0
			for i := range got {
				worst = max(worst, math.Abs(float64(got[i]-want[i])))
			}
			for i := range n {
				if best(got[i*7:i*7+7]) == best(want[i*7:i*7+7]) {
					same++
				}
			}
			t.Logf("format %d in arenas of %d: off by %.2g of the largest logit, %d of %d answers the same, %d words for %d", c.format, c.words, worst/largest, same, n, memory, whole)
			if worst > c.within*largest || float64(memory) > c.less*float64(whole)+2*smallArenas || same < n-1 {
				t.Errorf("format %d in arenas of %d: off by %g of the largest logit, want %g; %d words of %d", c.format, c.words, worst/largest, c.within, memory, whole)
			}
		}
	})
}

func best(x []float32) int {
	at := 0
	for i := range x {
		if x[i] > x[at] {
			at = i
		}
	}
	return at
}
