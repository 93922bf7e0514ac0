package graph

import (
	"slices"

	"duet/shaders"
)

// reshape gives the same memory another shape.
type reshape struct{ shape []int }

// Reshape returns t with another shape of the same length; one dimension may be −1.
func (t Tensor) Reshape(shape ...int) Tensor {
	shape = slices.Clone(shape)
	if i := slices.Index(shape, -1); i >= 0 {
		shape[i] = 1
		if n := count(shape); n > 0 {
			shape[i] = t.Len() / n
		}
	}
	if slices.Equal(shape, t.Shape()) {
		return t
	}
	return t.g.apply1(reshape{shape}, t)
}

func (o reshape) name() string { return "reshape" }
func (o reshape) alias()       {}
func (o reshape) infer(in [][]int) [][]int {
	if count(in[0]) != count(o.shape) {
		fail("reshape: %v has not as many elements as %v", in[0], o.shape)
	}
	return [][]int{o.shape}
}
func (o reshape) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{dy[0].Reshape(n.in[0].Shape()...)}
}
func (o reshape) lower(l *lowering, n *node) { l.bind(n.out[0], l.in(n.in[0])) }

// transpose reorders dimensions.
type transpose struct{ perm []int }

// Transpose returns t with dimension i taken from dimension perm[i].
func (t Tensor) Transpose(perm ...int) Tensor {
	return t.g.apply1(transpose{slices.Clone(perm)}, t)
}

func (o transpose) name() string { return "transpose" }
func (o transpose) infer(in [][]int) [][]int {
	if len(o.perm) != len(in[0]) {
		fail("transpose: permutation %v of shape %v", o.perm, in[0])
	}
	seen := make([]bool, len(o.perm))
	out := make([]int, len(o.perm))
	for i, p := range o.perm {
		if p < 0 || p >= len(o.perm) || seen[p] {
			fail("transpose: %v is not a permutation", o.perm)
		}
		seen[p] = true
		out[i] = in[0][p]
	}
	return [][]int{out}
}
func (o transpose) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	inverse := make([]int, len(o.perm))
	for i, p := range o.perm {
		inverse[p] = i
	}
	return []Tensor{dy[0].Transpose(inverse...)}
}
func (o transpose) lower(l *lowering, n *node) {
	from := strides(n.in[0].Shape())
	take := make([]int, len(o.perm))
	for i, p := range o.perm {
		take[i] = from[p]
	}
	l.add(n.label, shaders.Gather(n.out[0].Shape(), take, 0), l.in(n.in[0]), l.out(n.out[0]))
}

// strides returns the element strides of a dense tensor.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// slice takes size[i] elements from start[i] on, step[i] apart, in each dimension.
type slice struct{ start, size, step []int }

// Slice returns the part of t that begins at start and has the given size.
func (t Tensor) Slice(start, size []int) Tensor {
	step := make([]int, len(start))
	for i := range step {
		step[i] = 1
	}
	return t.SliceStep(start, size, step)
}

// SliceStep is Slice taking every step[i]-th element of dimension i.
func (t Tensor) SliceStep(start, size, step []int) Tensor {
	return t.g.apply1(slice{slices.Clone(start), slices.Clone(size), slices.Clone(step)}, t)
}

// Select returns the elements of t at index i of dimension axis, which goes away.
func (t Tensor) Select(axis, i int) Tensor {
	s := slices.Clone(t.Shape())
	start := make([]int, len(s))
	start[axis] = i
	s[axis] = 1
	return t.Slice(start, s).Reshape(slices.Delete(s, axis, axis+1)...)
}

func (o slice) name() string { return "slice" }
func (o slice) infer(in [][]int) [][]int {
	if len(o.start) != len(in[0]) || len(o.size) != len(in[0]) {
		fail("slice: start %v and size %v of shape %v", o.start, o.size, in[0])
	}
	for i, d := range in[0] {
		if o.start[i] < 0 || o.size[i] < 1 || o.start[i]+(o.size[i]-1)*o.step[i] >= d {
			fail("slice: start %v, size %v, step %v of shape %v", o.start, o.size, o.step, in[0])
		}
	}
	return [][]int{o.size}
}
func (o slice) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{n.in[0].g.apply1(sliceGrad{slice: o, shape: n.in[0].Shape()}, dy[0])}
}
func (o slice) lower(l *lowering, n *node) {
	from := strides(n.in[0].Shape())
	offset, take := 0, make([]int, len(from))
	for i, s := range from {
		offset += o.start[i] * s
		take[i] = s * o.step[i]
	}
	l.add(n.label, shaders.Gather(o.size, take, offset), l.in(n.in[0]), l.out(n.out[0]))
}

// sliceGrad puts dy back into a tensor of zeros.
type sliceGrad struct {
	noGrad
	slice slice
	shape []int
}

func (o sliceGrad) name() string          { return "slice_grad" }
func (o sliceGrad) infer([][]int) [][]int { return [][]int{o.shape} }
func (o sliceGrad) lower(l *lowering, n *node) {
	l.add(n.label, shaders.SliceGrad(o.shape, o.slice.start, o.slice.size, o.slice.step), l.in(n.in[0]), l.out(n.out[0]))
}

// concat joins tensors along an axis.
type concat struct{ axis int }

// Concat joins tensors that agree in all dimensions but axis.
func (g *Graph) Concat(axis int, ts ...Tensor) Tensor {
	if len(ts) == 1 {
		return ts[0]
	}
	return g.apply1(concat{axis}, ts...)
}

func (o concat) name() string { return "concat" }
func (o concat) infer(in [][]int) [][]int {
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) || o.axis >= len(out) {
			fail("concat: shapes %v along axis %d", in, o.axis)
		}
		for i := range s {
			if i != o.axis && s[i] != out[i] {
				fail("concat: shapes %v along axis %d", in, o.axis)
			}
		}
		out[o.axis] += s[o.axis]
	}
	return [][]int{out}
}
func (o concat) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	out := make([]Tensor, len(n.in))
	start := make([]int, len(n.out[0].Shape()))
	for i, t := range n.in {
		out[i] = dy[0].Slice(start, t.Shape())
		start[o.axis] += t.Dim(o.axis)
	}
	return out
}
func (o concat) lower(l *lowering, n *node) {
	y := l.out(n.out[0])
	to := strides(n.out[0].Shape())
	offset := 0
	for i, t := range n.in {
		l.add(n.label, shaders.Scatter(t.Shape(), to, offset), l.in(n.in[i]), y)
		offset += t.Dim(o.axis) * to[o.axis]
	}
}

// expand repeats dimensions of size one.
type expand struct{ shape []int }

// Expand broadcasts t to shape.
func (t Tensor) Expand(shape ...int) Tensor {
	if slices.Equal(shape, t.Shape()) {
		return t
	}
	return t.g.apply1(expand{slices.Clone(shape)}, t)
}

func (o expand) name() string { return "expand" }
func (o expand) infer(in [][]int) [][]int {
	if !slices.Equal(broadcast("expand", in[0], o.shape), o.shape) {
		fail("expand: %v to %v", in[0], o.shape)
	}
	return [][]int{o.shape}
}
func (o expand) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{dy[0].sumTo(n.in[0].Shape())}
}
func (o expand) lower(l *lowering, n *node) {
	in := n.in[0].Shape()
	from := strides(in)
	take := make([]int, len(o.shape))
	for i := range take {
		if j := i - (len(o.shape) - len(in)); j >= 0 && in[j] != 1 {
			take[i] = from[j]
		}
	}
	l.add(n.label, shaders.Gather(o.shape, take, 0), l.in(n.in[0]), l.out(n.out[0]))
}

// reduce folds axes with the function named f.
type reduce struct {
	f    string
	axes []int
}

// Reduce folds the given axes, which go away, with f (see shaders.Reduce).
func (t Tensor) Reduce(f string, axes ...int) Tensor {
	axes = slices.Clone(axes)
	slices.Sort(axes)
	return t.g.apply1(reduce{f, axes}, t)
}

// Sum returns the sum of all elements.
func (t Tensor) Sum() Tensor { return t.Reshape(t.Len()).Reduce("sum", 0) }

func (o reduce) name() string { return "reduce_" + o.f }
func (o reduce) infer(in [][]int) [][]int {
	out := []int{}
	for i, d := range in[0] {
		if !slices.Contains(o.axes, i) {
			out = append(out, d)
		}
	}
	for _, a := range o.axes {
		if a < 0 || a >= len(in[0]) {
			fail("reduce: axis %d of shape %v", a, in[0])
		}
	}
	return [][]int{out}
}
func (o reduce) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	x := n.in[0].Shape()
	kept := slices.Clone(x)
	total := 1
	for _, a := range o.axes {
		kept[a] = 1
		total *= x[a]
	}
	d := dy[0].Reshape(kept...).Expand(x...)
	switch o.f {
	case "sum":
		return []Tensor{d}
	case "mean":
		return []Tensor{d.Scale(1/float32(total), 0)}
	}
	fail("reduce_%s has no derivative", o.f)
	return nil
}
func (o reduce) lower(l *lowering, n *node) {
	l.passes(n.label, shaders.Reduce(o.f, n.in[0].Shape(), o.axes, l.target), l.in(n.in[0]), l.out(n.out[0]))
}
