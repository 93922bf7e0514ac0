package shaders

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A binaryFunc is a function of two values: its twin, and its WGSL text over a
// and b, which are scalars or vec4s ({{T}}).
type binaryFunc struct {
	f    func(a, b float64) float64
	wgsl string
}

func comparison(op string, f func(a, b float64) bool) binaryFunc {
	return binaryFunc{
		func(a, b float64) float64 {
			if f(a, b) {
				return 1
			}
			return 0
		},
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
	// WGSL's pow is undefined for a negative base: the sign of an odd exponent,
	// and the square root of a negative number (NaN) for a fraction.
	"pow": {math.Pow, "select({{T}}(1.0), pow(abs(a), b) * select({{T}}(1.0), " +
		"select({{T}}(1.0), {{T}}(-1.0), abs(b - 2.0 * floor(b / 2.0)) == {{T}}(1.0)) * select(sqrt(a), {{T}}(1.0), floor(b) == b), " +
		"a < {{T}}(0.0)), b != {{T}}(0.0))"},
	"equal":            comparison("==", func(a, b float64) bool { return a == b }),
	"greater":          comparison(">", func(a, b float64) bool { return a > b }),
	"greater_or_equal": comparison(">=", func(a, b float64) bool { return a >= b }),
	"lesser":           comparison("<", func(a, b float64) bool { return a < b }),
	"lesser_or_equal":  comparison("<=", func(a, b float64) bool { return a <= b }),
}

// BinaryNames lists the functions of [Binary].
func BinaryNames() []string { return slices.Sorted(maps.Keys(binaries)) }

// Binary returns y = f(a, b), broadcasting shapes a and b as NumPy does, over up
// to six dimensions; comparisons give 1 or 0. The gradient of an operand that
// was broadcast is summed with [Reduce]. Arguments: a, b, y.
func Binary(f string, a, b []int) Launch {
	fn, ok := binaries[f]
	if !ok {
		panic("shaders: no function of two values " + f)
	}
	shape, sa, sb := broadcast(a, b)
	axes := walk(shape, sa, sb)
	rank, n := len(axes), product(shape)
	// A single axis may end within a vec4: what lies behind is padding.
	wide := axes[0].size%4 == 0 || rank == 1
	width := 1
	t, unit := "f32", [2]int{1, 1}
	types := [2]string{"f32", "f32"}
	name := f
	if wide {
		width, t, name = 4, "vec4<f32>", name+" vec4"
		for k := range types {
			if aligned(axes, k) {
				types[k], unit[k] = t, 4
			} else {
				name += " " + []string{"a", "b"}[k] + " repeats"
			}
		}
	}
	p := []any{ceilDiv(n, width)}
	for d, x := range axes {
		size, ka, kb := x.size, x.stride[0]/unit[0], x.stride[1]/unit[1]
		if d == 0 && wide {
			// The innermost stride is 1 (one vec4 to the next) or 0.
			size, ka, kb = ceilDiv(size, 4), x.stride[0], x.stride[1]
		}
		p = append(p, size, ka, kb)
	}
	constants := map[string]string{"F": fn.wgsl, "T": t, "A": types[0], "B": types[1], "RANK": strconv.Itoa(rank), "OUTERMOST": strconv.Itoa(rank - 1)}
	k := load(name+" "+strconv.Itoa(rank), "binary", nil, constants, func(c Call) {
		a, b, y := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		for i := range c.U(0) {
			ia, ib := int(decode(uint32(i), c.Params[1:], rank, 2, 0)), int(decode(uint32(i), c.Params[1:], rank, 2, 1))
			for j := range width {
				ja, jb := ia*unit[0], ib*unit[1]
				if unit[0] == 4 {
					ja += j
				}
				if unit[1] == 4 {
					jb += j
				}
				y[i*width+j] = float32(fn.f(float64(a[ja]), float64(b[jb])))
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(ceilDiv(n, width), 64)), Params: params(p...), Flops: float64(n)}
}

// broadcast returns the broadcast shape of a and b and the element strides of
// each; a stride is zero where an operand repeats.
func broadcast(a, b []int) (shape, sa, sb []int) {
	rank := max(len(a), len(b))
	shape, sa, sb = make([]int, rank), make([]int, rank), make([]int, rank)
	da, db := denseStrides(a), denseStrides(b)
	for d := range rank {
		x, y := 1, 1
		if i := d - rank + len(a); i >= 0 {
			x, sa[d] = a[i], da[i]
		}
		if i := d - rank + len(b); i >= 0 {
			y, sb[d] = b[i], db[i]
		}
		switch {
		case x == y:
			shape[d] = x
		case x == 1:
			shape[d], sa[d] = y, 0
		case y == 1:
			shape[d], sb[d] = x, 0
		default:
			panic(fmt.Sprintf("shaders: shapes %v and %v do not broadcast", a, b))
		}
	}
	return shape, sa, sb
}

func binaryVariants() []Kernel {
	var out []Kernel
	for _, f := range BinaryNames() {
		out = append(out, Binary(f, []int{4}, []int{4}).Kernel, Binary(f, []int{2, 3}, []int{3}).Kernel)
	}
	for rank := 1; rank <= maxRank; rank++ {
		for _, inner := range []int{3, 4} {
			a, b := make([]int, rank), make([]int, rank)
			for d := range rank {
				// Neighbouring dimensions repeat in different operands, so none merge.
				a[d], b[d] = inner, inner
				if d%2 == 0 {
					a[d] = 1
				} else {
					b[d] = 1
				}
			}
			out = append(out, Binary("add", a, b).Kernel, Binary("add", b, a).Kernel)
		}
	}
	return append(out, Binary("add", []int{5, 4}, []int{4}).Kernel, Binary("add", []int{4}, []int{5, 4}).Kernel, Binary("add", []int{1}, []int{1}).Kernel)
}
