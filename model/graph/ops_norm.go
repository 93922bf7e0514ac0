package graph

import (
	"slices"

	"duet/gpu"
	"duet/shaders"
)

// batchNorm normalises each channel over all rows with the statistics of the
// batch: y = act((x − mean)·rstd·γ + β + residual). Operands: x, γ, β, running
// mean, running variance, [residual]; outputs: y, mean, rstd. The running
// statistics are updated when momentum > 0.
type batchNorm struct {
	eps, momentum float32
	relu          bool // from kernel fusion
	residual      bool // from kernel fusion
}

// BatchNorm normalises t [… C] per channel with batch statistics and moves the
// running ones by momentum (PyTorch's definition: unbiased variance); momentum
// zero leaves them alone.
func (t Tensor) BatchNorm(gamma, beta, mean, variance Tensor, eps, momentum float32) Tensor {
	return t.g.apply(batchNorm{eps: eps, momentum: momentum}, t, gamma, beta, mean, variance)[0]
}

func (o batchNorm) name() string {
	if o.relu {
		return "batchnorm+relu"
	}
	return "batchnorm"
}

func (o batchNorm) infer(in [][]int) [][]int {
	c := in[0][len(in[0])-1]
	for _, s := range in[1:5] {
		if !slices.Equal(s, []int{c}) {
			fail("batchnorm: a parameter has shape %v, the input %v", s, in[0])
		}
	}
	return [][]int{in[0], {c}, {c}}
}

func (o batchNorm) shape(x []int) shaders.BatchNormShape {
	return shaders.BatchNormShape{Rows: rows(x), C: x[len(x)-1], Eps: o.eps, Momentum: o.momentum, ReLU: o.relu, Residual: o.residual}
}

func (o batchNorm) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	out := n.in[0].g.apply(batchNormGrad{}, n.in[0], n.in[1], n.in[2], n.out[1], n.out[2], dy[0])
	return append(out, Tensor{}, Tensor{})
}

func (o batchNorm) lower(l *lowering, n *node) {
	s := o.shape(n.in[0].Shape())
	in := l.ins(n)
	x, gamma, beta, running := in[0], in[1], in[2], in[3:5]
	mean, rstd := l.out(n.out[1]), l.out(n.out[2])
	parts := l.temp(n, "parts", s.PartialWords())
	l.add(n.label+" partial", shaders.BatchNormPartial(s), x, parts)
	args := []gpu.View{parts, mean, rstd}
	if o.momentum > 0 {
		args = append(args, running...)
	}
	l.add(n.label+" statistics", shaders.BatchNormStatistics(s), args...)
	args = append([]gpu.View{x, mean, rstd, gamma, beta}, in[5:]...)
	l.add(n.label, shaders.BatchNorm(s), append(args, l.out(n.out[0]))...)
}

// batchNormGrad computes dx, dγ, dβ. Operands: x, γ, β, mean, rstd, dy. With
// relu, dy is that of act = ReLU; with residual too, the ReLU's output y follows
// as an operand, and the residual's gradient as an output.
type batchNormGrad struct {
	noGrad
	relu, residual bool // from kernel fusion
}

func (o batchNormGrad) name() string { return "batchnorm_grad" }
func (o batchNormGrad) infer(in [][]int) [][]int {
	return [][]int{in[0], in[1], in[1]}
}
func (o batchNormGrad) lower(l *lowering, n *node) {
	s := batchNorm{relu: o.relu, residual: o.residual}.shape(n.in[0].Shape())
	in := l.ins(n)
	x, gamma, beta, mean, rstd, dy := in[0], in[1], in[2], in[3], in[4], in[5]
	parts, coefficients := l.temp(n, "parts", s.PartialWords()), l.temp(n, "coefficients", s.CoefficientWords())
	args := []gpu.View{x, mean}
	switch {
	case o.residual:
		dr := l.out(n.out[3])
		args = append(args, dy, in[6], dr)
		dy = dr
	case o.relu:
		args = append(args, rstd, gamma, beta, dy)
	default:
		args = append(args, dy)
	}
	l.add(n.label+" partial", shaders.BatchNormGradPartial(s), append(args, parts)...)
	l.add(n.label+" sums", shaders.BatchNormGradSums(s), parts, mean, rstd, gamma, beta, l.out(n.out[1]), l.out(n.out[2]), coefficients)
	l.add(n.label, shaders.BatchNormGrad(s), x, coefficients, dy, l.out(n.out[0]))
}

// layerNorm normalises the last dimension. Operands: x, γ, β, [residual];
// outputs: y, mean, rstd, and with a residual the sum x + residual.
type layerNorm struct {
	eps      float32
	residual bool // from kernel fusion
}

// LayerNorm normalises t over its last dimension.
func (t Tensor) LayerNorm(gamma, beta Tensor, eps float32) Tensor {
	return t.g.apply(layerNorm{eps: eps}, t, gamma, beta)[0]
}

func (o layerNorm) name() string { return "layernorm" }
func (o layerNorm) infer(in [][]int) [][]int {
	d := in[0][len(in[0])-1]
	if !slices.Equal(in[1], []int{d}) || !slices.Equal(in[2], []int{d}) {
		fail("layernorm: input %v with γ %v and β %v", in[0], in[1], in[2])
	}
	r := []int{rows(in[0])}
	return [][]int{in[0], r, r}
}
func (o layerNorm) shape(l *lowering, x []int, sum bool) shaders.LayerNormShape {
	return shaders.LayerNormShape{Rows: rows(x), D: x[len(x)-1], Eps: o.eps, Residual: o.residual, Sum: sum, Target: l.target}
}

func (o layerNorm) lower(l *lowering, n *node) {
	in := l.ins(n)
	args := []gpu.View{in[0]}
	if o.residual {
		args = append(args, in[3])
	}
	args = append(args, in[1], in[2])
	for _, y := range n.out {
		args = append(args, l.out(y))
	}
	l.add(n.label, shaders.LayerNorm(o.shape(l, n.in[0].Shape(), len(n.out) > 3)), args...)
}

func (o layerNorm) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return n.in[0].g.apply(layerNormGrad{}, n.in[0], n.in[1], n.out[1], n.out[2], dy[0])
}

// layerNormGrad computes dx, dγ, dβ. Operands: x, γ, mean, rstd, dy.
type layerNormGrad struct{ noGrad }

func (layerNormGrad) name() string             { return "layernorm_grad" }
func (layerNormGrad) infer(in [][]int) [][]int { return [][]int{in[0], in[1], in[1]} }
func (layerNormGrad) lower(l *lowering, n *node) {
	s := layerNorm{}.shape(l, n.in[0].Shape(), false)
	in := l.ins(n)
	x, gamma, mean, rstd, dy := in[0], in[1], in[2], in[3], in[4]
	l.add(n.label, shaders.LayerNormGrad(s), x, gamma, mean, rstd, dy, l.out(n.out[0]))
	parts := l.temp(n, "parts", s.PartialWords())
	l.add(n.label+" partial", shaders.LayerNormGradPartial(s), x, mean, rstd, dy, parts)
	l.add(n.label+" sums", shaders.LayerNormGradSums(s), parts, l.out(n.out[1]), l.out(n.out[2]))
}

// l2Normalize divides rows by their Euclidean norm.
type l2Normalize struct{ eps float32 }

// L2Normalize returns t / max(‖t‖, eps) over the last dimension.
func (t Tensor) L2Normalize(eps float32) Tensor { return t.g.apply(l2Normalize{eps}, t)[0] }

func (o l2Normalize) name() string             { return "l2normalize" }
func (o l2Normalize) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o l2Normalize) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	l.add(n.label, shaders.L2Normalize(rows(s), s[len(s)-1], o.eps), l.in(n.in[0]), l.out(n.out[0]))
}
func (o l2Normalize) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return n.in[0].g.apply(l2NormalizeGrad{eps: o.eps}, n.in[0], dy[0])
}

type l2NormalizeGrad struct {
	noGrad
	eps float32
}

func (l2NormalizeGrad) name() string             { return "l2normalize_grad" }
func (l2NormalizeGrad) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o l2NormalizeGrad) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	l.add(n.label, shaders.L2NormalizeGrad(rows(s), s[len(s)-1], o.eps), append(l.ins(n), l.out(n.out[0]))...)
}

// softmax is the softmax, or its logarithm, along an axis.
type softmax struct {
	axis int
	log  bool
}

// Softmax returns the softmax along axis (from the end when negative).
func (t Tensor) Softmax(axis int) Tensor { return t.g.apply1(softmax{t.axis(axis), false}, t) }

// LogSoftmax returns the logarithm of the softmax along axis.
func (t Tensor) LogSoftmax(axis int) Tensor { return t.g.apply1(softmax{t.axis(axis), true}, t) }

func (t Tensor) axis(i int) int {
	if i < 0 {
		i += len(t.Shape())
	}
	if i < 0 || i >= len(t.Shape()) {
		fail("axis %d of shape %v", i, t.Shape())
	}
	return i
}

func (o softmax) name() string {
	if o.log {
		return "logsoftmax"
	}
	return "softmax"
}
func (o softmax) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o softmax) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{n.in[0].g.apply1(softmaxGrad{softmax: o}, n.out[0], dy[0])}
}

// split returns the sizes before, along and behind the axis.
func (o softmax) split(s []int) (outer, d, inner int) {
	return count(s[:o.axis]), s[o.axis], count(s[o.axis+1:])
}

func (o softmax) lower(l *lowering, n *node) {
	outer, d, inner := o.split(n.in[0].Shape())
	launch := shaders.Softmax(outer, d, inner)
	if o.log {
		launch = shaders.LogSoftmax(outer, d, inner)
	}
	l.add(n.label, launch, l.in(n.in[0]), l.out(n.out[0]))
}

// softmaxGrad computes dx. Operands: y, dy.
type softmaxGrad struct {
	noGrad
	softmax softmax
}

func (o softmaxGrad) name() string             { return o.softmax.name() + "_grad" }
func (o softmaxGrad) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o softmaxGrad) lower(l *lowering, n *node) {
	outer, d, inner := o.softmax.split(n.in[0].Shape())
	launch := shaders.SoftmaxGrad(outer, d, inner)
	if o.softmax.log {
		launch = shaders.LogSoftmaxGrad(outer, d, inner)
	}
	l.add(n.label, launch, append(l.ins(n), l.out(n.out[0]))...)
}
