package conform

import (
	"math"
	"slices"

	"duet/model/graph"
)

// The functions of this file express the operators that the suites share in
// operations of the graph.

// normal returns an axis counted from the front.
func normal(axis, rank int) int {
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= max(rank, 1) {
		mismatch("axis %d of %d dimensions", axis, rank)
	}
	return axis
}

// axesOf returns axes counted from the front and sorted.
func axesOf(axes []int, rank int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		out[i] = normal(a, rank)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func allAxes(rank int) []int {
	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	return axes
}

// reduce folds axes with f, keeping them as 1 where asked.
func reduce(t graph.Tensor, f string, axes []int, keep bool) graph.Tensor {
	shape := slices.Clone(t.Shape())
	empty := false
	for _, a := range axes {
		empty = empty || shape[a] == 0
		shape[a] = 1
	}
	y := t
	switch {
	case product(shape) == 0: // nothing to compute
		y = t.Graph().Constant(0, shape...)
	case empty: // sums of nothing
		if f != "sum" && f != "sumsquare" && f != "l1" && f != "l2" {
			unsupported("reduce_%s of an empty axis", f)
		}
		y = t.Graph().Constant(0, shape...)
	default:
		y = t.Reduce(f, axes...)
	}
	if !keep {
		for i := len(axes) - 1; i >= 0; i-- {
			shape = slices.Delete(shape, axes[i], axes[i]+1)
		}
	}
	return y.Reshape(shape...)
}

// channelsLast moves dimension 1 of t [N C …] to the end.
func channelsLast(t graph.Tensor) graph.Tensor {
	rank := len(t.Shape())
	perm := append([]int{0}, allAxes(rank)[2:]...)
	return t.Transpose(append(perm, 1)...)
}

// channelsFirst is the inverse of channelsLast.
func channelsFirst(t graph.Tensor) graph.Tensor {
	rank := len(t.Shape())
	return t.Transpose(append([]int{0, rank - 1}, allAxes(rank - 1)[1:]...)...)
}

// alongAxis gives a vector the shape that broadcasts along an axis.
func alongAxis(v graph.Tensor, axis, rank int) graph.Tensor {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	shape[axis] = v.Len()
	return v.Reshape(shape...)
}

// matmul multiplies as NumPy does: vectors are matrices for the while, leading
// dimensions broadcast.
func matmul(a, b graph.Tensor) graph.Tensor {
	sa, sb := a.Shape(), b.Shape()
	if len(sa) == 0 || len(sb) == 0 {
		mismatch("matmul of shapes %v and %v", sa, sb)
	}
	dropRow, dropColumn := len(sa) == 1, len(sb) == 1
	if dropRow {
		a = a.Reshape(1, sa[0])
	}
	if dropColumn {
		b = b.Reshape(sb[0], 1)
	}
	sa, sb = a.Shape(), b.Shape()
	if len(sb) > 2 || len(sa) < 2 {
		lead := broadcast(sa[:len(sa)-2], sb[:len(sb)-2])
		a = a.Expand(append(slices.Clone(lead), sa[len(sa)-2:]...)...)
		b = b.Expand(append(slices.Clone(lead), sb[len(sb)-2:]...)...)
	}
	y := a.MatMul(b, false, false)
	shape := slices.Clone(y.Shape())
	if dropColumn {
		shape = shape[:len(shape)-1]
	}
	if dropRow {
		i := len(shape) - 1
		if !dropColumn {
			i--
		}
		shape = slices.Delete(shape, i, i+1)
	}
	return y.Reshape(shape...)
}

// broadcast returns the shape to which a and b broadcast.
func broadcast(a, b []int) []int {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		j := i + len(a) - len(b)
		switch {
		case out[j] == 1:
			out[j] = d
		case d != 1 && d != out[j]:
			mismatch("shapes %v and %v do not broadcast", a, b)
		}
	}
	return out
}

// gemm is alpha·op(a)·op(b) + beta·c.
func gemm(a, b graph.Tensor, c *graph.Tensor, alpha, beta float64, transposeA, transposeB bool) graph.Tensor {
	y := scaled(a.MatMul(b, transposeA, transposeB), alpha)
	if c != nil {
		y = y.Add(scaled(*c, beta))
	}
	return y
}

func scaled(t graph.Tensor, by float64) graph.Tensor {
	if by == 1 {
		return t
	}
	return t.Scale(float32(by), 0)
}

// nan is the bound that clamp takes for none.
func nan() float64 { return math.NaN() }

// clamp is min(max(t, low), high); an absent bound is NaN.
func clamp(t graph.Tensor, low, high float64) graph.Tensor {
	switch {
	case !math.IsNaN(low) && !math.IsNaN(high):
		return t.UnaryWith("clip", float32(low), float32(high))
	case !math.IsNaN(low):
		return t.Binary("max", t.Graph().Constant(float32(low)))
	case !math.IsNaN(high):
		return t.Binary("min", t.Graph().Constant(float32(high)))
	}
	return t
}

// gather takes the slices of t along axis that ids name; shape is that of ids.
func gather(t graph.Tensor, axis int, ids graph.Tensor, shape []int) graph.Tensor {
	s := t.Shape()
	before, size, behind := product(s[:axis]), s[axis], product(s[axis+1:])
	table := t.Reshape(before, size, behind)
	if before > 1 {
		table = table.Transpose(1, 0, 2)
	}
	y := ids.Graph().Embedding(ids, table.Reshape(size, before*behind))
	if before > 1 {
		y = y.Reshape(ids.Len(), before, behind).Transpose(1, 0, 2)
	}
	return y.Reshape(slices.Concat(s[:axis], shape, s[axis+1:])...)
}

// indices returns the indices that v states as an input of the graph: negative
// ones count from the end, and what is still outside of size is clamped.
func (n *node) indices(v *Value, size int) graph.Tensor {
	if v.isFloat() {
		mismatch("%s with indices of type %s", n.Op, v.DType)
	}
	ids := v.ints()
	for i, id := range ids {
		if id < 0 {
			id += size
		}
		ids[i] = min(max(id, 0), size-1)
	}
	return n.constant(intBytes(ids), len(ids))
}

// batchNorm normalises t along axis with stated statistics.
func batchNorm(t, scale, bias, mean, variance graph.Tensor, axis int, eps float64) graph.Tensor {
	rank := len(t.Shape())
	s := variance.Scale(1, float32(eps)).Unary("sqrt").Unary("reciprocal")
	if scale.Graph() != nil {
		s = s.Mul(scale)
	}
	y := t.Sub(alongAxis(mean, axis, rank)).Mul(alongAxis(s, axis, rank))
	if bias.Graph() != nil {
		y = y.Add(alongAxis(bias, axis, rank))
	}
	return y
}

// layerNorm normalises t over axes; scale and bias, zero Tensors where there
// are none, have the dimensions of axes in their order. It also returns mean and
// 1/√(variance + eps), with the axes as 1.
func layerNorm(t, scale, bias graph.Tensor, axes []int, eps float64) (y, mean, rstd graph.Tensor) {
	g, shape := t.Graph(), t.Shape()
	perm, kept := []int{}, slices.Clone(shape)
	for i := range shape {
		if !slices.Contains(axes, i) {
			perm = append(perm, i)
		}
	}
	d := 1
	for _, a := range axes {
		d *= shape[a]
		kept[a] = 1
	}
	perm = append(perm, axes...)
	moved := transpose(t, perm)
	parameter := func(p graph.Tensor, otherwise float32) graph.Tensor {
		if p.Graph() == nil {
			return g.Constant(otherwise, d)
		}
		return p.Reshape(d)
	}
	y, mean, rstd = moved.Reshape(-1, d).LayerNormStatistics(parameter(scale, 1), parameter(bias, 0), float32(eps))
	inverse := make([]int, len(perm))
	for i, p := range perm {
		inverse[p] = i
	}
	y = transpose(y.Reshape(moved.Shape()...), inverse)
	return y, mean.Reshape(kept...), rstd.Reshape(kept...)
}

// transpose leaves out the copy that changes nothing.
func transpose(t graph.Tensor, perm []int) graph.Tensor {
	if slices.IsSorted(perm) {
		return t
	}
	return t.Transpose(perm...)
}

// instanceNorm normalises each channel of each picture of t [N C …].
func instanceNorm(t, scale, bias graph.Tensor, eps float64) graph.Tensor {
	s := t.Shape()
	y, _, _ := layerNorm(t, graph.Tensor{}, graph.Tensor{}, allAxes(len(s))[2:], eps)
	if scale.Graph() != nil {
		y = y.Mul(alongAxis(scale, 1, len(s)))
	}
	if bias.Graph() != nil {
		y = y.Add(alongAxis(bias, 1, len(s)))
	}
	return y
}

// split cuts t along axis into parts of the given sizes.
func split(t graph.Tensor, axis int, sizes []int) []graph.Tensor {
	start, size := make([]int, len(t.Shape())), slices.Clone(t.Shape())
	out := make([]graph.Tensor, len(sizes))
	for i, n := range sizes {
		size[axis] = n
		out[i] = t.Slice(start, size)
		start[axis] += n
	}
	return out
}

// gelu has two definitions: with erf, and with tanh.
func gelu(t graph.Tensor, withTanh bool) graph.Tensor {
	if withTanh {
		return t.Unary("gelu_tanh")
	}
	return t.GELU()
}
