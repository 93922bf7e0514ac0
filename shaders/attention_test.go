package shaders_test

import (
	"fmt"
	"math"
	"testing"

	"duet/shaders"
)

// attention holds one attention and its gradient, with operands of their own or
// packed side by side in one buffer.
type attention struct {
	shape      shaders.AttentionShape
	q, k, v    []float32
	lengths    []uint32
	mask       []float32
	o, lse     []float32
	dq, dk, dv []float32
}

func newAttention(s shaders.AttentionShape) *attention {
	if s.ValueDim == 0 {
		s.ValueDim = s.HeadDim
	}
	a := &attention{shape: s, lengths: make([]uint32, s.B)}
	a.q = normal(1, s.B*s.TQ*s.H*s.HeadDim)
	a.k = normal(2, s.B*s.TK*s.HKV*s.HeadDim)
	a.v = normal(3, s.B*s.TK*s.HKV*s.ValueDim)
	for b := range a.lengths {
		a.lengths[b] = uint32(max(s.TK-3*b, 0))
	}
	n := s.TQ * s.TK
	if s.MaskH {
		n *= s.H
	}
	if s.MaskB {
		n *= s.B
	}
	a.mask = normal(4, n)
	for i := range a.mask {
		if a.mask[i] > 1 || i < s.TK { // the first query sees nothing
			a.mask[i] = float32(math.Inf(-1))
		}
	}
	return a
}

// pack puts q, k and v side by side into rows of one buffer, shifted by a few
// columns; it needs TQ == TK.
func (a *attention) pack(shift int) {
	s := &a.shape
	rows, q, k, v := s.B*s.TQ, s.H*s.HeadDim, s.HKV*s.HeadDim, s.HKV*s.ValueDim
	width := shift + q + k + v
	packed := normal(9, rows*width)
	for r := range rows {
		row := packed[r*width+shift:]
		copy(row, a.q[r*q:(r+1)*q])
		copy(row[q:], a.k[r*k:(r+1)*k])
		copy(row[q+k:], a.v[r*v:(r+1)*v])
	}
	a.q, a.k, a.v = packed, packed, packed
	s.Q = shaders.Columns{Row: width, Offset: shift}
	s.K = shaders.Columns{Row: width, Offset: shift + q}
	s.V = shaders.Columns{Row: width, Offset: shift + q + k}
	s.DQ, s.DK, s.DV, s.PackedKV = s.Q, s.K, s.V, true
}

func (a *attention) forward(t testing.TB, run runner) []float32 {
	s := a.shape
	a.o, a.lse = zeros(s.B*s.TQ*s.H*s.ValueDim), zeros(s.B*s.H*s.TQ)
	args := []any{a.q, a.k, a.v}
	if s.Lengths {
		args = append(args, a.lengths)
	}
	if s.Mask {
		args = append(args, a.mask)
	}
	run(t, shaders.Attention(s), append(args, a.o, a.lse)...)
	return a.o
}

func (a *attention) backward(t testing.TB, run runner, do []float32) {
	s := a.shape
	stats := zeros(s.StatsWords())
	args := []any{a.o, a.lse, do}
	if s.Lengths {
		args = append(args, a.lengths)
	}
	run(t, shaders.AttentionGradStats(s), append(args, stats)...)
	args = []any{a.q, a.k, a.v, do, stats}
	if s.Mask {
		args = append(args, a.mask)
	}
	a.dq, a.dk, a.dv = zeros(len(a.q)), zeros(len(a.k)), zeros(len(a.v))
	if s.PackedKV {
		a.dk, a.dv = a.dq, a.dq
		run(t, shaders.AttentionGradKV(s), append(args, a.dk)...)
	} else {
		run(t, shaders.AttentionGradKV(s), append(args, a.dk, a.dv)...)
	}
	run(t, shaders.AttentionGradQ(s), append(args, a.dq)...)
}

func TestAttentionVectors(t *testing.T) {
	forVectors(t, "attention", func(t *testing.T, run runner, v vector) {
		d := v.Inputs[0].Shape
		a := &attention{
			shape: shaders.AttentionShape{B: d[0], H: d[2], HKV: d[2], TQ: d[1], TK: d[1], HeadDim: d[3], ValueDim: d[3],
				Scale: float32(v.Attrs["scale"].(float64)), Lengths: true},
			q: v.Inputs[0].f(), k: v.Inputs[1].f(), v: v.Inputs[2].f(), lengths: make([]uint32, d[0]),
		}
		for i, attend := range v.Inputs[3].Data {
			a.lengths[i/d[1]] += uint32(attend)
		}
		nearVector(t, "o", a.forward(t, run), v.Outputs[0].f())
		a.backward(t, run, v.OutputGrads[0].f())
		nearVector(t, "dq", a.dq, v.InputGrads[0].f())
		nearVector(t, "dk", a.dk, v.InputGrads[1].f())
		nearVector(t, "dv", a.dv, v.InputGrads[2].f())
	})
}

func TestAttentionGradients(t *testing.T) {
	for _, s := range []shaders.AttentionShape{
		{B: 2, H: 2, HKV: 2, TQ: 3, TK: 5, HeadDim: 4, Lengths: true},
		{B: 2, H: 4, HKV: 2, TQ: 3, TK: 4, HeadDim: 3, ValueDim: 5, Mask: true, MaskB: true, MaskH: true},
		{B: 2, H: 2, HKV: 1, TQ: 4, TK: 4, HeadDim: 4, Mask: true, Lengths: true},
		{B: 1, H: 2, HKV: 2, TQ: 2, TK: 3, HeadDim: 4, ValueDim: 8},
	} {
		s.Scale = 0.5
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			a := newAttention(s)
			do := normal(5, s.B*s.TQ*s.H*a.shape.ValueDim)
			a.forward(t, runTwin)
			a.backward(t, runTwin, do)
			gradcheck(t, [][]float32{a.q, a.k, a.v}, [][]float32{a.dq, a.dk, a.dv}, do, 1e-2, 1e-4,
				func([][]float32) []float32 { return a.forward(t, runTwin) })
		})
	}
}

// Operands and gradients inside one wider buffer give what buffers of their own
// give, and leave the other columns alone.
func TestAttentionPacked(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for i, shift := range []int{0, 4, 3, 0, 4} {
			s := shaders.AttentionShape{B: 2, H: 4, HKV: 2, TQ: 5, TK: 5, HeadDim: 8, ValueDim: 4, Scale: 0.3, Lengths: true, Target: shaders.Target(i / 3)}
			own, packed := newAttention(s), newAttention(s)
			packed.pack(shift)
			do := normal(5, s.B*s.TQ*s.H*s.ValueDim)
			near(t, "o", packed.forward(t, run), own.forward(t, run), 1e-6, 0)
			own.backward(t, run, do)
			packed.backward(t, run, do)
			p := packed.shape
			got := newAttention(s)
			got.dq, got.dk, got.dv = zeros(len(own.dq)), zeros(len(own.dk)), zeros(len(own.dv))
			for r := range s.B * s.TQ {
				row := packed.dq[r*p.Q.Row : (r+1)*p.Q.Row]
				for i, v := range row[:shift] {
					if v != 0 {
						t.Fatalf("column %d was written", i)
					}
				}
				copy(got.dq[r*32:(r+1)*32], row[p.Q.Offset:])
				copy(got.dk[r*16:(r+1)*16], row[p.K.Offset:])
				copy(got.dv[r*8:(r+1)*8], row[p.V.Offset:])
			}
			near(t, "dq", got.dq, own.dq, 2e-6, 0)
			near(t, "dk", got.dk, own.dk, 2e-6, 0)
			near(t, "dv", got.dv, own.dv, 2e-6, 0)
		}
	})
}

// A query that sees no key has output and gradient zero, whatever masks it.
func TestAttentionOfNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for i, masked := range []float32{float32(math.Inf(-1)), -math.MaxFloat32, float32(math.Inf(-1)), -math.MaxFloat32} {
			s := shaders.AttentionShape{B: 2, H: 1, HKV: 1, TQ: 2, TK: 5, HeadDim: 4, ValueDim: 4, Scale: 0.5, Lengths: true, Mask: true, MaskB: true, Target: shaders.Target(i / 2)}
			a := newAttention(s)
			a.lengths = []uint32{0, 9} // a length beyond the end counts all
			a.mask = zeros(20)
			for j := range 5 {
				a.mask[15+j] = masked // the second query of the second b
			}
			a.forward(t, run)
			near(t, "o of the first", a.o[:8], zeros(8), 0, 0)
			near(t, "o of the last", a.o[12:], zeros(4), 0, 0)
			near(t, "lse", []float32{a.lse[0], a.lse[1], a.lse[3]}, zeros(3), 0, 0)
			if a.o[8] == 0 || a.lse[2] == 0 {
				t.Errorf("the query that sees keys has output %v, log-sum-exp %g", a.o[8:12], a.lse[2])
			}
			a.backward(t, run, normal(5, 16))
			near(t, "dq of the first", a.dq[:8], zeros(8), 0, 0)
			near(t, "dq of the last", a.dq[12:], zeros(4), 0, 0)
			near(t, "dk of the first", a.dk[:20], zeros(20), 0, 0)
			near(t, "dv of the first", a.dv[:20], zeros(20), 0, 0)
		}
	})
}

func TestAttentionOnDevice(t *testing.T) {
	for _, s := range []shaders.AttentionShape{
		{B: 1, H: 1, HKV: 1, TQ: 1, TK: 1, HeadDim: 1},
		{B: 3, H: 2, HKV: 1, TQ: 3, TK: 63, HeadDim: 3, ValueDim: 5, Lengths: true},
		{B: 2, H: 4, HKV: 4, TQ: 16, TK: 16, HeadDim: 32, Lengths: true},
		{B: 2, H: 2, HKV: 2, TQ: 65, TK: 64, HeadDim: 64, Mask: true, MaskB: true},
		{B: 2, H: 4, HKV: 2, TQ: 30, TK: 49, HeadDim: 16, Mask: true, MaskH: true, Lengths: true},
		{B: 1, H: 1, HKV: 1, TQ: 7, TK: 130, HeadDim: 128, Mask: true},
		{B: 1, H: 1, HKV: 1, TQ: 5, TK: 6, HeadDim: 272, Lengths: true},
		{B: 1, H: 2, HKV: 2, TQ: 5, TK: 6, HeadDim: 65},
		// Enough for tiles of eight.
		{B: 17, H: 4, HKV: 2, TQ: 17, TK: 15, HeadDim: 8, ValueDim: 12, Lengths: true},
		{B: 17, H: 4, HKV: 2, TQ: 17, TK: 15, HeadDim: 3, Lengths: true, Mask: true, MaskB: true, MaskH: true},
	} {
		s.Scale = float32(1 / math.Sqrt(float64(s.HeadDim)))
		for s.Target = range targets {
			t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
				device, twin := newAttention(s), newAttention(s)
				do := normal(5, s.B*s.TQ*s.H*device.shape.ValueDim)
				near(t, "o", device.forward(t, runDevice), twin.forward(t, runTwin), 5e-6, 0)
				near(t, "lse", device.lse, twin.lse, 2e-6, 1e-6)
				device.backward(t, runDevice, do)
				twin.backward(t, runTwin, do)
				near(t, "dq", device.dq, twin.dq, 5e-6, 1e-6)
				near(t, "dk", device.dk, twin.dk, 5e-6, 1e-6)
				near(t, "dv", device.dv, twin.dv, 5e-6, 1e-6)
			})
		}
	}
}
