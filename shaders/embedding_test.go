package shaders_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"duet/shaders"
)

// embeddingGrad runs the three launches of an embedding's gradient.
func embeddingGrad(t testing.TB, run runner, ids []uint32, dy []float32, vocab, d int, padding uint32) []float32 {
	n := len(ids)
	links, dtable := make([]uint32, n), normal(9, vocab*d)
	run(t, shaders.EmbeddingLinks(n, padding), ids, links)
	// In one table, and in two ranges of its rows.
	run(t, shaders.Fill(vocab*d, 0), dtable)
	run(t, shaders.EmbeddingGrad(n, 0, vocab, d), ids, links, dy, dtable)
	for first, size := range map[int]int{0: vocab / 2, vocab / 2: vocab - vocab/2} {
		if size == 0 {
			continue
		}
		part := zeros(size * d)
		run(t, shaders.Fill(size*d, 0), part)
		run(t, shaders.EmbeddingGrad(n, first, size, d), ids, links, dy, part)
		near(t, "dtable in ranges", part, dtable[first*d:(first+size)*d], 0, 0)
	}
	return dtable
}

func TestEmbeddingVectors(t *testing.T) {
	forVectors(t, "embedding", func(t *testing.T, run runner, v vector) {
		vocab, d, n := v.Inputs[0].Shape[0], v.Inputs[0].Shape[1], v.Inputs[1].Shape[0]
		ids := make([]uint32, n)
		for i, id := range v.Inputs[1].Data {
			ids[i] = uint32(id)
		}
		y := zeros(n * d)
		run(t, shaders.Embedding(n, vocab, d), ids, v.Inputs[0].f(), y)
		nearVector(t, "y", y, v.Outputs[0].f())
		dtable := embeddingGrad(t, run, ids, v.OutputGrads[0].f(), vocab, d, shaders.NoPadding)
		nearVector(t, "dtable", dtable, v.InputGrads[0].f())
	})
}

// The sum over positions, whatever the order of ids; the padding's row stays 0
// and ids beyond the table are left out.
func TestEmbeddingGrad(t *testing.T) {
	for _, c := range []struct{ n, vocab, d int }{{1, 1, 1}, {3, 2, 3}, {63, 7, 4}, {64, 100, 65}, {65, 5, 64}, {384, 50, 12}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				rng := rand.New(rand.NewPCG(uint64(c.n), 7))
				ids := make([]uint32, c.n)
				for i := range ids {
					ids[i] = uint32(rng.IntN(c.vocab + 1)) // one beyond now and then
				}
				dy := normal(3, c.n*c.d)
				for _, padding := range []uint32{shaders.NoPadding, 1} {
					want := zeros(c.vocab * c.d)
					for i, id := range ids {
						for j := range c.d {
							if id != padding && int(id) < c.vocab {
								want[int(id)*c.d+j] += dy[i*c.d+j]
							}
						}
					}
					near(t, "dtable", embeddingGrad(t, run, ids, dy, c.vocab, c.d, padding), want, 1e-6, 0)
				}
			})
		})
	}
}

// Ranges of a table give together what the whole gives, ids beyond it as its last row.
func TestEmbeddingRange(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		const vocab, n = 7, 65
		rng := rand.New(rand.NewPCG(3, 5))
		ids := make([]uint32, n)
		for i := range ids {
			ids[i] = uint32(rng.IntN(vocab + 2))
		}
		for _, d := range []int{1, 3, 4, 12} {
			table := normal(9, vocab*d)
			whole, ranges := zeros(n*d), zeros(n*d)
			run(t, shaders.Embedding(n, vocab, d), ids, table, whole)
			for _, r := range [][2]int{{0, 3}, {3, 6}, {6, 7}} {
				run(t, shaders.EmbeddingRange(n, shaders.TableRange{Vocab: vocab, D: d, First: r[0], Rows: r[1] - r[0]}), ids, table[r[0]*d:r[1]*d], ranges)
			}
			near(t, "y", ranges, whole, 0, 0)
			if d%4 != 0 {
				continue
			}
			for _, format := range []shaders.Format{shaders.F16, shaders.I8} {
				words, scales := format.Encode(table, d)
				unpacked := format.Decode(words, scales, d)
				near(t, "packed table", unpacked, table, 0, map[shaders.Format]float64{shaders.F16: 1.0 / 512, shaders.I8: 3.5 / 254}[format])
				want, y := zeros(n*d), zeros(n*d)
				run(t, shaders.Embedding(n, vocab, d), ids, unpacked, want)
				args := []any{ids, words}
				if scales != nil {
					args = append(args, scales)
				}
				run(t, shaders.EmbeddingRange(n, shaders.TableRange{Vocab: vocab, D: d, Rows: vocab, Format: format}), append(args, y)...)
				near(t, "packed y", y, want, 1e-6, 0)
			}
		}
	})
}

func TestTake(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for _, d := range []int{1, 3, 4} {
			const outer, size = 3, 5
			ids := []int32{4, 0, -1, -5, 2, 99, -99}
			clamped := []int{4, 0, 4, 0, 2, 4, 0}
			x, y, want := normal(1, outer*size*d), zeros(outer*len(ids)*d), zeros(0)
			for o := range outer {
				for _, id := range clamped {
					want = append(want, x[(o*size+id)*d:(o*size+id+1)*d]...)
				}
			}
			run(t, shaders.Take(outer, size, d, len(ids)), ids, x, y)
			near(t, "y", y, want, 0, 0)
		}
	})
}

func TestCast(t *testing.T) {
	values := []struct {
		x float32
		h uint32
	}{
		{0, 0}, {1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff}, {1e6, 0x7bff}, {-1e6, 0xfbff}, {0.1, 0x2e66},
		{1.0 / (1 << 14), 0x0400}, {1.0 / (1 << 24), 0x0001}, {1.5 / (1 << 24), 0x0002}, {3.0 / (1 << 15), 0x0600}, {1e-9, 0},
		{1 + 1.0/2048, 0x3c00}, {1 + 3.0/2048, 0x3c02}, {2047.5 / 1024, 0x4000}, {1.0 / 3, 0x3555},
	}
	t.Run("known values, twin", func(t *testing.T) {
		for _, v := range values {
			y := make([]uint32, 1)
			runTwin(t, shaders.Pack(1), []float32{v.x}, y)
			if y[0]&0xffff != v.h {
				t.Errorf("%g packs to %#x, want %#x", v.x, y[0]&0xffff, v.h)
			}
			back := zeros(1)
			runTwin(t, shaders.Unpack(1), y, back)
			if d := math.Abs(float64(back[0] - v.x)); math.Abs(float64(v.x)) <= 65504 && d > max(math.Abs(float64(v.x))/2048, 1.0/(1<<25)) {
				t.Errorf("%g comes back as %g", v.x, back[0])
			}
		}
	})
	onBoth(t, func(t *testing.T, run runner) {
		for _, n := range oddLengths {
			x, y, back := normal(uint64(n), n), make([]uint32, (n+1)/2), zeros(n)
			run(t, shaders.Pack(n), x, y)
			run(t, shaders.Unpack(n), y, back)
			for i := range x {
				if d := math.Abs(float64(x[i] - back[i])); d > math.Abs(float64(x[i]))/2048+1.0/(1<<25) {
					t.Errorf("%g comes back as %g", x[i], back[i])
				}
			}
		}
	})
}
