package graph

import (
	"math"
	"slices"

	"duet/gpu"
	"duet/shaders"
)

// embedding looks up rows of a table that lies in one or several ranges of rows.
// Operands: ids, the ranges [V_i D], and the scales [V_i] of each where there are any.
type embedding struct{ ranges int }

// Embedding returns the rows that ids (uint32, any shape) name of a table
// [V D], which may be given in ranges of rows one after the other.
func (g *Graph) Embedding(ids Tensor, ranges ...Tensor) Tensor {
	return g.EmbeddingPacked(ids, ranges, nil)
}

// EmbeddingPacked is [Graph.Embedding] with packed ranges; scales [V_i] multiply
// their rows where the format has any.
func (g *Graph) EmbeddingPacked(ids Tensor, ranges, scales []Tensor) Tensor {
	return g.apply1(embedding{len(ranges)}, slices.Concat([]Tensor{ids}, ranges, scales)...)
}

func (embedding) name() string { return "embedding" }
func (o embedding) infer(in [][]int) [][]int {
	for _, r := range in[1 : 1+o.ranges] {
		if len(r) != 2 || r[1] != in[1][1] {
			fail("embedding: tables %v, want [V D]", in[1:])
		}
	}
	return [][]int{append(slices.Clone(in[0]), in[1][1])}
}

func (o embedding) lower(l *lowering, n *node) {
	ids, ranges, scales := n.in[0], n.in[1:1+o.ranges], n.in[1+o.ranges:]
	format := ranges[0].value().format
	if len(ranges) == 1 && format == shaders.F32 {
		s := ranges[0].Shape()
		l.add(n.label, shaders.Embedding(ids.Len(), s[0], s[1]), l.in(ids), l.in(ranges[0]), l.out(n.out[0]))
		return
	}
	vocab := 0
	for _, r := range ranges {
		vocab += r.Dim(0)
	}
	first := 0
	for i, r := range ranges {
		args := []gpu.View{l.in(ids), l.in(r)}
		if len(scales) > 0 {
			args = append(args, l.in(scales[i]))
		}
		l.add(n.label, shaders.EmbeddingRange(ids.Len(), shaders.TableRange{Vocab: vocab, D: r.Dim(1), First: first, Rows: r.Dim(0), Format: format}),
			append(args, l.out(n.out[0]))...)
		first += r.Dim(0)
	}
}

func (o embedding) grad(n *node, dy []Tensor, wanted []bool) []Tensor {
	ids, g := n.in[0], n.in[0].g
	links := g.apply1(embeddingLinks{}, ids)
	out := make([]Tensor, len(n.in))
	first := 0
	for i, r := range n.in[1 : 1+o.ranges] {
		if wanted[i+1] {
			out[i+1] = g.apply1(embeddingGrad{first: first, shape: r.Shape()}, ids, links, dy[0])
		}
		first += r.Dim(0)
	}
	return out
}

// embeddingLinks chains the positions of each id.
type embeddingLinks struct{ noGrad }

func (embeddingLinks) name() string             { return "embedding_links" }
func (embeddingLinks) infer(in [][]int) [][]int { return in }
func (embeddingLinks) lower(l *lowering, n *node) {
	l.add(n.label, shaders.EmbeddingLinks(n.in[0].Len(), shaders.NoPadding), l.in(n.in[0]), l.out(n.out[0]))
}

// embeddingGrad sums the gradients of each row of a range, of which first is
// the first id. Operands: ids, links, dy.
type embeddingGrad struct {
	noGrad
	first int
	shape []int
}

func (o embeddingGrad) name() string          { return "embedding_grad" }
func (o embeddingGrad) infer([][]int) [][]int { return [][]int{o.shape} }
func (o embeddingGrad) lower(l *lowering, n *node) {
	args := append(l.ins(n), l.out(n.out[0]))
	l.add(n.label+" zero", shaders.Fill(o.shape[0]*o.shape[1], 0), args[3])
	l.add(n.label, shaders.EmbeddingGrad(n.in[0].Len(), o.first, o.shape[0], o.shape[1]), args...)
}

// attention is multi-head attention. Operands: q [B Tq H·Dh], k, v [B Tk Hkv·Dh],
// [lengths [B]], [mask]; outputs: o [B Tq H·Dh] and log-sum-exp [B H Tq].
type attention struct {
	heads, kvHeads int
	scale          float32
	lengths        bool
	mask           bool
}

// Attention is the field's scaled dot-product attention: o = softmax(q·kᵀ·scale + mask)·v.
type Attention struct {
	Heads   int
	KVHeads int     // 0: as many as Heads; grouped-query attention otherwise
	Scale   float32 // 0: 1/√Dh
	Lengths Tensor  // [B] uint32, optional: keys from there on are masked
	Mask    Tensor  // [B|1 H|1 Tq Tk], optional: added to the scores
}

// Attend applies attention to queries [B Tq H·Dh], keys and values [B Tk Hkv·Dh].
func (a Attention) Attend(q, k, v Tensor) Tensor {
	o := attention{heads: a.Heads, kvHeads: a.KVHeads, scale: a.Scale, lengths: a.Lengths.ok(), mask: a.Mask.ok()}
	if o.kvHeads == 0 {
		o.kvHeads = o.heads
	}
	if o.heads < 1 || o.kvHeads < 1 || len(q.Shape()) != 3 || q.Dim(2)%o.heads != 0 {
		fail("attention: queries %v and %d heads do not fit", q.Shape(), o.heads)
	}
	if o.scale == 0 {
		o.scale = float32(1 / math.Sqrt(float64(q.Dim(2)/o.heads)))
	}
	in := []Tensor{q, k, v}
	if o.lengths {
		in = append(in, a.Lengths)
	}
	if o.mask {
		in = append(in, a.Mask)
	}
	return q.g.apply(o, in...)[0]
}

func (o attention) name() string { return "attention" }

func (o attention) infer(in [][]int) [][]int {
	q, k, v := in[0], in[1], in[2]
	dh := q[2] / o.heads
	if len(k) != 3 || !slices.Equal(k[:2], v[:2]) || k[0] != q[0] || k[2] != dh*o.kvHeads || o.heads%o.kvHeads != 0 || v[2]%o.kvHeads != 0 {
		fail("attention: queries %v, keys %v and values %v with %d and %d heads do not fit", q, k, v, o.heads, o.kvHeads)
	}
	return [][]int{{q[0], q[1], v[2] / o.kvHeads * o.heads}, {q[0], o.heads, q[1]}}
}

// shape describes the operands; mask is nil where there is none.
func (o attention) shape(q, k, v, mask []int) shaders.AttentionShape {
	s := shaders.AttentionShape{B: q[0], H: o.heads, HKV: o.kvHeads, TQ: q[1], TK: k[1],
		HeadDim: q[2] / o.heads, ValueDim: v[2] / o.kvHeads, Scale: o.scale, Lengths: o.lengths, Mask: o.mask}
	if o.mask {
		s.MaskB, s.MaskH = mask[0] > 1, mask[1] > 1
	}
	return s
}

func (o attention) lower(l *lowering, n *node) {
	s := o.shape(n.in[0].Shape(), n.in[1].Shape(), n.in[2].Shape(), n.in[len(n.in)-1].Shape())
	s.Target = l.target
	l.add(n.label, shaders.Attention(s), append(l.ins(n), l.out(n.out[0]), l.out(n.out[1]))...)
}

func (o attention) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	in := append([]Tensor{n.out[0], n.out[1], dy[0]}, n.in...)
	return append(n.in[0].g.apply(attentionGrad{attention: o}, in...), make([]Tensor, len(n.in)-3)...)
}

// attentionGrad computes dq, dk, dv. Operands: o, log-sum-exp, do, q, k, v, [lengths], [mask].
type attentionGrad struct {
	noGrad
	attention attention
}

func (o attentionGrad) name() string             { return "attention_grad" }
func (o attentionGrad) infer(in [][]int) [][]int { return [][]int{in[3], in[4], in[5]} }
func (o attentionGrad) lower(l *lowering, n *node) {
	s := o.attention.shape(n.in[3].Shape(), n.in[4].Shape(), n.in[5].Shape(), n.in[len(n.in)-1].Shape())
	s.Target = l.target
	in := l.ins(n)
	y, lse, dy, qkv, mask := in[0], in[1], in[2], in[3:6], in[6:]
	args := []gpu.View{y, lse, dy}
	if s.Lengths {
		args, mask = append(args, in[6]), in[7:]
	}
	stats := l.temp(n, "stats", s.StatsWords())
	l.add(n.label+" stats", shaders.AttentionGradStats(s), append(args, stats)...)
	args = append(append([]gpu.View{}, qkv...), dy, stats)
	args = append(args, mask...)
	l.add(n.label+" q", shaders.AttentionGradQ(s), append(slices.Clone(args), l.out(n.out[0]))...)
	l.add(n.label+" kv", shaders.AttentionGradKV(s), append(slices.Clone(args), l.out(n.out[1]), l.out(n.out[2]))...)
}
