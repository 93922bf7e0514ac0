package shaders_test

import (
	"fmt"
	"math"
	"testing"

	"duet/shaders"
)

var broadcasts = [][2][]int{
	{{1}, {1}}, {{3}, {3}}, {{65}, {65}}, {{64}, {1}}, {{1}, {63}}, {{5, 4}, {4}}, {{5, 3}, {3}}, {{4}, {5, 4}}, {{5, 4}, {5, 1}}, {{5, 1}, {1, 6}},
	{{5, 1}, {1, 8}}, {{2, 3, 4}, {1, 3, 1}}, {{2, 3, 4}, {2, 1, 4}}, {{2, 3, 5, 8}, {2, 1, 1, 8}}, {{2, 3, 5, 8}, {3, 1, 1}}, {{3, 65}, {65}},
	{{3, 1, 3, 1, 3, 1}, {1, 3, 1, 3, 1, 3}}, {{4, 1, 4, 1, 4, 1}, {1, 4, 1, 4, 1, 4}}, {{1, 1, 2, 2}, {2, 2}}, {{}, {3}}, {{2, 3}, {}},
}

// broadcastTo repeats x of shape from so that it has shape to.
func broadcastTo(x []float32, from, to []int) []float32 {
	out := zeros(words(to))
	for i := range out {
		at, rest, scale := 0, i, 1
		for d := len(to) - 1; d >= 0; d-- {
			digit := rest % to[d]
			rest /= to[d]
			if k := d - len(to) + len(from); k >= 0 {
				if from[k] != 1 {
					at += digit * scale
				}
				scale *= from[k]
			}
		}
		out[i] = x[at]
	}
	return out
}

func broadcastShape(a, b []int) []int {
	out := make([]int, max(len(a), len(b)))
	for d := range out {
		out[d] = 1
		for _, s := range [][]int{a, b} {
			if k := d - len(out) + len(s); k >= 0 {
				out[d] = max(out[d], s[k])
			}
		}
	}
	return out
}

func TestBinary(t *testing.T) {
	functions := map[string]func(a, b float64) float64{
		"add": func(a, b float64) float64 { return a + b }, "sub": func(a, b float64) float64 { return a - b },
		"mul": func(a, b float64) float64 { return a * b }, "div": func(a, b float64) float64 { return a / b },
		"max": math.Max, "min": math.Min, "pow": func(a, b float64) float64 { return math.Pow(a, b) },
	}
	for name, f := range map[string]func(a, b float64) bool{
		"equal": func(a, b float64) bool { return a == b }, "greater": func(a, b float64) bool { return a > b },
		"greater_or_equal": func(a, b float64) bool { return a >= b }, "lesser": func(a, b float64) bool { return a < b },
		"lesser_or_equal": func(a, b float64) bool { return a <= b },
	} {
		functions[name] = func(a, b float64) float64 {
			if f(a, b) {
				return 1
			}
			return 0
		}
	}
	if len(functions) != len(shaders.BinaryNames()) {
		t.Fatalf("the test knows %d functions of %v", len(functions), shaders.BinaryNames())
	}
	for _, s := range broadcasts {
		shape := broadcastShape(s[0], s[1])
		a, b := normal(1, words(s[0])), normal(2, words(s[1]))
		for i := range a {
			a[i] = float32(math.Round(float64(a[i])*2)/2) + 4 // equal ones occur, none is 0
		}
		for i := range b {
			b[i] = float32(math.Round(float64(b[i])*2)/2) + 4
		}
		wide, tall := broadcastTo(a, s[0], shape), broadcastTo(b, s[1], shape)
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				for name, f := range functions {
					want, y := zeros(len(wide)), zeros(len(wide))
					for i := range want {
						want[i] = float32(f(float64(wide[i]), float64(tall[i])))
					}
					run(t, shaders.Binary(name, s[0], s[1]), a, b, y)
					tolerance := 5e-7
					if name == "pow" {
						tolerance = 1e-5 // exp2(b·log2(a)): the exponent's rounding grows with its size
					}
					near(t, name, y, want, tolerance, 0)
				}
			})
		})
	}
}

func TestPow(t *testing.T) {
	nan := float32(math.NaN())
	base := []float32{-2, -2, -2, 0, 0, 2, 1, -8, 9, 0.5}
	exponent := []float32{3, 2, -1, 0, 2, 0, 99, 1.0 / 3, 0.5, -2}
	want := []float32{-8, 4, -0.5, 1, 0, 1, 1, nan, 3, 4}
	onBoth(t, func(t *testing.T, run runner) {
		y := zeros(len(base))
		run(t, shaders.Binary("pow", []int{len(base)}, []int{len(base)}), base, exponent, y)
		near(t, "pow", y, want, 1e-6, 0)
	})
}

// Values and both gradients, the broadcast operand's summed by Reduce.
func TestBinaryVectors(t *testing.T) {
	for _, f := range []string{"add", "sub", "mul"} {
		t.Run(f, func(t *testing.T) {
			forVectors(t, f, func(t *testing.T, run runner, v vector) {
				a, b, dy := v.Inputs[0], v.Inputs[1], v.OutputGrads[0]
				y := zeros(len(dy.Data))
				run(t, shaders.Binary(f, a.Shape, b.Shape), a.f(), b.f(), y)
				nearVector(t, "y", y, v.Outputs[0].f())
				for i, x := range v.Inputs {
					d := dy.f()
					switch other := v.Inputs[1-i]; {
					case f == "mul":
						product := zeros(len(d))
						run(t, shaders.Binary("mul", dy.Shape, other.Shape), d, other.f(), product)
						d = product
					case f == "sub" && i == 1:
						negative := zeros(len(d))
						run(t, shaders.Unary("neg", len(d)), d, negative)
						d = negative
					}
					var axes []int
					for k := range dy.Shape {
						if j := k - len(dy.Shape) + len(x.Shape); j < 0 || x.Shape[j] != dy.Shape[k] {
							axes = append(axes, k)
						}
					}
					if len(axes) > 0 {
						d = reduce(t, run, "sum", dy.Shape, axes, shaders.CPU, d)
					}
					nearVector(t, "gradient", d, v.InputGrads[i].f())
				}
			})
		})
	}
}
