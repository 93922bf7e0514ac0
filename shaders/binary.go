package shaders

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// A binaryFunc is a function of two values: its twin, and its WGSL text over a
// and b, which are scalars or vec4s ({{T}}).
type binaryFunc struct {
	f    func(a, b float64) float64
	wgsl string
}

func comparison(op string, f func(a, b float64) bool) binaryFunc {
	return binaryFunc{
		func(a, b float64) float64 { return choose(f(a, b), 1, 0) },
		"select({{T}}(0.0), {{T}}(1.0), a " + op + " b)",
	}
}

var binaries = map[string]binaryFunc{
	"add": {func(a, b float64) float64 { return a + b }, "a + b"},
	"sub": {func(a, b float64) float64 { return a - b }, "a - b"},
	"mul": {func(a, b float64) float64 { return a * b }, "a * b"},
	"div": {func(a, b float64) float64 { return a / b }, "a / b"},
	"max": {math.Max, "max(a, b)"},
	"min": {math.Min, "min(a, b)"},
	// WGSL's pow is undefined for negative bases: |a|^b, with a's sign for odd b.
	"pow":              {math.Pow, "select({{T}}(1.0), pow(abs(a), b) * select({{T}}(1.0), {{T}}(-1.0), (a < {{T}}(0.0)) & (abs(b - 2.0 * floor(b / 2.0)) == {{T}}(1.0))), b != {{T}}(0.0))"},
	"equal":            comparison("==", func(a, b float64) bool { return a == b }),
	"greater":          comparison(">", func(a, b float64) bool { return a > b }),
	"greater_or_equal": comparison(">=", func(a, b float64) bool { return a >= b }),
	"lesser":           comparison("<", func(a, b float64) bool { return a < b }),
	"lesser_or_equal":  comparison("<=", func(a, b float64) bool { return a <= b }),
}

func choose(c bool, a, b float64) float64 {
	if c {
		return a
	}
	return b
}

// BinaryNames lists the functions of [Binary].
func BinaryNames() []string { return slices.Sorted(maps.Keys(binaries)) }

// maxRank is the number of dimensions that strided kernels take.
const maxRank = 6

// Binary returns y = f(a, b), broadcasting shapes a and b as NumPy does.
// Arguments: a, b, y.
func Binary(f string, a, b []int) Launch {
	if slices.Equal(a, b) {
		n4 := ceilDiv(product(a), 4)
		return denseBinary(f, n4, max(n4, 1))
	}
	// A row of b (trailing dimensions of a) for each row of a.
	if nb := product(b); len(b) <= len(a) && nb%4 == 0 && slices.Equal(a[len(a)-len(b):], b) {
		return denseBinary(f, ceilDiv(product(a), 4), nb/4)
	}
	shape, sa, sb := broadcastStrides(a, b)
	// Merging is not needed for speed: this path serves weights and odd shapes.
	p := []any{product(shape)}
	for d := range maxRank {
		p = append(p, shape[d], sa[d], sb[d])
	}
	n := product(shape)
	k := binaryKernel(f, true)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n, 64)), Params: params(p...), Flops: float64(n)}
}

func denseBinary(f string, n4, period int) Launch {
	return Launch{Kernel: binaryKernel(f, false), Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, period), Flops: 4 * float64(n4)}
}

func binaryKernel(f string, strided bool) Kernel {
	fn, ok := binaries[f]
	if !ok {
		panic("shaders: no function of two values " + f)
	}
	name, flags, t := f, []string(nil), "vec4<f32>"
	twin := func(c Call) {
		a, b, y := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		for i := range min(4*c.U(0), len(a), len(y)) {
			y[i] = float32(fn.f(float64(a[i]), float64(b[i%(4*c.U(1))])))
		}
	}
	if strided {
		name, flags, t = f+" strided", []string{"STRIDED"}, "f32"
		twin = func(c Call) {
			a, b, y := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
			for i := range c.U(0) {
				rest, ia, ib := i, 0, 0
				for d := range maxRank {
					s := c.U(1 + 3*d)
					ia += rest % s * c.U(2+3*d)
					ib += rest % s * c.U(3+3*d)
					rest /= s
				}
				y[i] = float32(fn.f(float64(a[ia]), float64(b[ib])))
			}
		}
	}
	return load(name, "binary", flags, map[string]string{"F": fn.wgsl, "T": t}, twin)
}

// broadcastStrides returns the broadcast shape of a and b and the element
// strides of each, innermost dimension first, padded to maxRank; a stride is
// zero where an operand repeats.
func broadcastStrides(a, b []int) (shape, sa, sb []int) {
	if len(a) > maxRank || len(b) > maxRank {
		panic(fmt.Sprintf("shaders: shapes %v and %v have more than %d dimensions", a, b, maxRank))
	}
	shape, sa, sb = make([]int, maxRank), make([]int, maxRank), make([]int, maxRank)
	na, nb := 1, 1
	for d := range maxRank {
		x, y := 1, 1
		if d < len(a) {
			x = a[len(a)-1-d]
		}
		if d < len(b) {
			y = b[len(b)-1-d]
		}
		shape[d] = max(x, y)
		if x > 1 {
			sa[d] = na
		}
		if y > 1 {
			sb[d] = nb
		}
		na, nb = na*x, nb*y
	}
	return shape, sa, sb
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
