package graph

import (
	"slices"

	"duet/shaders"
)

// argMax finds the index of the largest value along an axis.
type argMax struct {
	noGrad
	axis       int
	keep, last bool
}

// ArgMax returns the index (uint32) of the largest value along axis, the first
// of equal ones or the last. The axis goes away, or stays as 1 where keep is set.
// It has no derivative.
func (t Tensor) ArgMax(axis int, keep, last bool) Tensor {
	return t.g.apply1(argMax{axis: t.axis(axis), keep: keep, last: last}, t)
}

func (o argMax) name() string { return "argmax" }
func (o argMax) infer(in [][]int) [][]int {
	out := slices.Clone(in[0])
	if out[o.axis] = 1; !o.keep {
		out = slices.Delete(out, o.axis, o.axis+1)
	}
	return [][]int{out}
}
func (o argMax) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	launch := shaders.ArgMax(count(s[:o.axis]), s[o.axis], count(s[o.axis+1:]), o.last)
	l.add(n.label, launch, l.in(n.in[0]), l.out(n.out[0]))
}

// LayerNormStatistics is LayerNorm that also returns the mean and
// 1/√(variance + eps) of each row. Gradients pass through the first result only.
func (t Tensor) LayerNormStatistics(gamma, beta Tensor, eps float32) (y, mean, rstd Tensor) {
	out := t.g.apply(layerNorm{eps: eps}, t, gamma, beta)
	return out[0], out[1], out[2]
}
