package shaders

import "strconv"

// maxRank is the number of dimensions that strided kernels take once
// neighbouring ones are merged.
const maxRank = 6

// An axis is one dimension of a strided walk: its size and the stride of each
// operand along it, in elements.
type axis struct {
	size   int
	stride []int
}

// walk returns the axes of a walk over shape, innermost first: dimensions of
// size 1 are dropped and neighbours merged where every operand allows it. There
// is at least one axis. The strides of each operand follow shape.
func walk(shape []int, strides ...[]int) []axis {
	var axes []axis
	for d := len(shape) - 1; d >= 0; d-- {
		if shape[d] == 1 {
			continue
		}
		outer := axis{size: shape[d]}
		for _, s := range strides {
			outer.stride = append(outer.stride, s[d])
		}
		if n := len(axes); n > 0 && merges(axes[n-1], outer) {
			axes[n-1].size *= outer.size
			continue
		}
		axes = append(axes, outer)
	}
	if len(axes) == 0 {
		axes = append(axes, axis{size: 1, stride: make([]int, len(strides))})
	}
	if len(axes) > maxRank {
		panic("shaders: a strided walk over more than " + strconv.Itoa(maxRank) + " dimensions")
	}
	return axes
}

func merges(inner, outer axis) bool {
	for k, s := range inner.stride {
		if outer.stride[k] != inner.size*s {
			return false
		}
	}
	return true
}

// aligned reports whether operand k can be read four elements at a time: its
// innermost stride is 1 and every other stride keeps the alignment.
func aligned(axes []axis, k int) bool {
	for _, a := range axes[1:] {
		if a.stride[k]%4 != 0 {
			return false
		}
	}
	return axes[0].stride[k] == 1
}

// decode adds up, for the flat index i over sizes, the strides: the twin of the
// loops that kernels write with #for. Arithmetic is modulo 2³², as on the
// device, so strides may be negative.
func decode(i uint32, p []uint32, rank, operands, k int) uint32 {
	at := uint32(0)
	for d := range rank {
		size := p[d*(1+operands)]
		digit := i
		if d < rank-1 {
			digit, i = i%size, i/size
		}
		at += digit * p[d*(1+operands)+1+k]
	}
	return at
}

// word returns a stride as a parameter; negative ones wrap around.
func word(stride int) uint32 { return uint32(int32(stride)) }

// product returns the number of elements of a shape.
func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// denseStrides returns the strides of a dense tensor.
func denseStrides(shape []int) []int {
	s, n := make([]int, len(shape)), 1
	for d := len(shape) - 1; d >= 0; d-- {
		s[d] = n
		n *= shape[d]
	}
	return s
}
