package graph

import (
	"slices"

	"duet/gpu"
	"duet/shaders"
)

// matmul is y = act(op(a)·op(b)·scale + bias + residual) over equal leading
// dimensions; bias, residual and activation come from kernel fusion only.
type matmul struct {
	ta, tb bool
	shaders.Epilogue
}

func (o matmul) name() string {
	if o.Act != "" && o.Act != "identity" {
		return "matmul+" + o.Act
	}
	return "matmul"
}

// MatMul multiplies the last two dimensions of t and b, after transposing
// them where asked; leading dimensions must agree, or b has none.
func (t Tensor) MatMul(b Tensor, transposeA, transposeB bool) Tensor {
	if len(b.Shape()) == 2 && len(t.Shape()) > 2 && !transposeA {
		s := t.Shape()
		flat := t.Reshape(rows(s), t.Dim(-1))
		y := flat.MatMul(b, false, transposeB)
		return y.Reshape(append(slices.Clone(s[:len(s)-1]), y.Dim(-1))...)
	}
	return t.g.apply1(matmul{ta: transposeA, tb: transposeB}, t, b)
}

// Linear computes t·wᵀ over the last dimension; w is [out in].
func (t Tensor) Linear(w Tensor) Tensor { return t.MatMul(w, false, true) }

// LinearPacked is [Tensor.Linear] with a packed weight; scale [out] multiplies
// the result's columns where the format has one.
func (t Tensor) LinearPacked(w, scale Tensor) Tensor {
	if !scale.ok() {
		return t.g.apply1(matmul{tb: true}, t, w)
	}
	return t.g.apply1(matmul{tb: true, Epilogue: shaders.Epilogue{Scale: true}}, t, w, scale)
}

func (o matmul) sizes(a, b []int) (z, m, k, n int) {
	d := len(a)
	if d < 2 || len(b) != d || !slices.Equal(a[:d-2], b[:d-2]) {
		fail("matmul: shapes %v and %v do not fit", a, b)
	}
	m, k = a[d-2], a[d-1]
	if o.ta {
		m, k = k, m
	}
	k2, n := b[d-2], b[d-1]
	if o.tb {
		k2, n = n, k2
	}
	if k != k2 {
		fail("matmul: shapes %v and %v (transposed: %v, %v) do not fit", a, b, o.ta, o.tb)
	}
	return count(a[:d-2]), m, k, n
}

func (o matmul) infer(in [][]int) [][]int {
	_, m, _, n := o.sizes(in[0], in[1])
	d := len(in[0])
	return [][]int{append(slices.Clone(in[0][:d-2]), m, n)}
}

func (o matmul) grad(n *node, dy []Tensor, wanted []bool) []Tensor {
	a, b, d := n.in[0], n.in[1], dy[0]
	out := make([]Tensor, len(n.in))
	if o.Scale {
		d = d.Mul(n.in[2]) // the weight's, whose own gradient nobody wants
	}
	if wanted[0] {
		if o.ta {
			out[0] = b.MatMul(d, o.tb, true)
		} else {
			out[0] = d.MatMul(b, false, !o.tb)
		}
	}
	if wanted[1] {
		if o.tb {
			out[1] = d.MatMul(a, true, o.ta)
		} else {
			out[1] = a.MatMul(d, !o.ta, false)
		}
	}
	return out
}

func (o matmul) lower(l *lowering, n *node) {
	z, m, k, cols := o.sizes(n.in[0].Shape(), n.in[1].Shape())
	s := shaders.MatmulShape{M: m, N: cols, K: k, TA: o.ta, TB: o.tb, Z: z, B: n.in[1].value().format, Target: l.target, Epilogue: o.Epilogue}
	if z > 1 {
		s.ZA, s.ZB = m*k, k*cols
	}
	args := l.ins(n)
	y := l.out(n.out[0])
	if splits := s.Splits(); splits > 1 {
		parts := l.temp(n, "parts", splits*m*cols)
		s.Epilogue = shaders.Epilogue{}
		l.add(n.label, shaders.MatmulSplit(s, splits), args[0], args[1], parts)
		l.splitSum(n, splits, m, cols, o.Epilogue, parts, args[2:], y)
		return
	}
	l.add(n.label, shaders.Matmul(s), append(args, y)...)
}

// Conv2DWith is Conv2D with every attribute spelled out: strides, padding
// before (top, left) and behind (bottom, right), dilations, as [y x] pairs.
func (t Tensor) Conv2DWith(w Tensor, stride, before, behind, dilation [2]int) Tensor {
	return t.g.apply1(conv2D{stride: stride, before: before, behind: behind, dilation: dilation}, t, w)
}

// Conv2D convolves t [N H W C] with w [O KH KW C], with the same stride and
// padding in both directions.
func (t Tensor) Conv2D(w Tensor, stride, pad int) Tensor {
	return t.Conv2DWith(w, [2]int{stride, stride}, [2]int{pad, pad}, [2]int{pad, pad}, [2]int{1, 1})
}

// Conv2DPacked is [Tensor.Conv2D] with a packed weight; scale [O] multiplies the
// result's channels.
func (t Tensor) Conv2DPacked(w, scale Tensor, stride, pad int) Tensor {
	o := conv2D{stride: [2]int{stride, stride}, before: [2]int{pad, pad}, behind: [2]int{pad, pad}, dilation: [2]int{1, 1}}
	o.Scale = true
	return t.g.apply1(o, t, w, scale)
}

// conv2D is y = act(x ∗ w · scale + bias + residual); bias, residual and
// activation come from kernel fusion only.
type conv2D struct {
	stride, before, behind, dilation [2]int
	shaders.Epilogue
}

func (o conv2D) name() string {
	if o.Act != "" && o.Act != "identity" {
		return "conv2d+" + o.Act
	}
	return "conv2d"
}

func (o conv2D) shape(x, w []int) shaders.Conv2DShape {
	if len(x) != 4 || len(w) != 4 || x[3] != w[3] {
		fail("conv2d: input %v and weight %v do not fit", x, w)
	}
	size := func(i, in, k int) int {
		n := in + o.before[i] + o.behind[i] - o.dilation[i]*(k-1) - 1
		if n < 0 {
			fail("conv2d: weight %v is larger than the padded input %v", w, x)
		}
		return n/o.stride[i] + 1
	}
	return shaders.Conv2DShape{
		Images: x[0], IH: x[1], IW: x[2], IC: x[3],
		OH: size(0, x[1], w[1]), OW: size(1, x[2], w[2]), OC: w[0],
		KH: w[1], KW: w[2],
		SY: o.stride[0], SX: o.stride[1], PY: o.before[0], PX: o.before[1], DY: o.dilation[0], DX: o.dilation[1],
	}
}

func (o conv2D) infer(in [][]int) [][]int {
	s := o.shape(in[0], in[1])
	return [][]int{{s.Images, s.OH, s.OW, s.OC}}
}

func (o conv2D) grad(n *node, dy []Tensor, wanted []bool) []Tensor {
	x, w := n.in[0], n.in[1]
	out := make([]Tensor, len(n.in))
	if wanted[0] && o.Scale {
		fail("%s: a convolution with packed weights has no gradient", n.label)
	}
	if wanted[0] {
		out[0] = x.g.apply1(conv2DGradInput{conv: o, input: x.Shape()}, dy[0], w)
	}
	if wanted[1] {
		out[1] = x.g.apply1(conv2DGradWeight{conv: o, weight: w.Shape()}, dy[0], x)
	}
	return out
}

func (o conv2D) lower(l *lowering, n *node) {
	s := o.shape(n.in[0].Shape(), n.in[1].Shape())
	s.Target = l.target
	args, y, format := l.ins(n), l.out(n.out[0]), n.in[1].value().format
	if splits := s.Splits(); splits > 1 {
		parts := l.temp(n, "parts", splits*n.out[0].Len())
		l.add(n.label, shaders.Conv2DSplit(s, format), args[0], args[1], parts)
		l.splitSum(n, splits, n.out[0].Len()/s.OC, s.OC, o.Epilogue, parts, args[2:], y)
		return
	}
	l.add(n.label, shaders.Conv2DPacked(s, format, o.Epilogue), append(args, y)...)
}

// splitSum adds the parts of a split product and finishes them with the operands
// of its epilogue.
func (l *lowering) splitSum(n *node, splits, rows, columns int, e shaders.Epilogue, parts gpu.View, operands []gpu.View, y gpu.View) {
	args := append(append([]gpu.View{parts}, operands...), y)
	l.add(n.label+" sum", shaders.SplitSum(splits, rows, columns, e), args...)
}

type conv2DGradInput struct {
	noGrad
	conv     conv2D
	input    []int
	residual bool // from kernel fusion: dx also adds the third operand
}

func (o conv2DGradInput) name() string          { return "conv2d_grad_input" }
func (o conv2DGradInput) infer([][]int) [][]int { return [][]int{o.input} }
func (o conv2DGradInput) lower(l *lowering, n *node) {
	s := o.conv.shape(o.input, n.in[1].Shape())
	s.Target = l.target
	l.add(n.label, shaders.Conv2DGradInput(s, o.residual), append(l.ins(n), l.out(n.out[0]))...)
}

type conv2DGradWeight struct {
	noGrad
	conv   conv2D
	weight []int
}

func (o conv2DGradWeight) name() string          { return "conv2d_grad_weight" }
func (o conv2DGradWeight) infer([][]int) [][]int { return [][]int{o.weight} }
func (o conv2DGradWeight) lower(l *lowering, n *node) {
	s := o.conv.shape(n.in[1].Shape(), o.weight)
	s.Target = l.target
	splits := shaders.Conv2DWeightSplits(s)
	dy, x, dw := l.in(n.in[0]), l.in(n.in[1]), l.out(n.out[0])
	if splits == 1 {
		l.add(n.label, shaders.Conv2DGradWeight(s, 1), dy, x, dw)
		return
	}
	words := count(o.weight)
	parts := l.temp(n, "parts", splits*words)
	l.add(n.label, shaders.Conv2DGradWeight(s, splits), dy, x, parts)
	l.splitSum(n, splits, s.OC, words/s.OC, shaders.Epilogue{}, parts, nil, dw)
}

// fusion is the fusion layer over v [M DV] and t [M DT] with w [N K], bias [N].
type fusion struct {
	concat, product bool
	act             string
}

// Fusion computes act(w·z + bias) with z = [v;t] (concat), [v;t;v∘t] (both) or
// v∘t (product only).
func (g *Graph) Fusion(v, t, w, bias Tensor, concat, product bool) Tensor {
	return g.apply1(fusion{concat: concat, product: product}, v, t, w, bias)
}

func (o fusion) name() string { return "fusion" }

func (o fusion) shape(v, t, w []int) shaders.FusionShape {
	if len(v) != 2 || len(t) != 2 || len(w) != 2 || v[0] != t[0] || (o.product && v[1] != t[1]) {
		fail("fusion: shapes %v, %v and weight %v do not fit", v, t, w)
	}
	s := shaders.FusionShape{M: v[0], N: w[0], DV: v[1], DT: t[1], Concat: o.concat, Product: o.product, Act: o.act}
	if s.K() != w[1] {
		fail("fusion: the fused vector of %v and %v has %d entries, the weight is %v", v, t, s.K(), w)
	}
	return s
}

func (o fusion) infer(in [][]int) [][]int {
	s := o.shape(in[0], in[1], in[2])
	return [][]int{{s.M, s.N}}
}

func (o fusion) grad(n *node, dy []Tensor, wanted []bool) []Tensor {
	v, t, w := n.in[0], n.in[1], n.in[2]
	g, out := v.g, make([]Tensor, 4)
	if wanted[0] || wanted[1] {
		dz := dy[0].MatMul(w, false, false)
		copy(out, g.apply(fusionGrad{fusion: o}, v, t, dz))
	}
	if wanted[2] {
		z := g.apply1(fusionInput{fusion: o}, v, t)
		out[2] = dy[0].MatMul(z, true, false)
	}
	if wanted[3] {
		out[3] = dy[0].Reduce("sum", 0)
	}
	return out
}

func (o fusion) lower(l *lowering, n *node) {
	s := o.shape(n.in[0].Shape(), n.in[1].Shape(), n.in[2].Shape())
	l.add(n.label, shaders.Fusion(s), append(l.ins(n), l.out(n.out[0]))...)
}

// fusionInput is the fused vector z itself.
type fusionInput struct {
	noGrad
	fusion fusion
}

func (o fusionInput) shapeOf(v, t []int) shaders.FusionShape {
	return shaders.FusionShape{M: v[0], DV: v[1], DT: t[1], Concat: o.fusion.concat, Product: o.fusion.product}
}
func (o fusionInput) name() string { return "fusion_input" }
func (o fusionInput) infer(in [][]int) [][]int {
	return [][]int{{in[0][0], o.shapeOf(in[0], in[1]).K()}}
}
func (o fusionInput) lower(l *lowering, n *node) {
	s := o.shapeOf(n.in[0].Shape(), n.in[1].Shape())
	l.add(n.label, shaders.FusionInput(s), append(l.ins(n), l.out(n.out[0]))...)
}

// fusionGrad splits the gradient of z into those of v and t.
type fusionGrad struct {
	noGrad
	fusion fusion
}

func (o fusionGrad) name() string             { return "fusion_grad" }
func (o fusionGrad) infer(in [][]int) [][]int { return [][]int{in[0], in[1]} }
func (o fusionGrad) lower(l *lowering, n *node) {
	s := fusionInput{fusion: o.fusion}.shapeOf(n.in[0].Shape(), n.in[1].Shape())
	l.add(n.label, shaders.FusionGrad(s), append(l.ins(n), l.out(n.out[0]), l.out(n.out[1]))...)
}

// gate is softmax(z) ∘ z over the rows of z; its second output is the rows'
// log-sum-exp.
type gate struct{}

// Gate returns softmax(t) ∘ t over the last dimension.
func (t Tensor) Gate() Tensor { return t.g.apply(gate{}, t)[0] }

func (gate) name() string             { return "gate" }
func (gate) infer(in [][]int) [][]int { return [][]int{in[0], in[0][:len(in[0])-1]} }
func (gate) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return n.in[0].g.apply(gateGrad{}, n.in[0], n.out[1], dy[0])
}
func (gate) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	l.add(n.label, shaders.Gate(rows(s), s[len(s)-1]), l.in(n.in[0]), l.out(n.out[0]), l.out(n.out[1]))
}

type gateGrad struct{ noGrad }

func (gateGrad) name() string             { return "gate_grad" }
func (gateGrad) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (gateGrad) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	l.add(n.label, shaders.GateGrad(rows(s), s[len(s)-1]), append(l.ins(n), l.out(n.out[0]))...)
}
