package graph

import "duet/shaders"

// pool is the geometry of a pooling window over [N H W C].
type pool struct {
	kernel, stride, before, behind, dilation [2]int
	ceil                                     bool
}

func (o pool) out(in []int) []int {
	if len(in) != 4 {
		fail("pool: input %v, want [N H W C]", in)
	}
	size := func(i, d int) int {
		n := d + o.before[i] + o.behind[i] - o.dilation[i]*(o.kernel[i]-1) - 1
		if n < 0 {
			fail("pool: window %v is larger than the padded input %v", o.kernel, in)
		}
		if o.ceil {
			// A window may hang over the end but must begin inside the input or its front padding.
			s := (n+o.stride[i]-1)/o.stride[i] + 1
			if (s-1)*o.stride[i] >= d+o.before[i] {
				s--
			}
			return s
		}
		return n/o.stride[i] + 1
	}
	return []int{in[0], size(0, in[1]), size(1, in[2]), in[3]}
}

func (o pool) shape(in []int) shaders.Pool2DShape {
	out := o.out(in)
	return shaders.Pool2DShape{Images: in[0], IH: in[1], IW: in[2], C: in[3], OH: out[1], OW: out[2],
		KH: o.kernel[0], KW: o.kernel[1], SY: o.stride[0], SX: o.stride[1], PY: o.before[0], PX: o.before[1],
		EY: o.behind[0], EX: o.behind[1], DY: o.dilation[0], DX: o.dilation[1]}
}

// maxPool outputs the maxima and the winners' positions.
type maxPool struct{ pool }

// MaxPool takes the maximum over windows of size×size; padding never wins.
func (t Tensor) MaxPool(size, stride, pad int) Tensor {
	return t.MaxPoolWith([2]int{size, size}, [2]int{stride, stride}, [2]int{pad, pad}, [2]int{pad, pad}, [2]int{1, 1}, false)
}

// MaxPoolWith is MaxPool with every attribute as [y x] pairs.
func (t Tensor) MaxPoolWith(kernel, stride, before, behind, dilation [2]int, ceil bool) Tensor {
	return t.g.apply(maxPool{pool{kernel, stride, before, behind, dilation, ceil}}, t)[0]
}

func (o maxPool) name() string { return "maxpool" }
func (o maxPool) infer(in [][]int) [][]int {
	s := o.out(in[0])
	return [][]int{s, s}
}
func (o maxPool) lower(l *lowering, n *node) {
	l.add(n.label, shaders.MaxPool2D(o.shape(n.in[0].Shape())), l.in(n.in[0]), l.out(n.out[0]), l.out(n.out[1]))
}
func (o maxPool) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{n.in[0].g.apply1(maxPoolGrad{pool: o.pool, shape: n.in[0].Shape()}, n.out[1], dy[0])}
}

// maxPoolGrad sends each gradient to the winner. Operands: winners, dy.
type maxPoolGrad struct {
	noGrad
	pool  pool
	shape []int
}

func (o maxPoolGrad) name() string          { return "maxpool_grad" }
func (o maxPoolGrad) infer([][]int) [][]int { return [][]int{o.shape} }
func (o maxPoolGrad) lower(l *lowering, n *node) {
	l.add(n.label, shaders.MaxPool2DGrad(o.pool.shape(o.shape)), append(l.ins(n), l.out(n.out[0]))...)
}

// averagePool averages windows.
type averagePool struct {
	pool
	includePad bool
}

// AveragePool averages windows over [N H W C], with every attribute as [y x]
// pairs; includePad counts the padding as zeros. It has no derivative.
func (t Tensor) AveragePool(kernel, stride, before, behind, dilation [2]int, ceil, includePad bool) Tensor {
	return t.g.apply1(averagePool{pool{kernel, stride, before, behind, dilation, ceil}, includePad}, t)
}

func (o averagePool) name() string             { return "averagepool" }
func (o averagePool) infer(in [][]int) [][]int { return [][]int{o.out(in[0])} }
func (o averagePool) grad(n *node, _ []Tensor, _ []bool) []Tensor {
	return noGrad{}.grad(n, nil, nil)
}
func (o averagePool) lower(l *lowering, n *node) {
	l.add(n.label, shaders.AveragePool2D(o.shape(n.in[0].Shape()), o.includePad), l.in(n.in[0]), l.out(n.out[0]))
}

// meanPool averages the positions of [N … C] per channel. Operands: x,
// [lengths]: positions from lengths[n] on are left out.
type meanPool struct{}

// MeanPool returns the mean over all positions of t [N … C], as [N C].
func (t Tensor) MeanPool() Tensor { return t.g.apply1(meanPool{}, t) }

// MeanPoolMasked returns the mean over the first lengths[n] positions of t [N T C].
func (t Tensor) MeanPoolMasked(lengths Tensor) Tensor { return t.g.apply1(meanPool{}, t, lengths) }

func (o meanPool) name() string { return "meanpool" }
func (o meanPool) infer(in [][]int) [][]int {
	if len(in[0]) < 3 {
		fail("meanpool: input %v has no positions", in[0])
	}
	return [][]int{{in[0][0], in[0][len(in[0])-1]}}
}
func (o meanPool) lower(l *lowering, n *node) {
	s := n.in[0].Shape()
	c := s[len(s)-1]
	l.add(n.label, shaders.MeanPool(s[0], count(s)/s[0]/c, c, len(n.in) > 1), append(l.ins(n), l.out(n.out[0]))...)
}
func (o meanPool) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{n.in[0].g.apply1(meanPoolGrad{shape: n.in[0].Shape()}, append(n.in[1:len(n.in):len(n.in)], dy[0])...), {}}[:len(n.in)]
}

// meanPoolGrad spreads dy. Operands: [lengths], dy.
type meanPoolGrad struct {
	noGrad
	shape []int
}

func (o meanPoolGrad) name() string          { return "meanpool_grad" }
func (o meanPoolGrad) infer([][]int) [][]int { return [][]int{o.shape} }
func (o meanPoolGrad) lower(l *lowering, n *node) {
	c := o.shape[len(o.shape)-1]
	l.add(n.label, shaders.MeanPoolGrad(o.shape[0], count(o.shape)/o.shape[0]/c, c, len(n.in) > 1), append(l.ins(n), l.out(n.out[0]))...)
}
