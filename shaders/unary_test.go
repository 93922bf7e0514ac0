package shaders_test

import (
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

var (
	differentiable = []string{"relu", "gelu", "exp", "tanh", "sigmoid", "silu", "softplus"}
	otherUnary     = []string{"identity", "gelu_tanh", "erf", "abs", "neg", "ceil", "floor", "sign", "square"}
	positiveUnary  = []string{"sqrt", "log", "reciprocal"}
	scalarUnary    = []string{"affine", "clip", "elu", "leaky_relu", "hard_sigmoid", "hard_swish"}
	oddLengths     = []int{1, 3, 63, 64, 65}
)

func TestUnaryVectors(t *testing.T) {
	for _, f := range differentiable {
		file := f
		if f == "gelu" {
			file = "gelu_erf"
		}
		t.Run(f, func(t *testing.T) {
			forVectors(t, file, func(t *testing.T, run runner, v vector) {
				x := v.Inputs[0].f()
				y, dx := zeros(len(x)), zeros(len(x))
				run(t, shaders.Unary(f, len(x)), x, y)
				nearVector(t, "y", y, v.Outputs[0].f())
				s := x
				if shaders.UnaryGradUsesOutput(f) {
					s = y
				}
				run(t, shaders.UnaryGrad(f, len(x)), s, v.OutputGrads[0].f(), dx)
				nearVector(t, "dx", dx, v.InputGrads[0].f())
			})
		})
	}
}

// The device's transcendental functions differ from the twin's by a few parts
// in a million (lavapipe: exp 2e-7, log 1e-6 relative).
func TestUnaryOnDevice(t *testing.T) {
	for _, n := range oddLengths {
		x, dy := normal(1, n), normal(2, n)
		for i := range x {
			x[i] *= 4
		}
		positive := make([]float32, n)
		for i := range positive {
			positive[i] = float32(math.Abs(float64(x[i]))) + 0.01
		}
		for _, f := range slices.Concat(differentiable, otherUnary) {
			compareBoth(t, 2e-6, shaders.Unary(f, n), x, zeros(n))
		}
		for _, f := range positiveUnary {
			compareBoth(t, 2e-6, shaders.Unary(f, n), positive, zeros(n))
		}
		for _, f := range scalarUnary {
			compareBoth(t, 2e-6, shaders.UnaryWith(f, n, 0.2, 0.5), x, zeros(n))
		}
		for _, f := range differentiable {
			compareBoth(t, 2e-6, shaders.UnaryGrad(f, n), x, dy, zeros(n))
		}
	}
}

// Large and special arguments: values must be those of the mathematical limit,
// and NaN must pass.
func TestUnaryExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	cases := map[string][][2]float32{
		"relu":     {{-1e30, 0}, {1e30, 1e30}, {inf, inf}, {nan, nan}},
		"gelu":     {{-1e30, 0}, {1e30, 1e30}, {-40, 0}, {40, 40}, {nan, nan}},
		"exp":      {{-200, 0}, {0, 1}, {200, inf}, {-inf, 0}},
		"tanh":     {{-1e30, -1}, {1e30, 1}, {-90, -1}, {90, 1}, {inf, 1}, {-inf, -1}, {1e-4, 1e-4}, {nan, nan}},
		"sigmoid":  {{-1e30, 0}, {1e30, 1}, {-90, 8.194e-40}, {90, 1}, {inf, 1}, {-inf, 0}, {nan, nan}},
		"silu":     {{-1e30, 0}, {1e30, 1e30}, {100, 100}, {nan, nan}},
		"softplus": {{-200, 0}, {200, 200}, {-15, 3.059023e-7}, {1e30, 1e30}, {inf, inf}, {-inf, 0}, {nan, nan}},
		"erf":      {{-1e30, -1}, {1e30, 1}, {0, 0}},
	}
	onBoth(t, func(t *testing.T, run runner) {
		for f, pairs := range cases {
			x, want := make([]float32, len(pairs)), make([]float32, len(pairs))
			for i, p := range pairs {
				x[i], want[i] = p[0], p[1]
			}
			y := zeros(len(x))
			run(t, shaders.Unary(f, len(x)), x, y)
			for i := range y {
				same := y[i] == want[i] || y[i] != y[i] && want[i] != want[i]
				if !same && !(math.Abs(float64(y[i]-want[i])) <= 1e-6*math.Abs(float64(want[i]))+2e-9) {
					t.Errorf("%s(%g) = %g, want %g", f, x[i], y[i], want[i])
				}
			}
		}
		for _, f := range differentiable {
			x, dx := []float32{-1e4, -90, 90, 1e4}, zeros(4)
			y := zeros(4)
			run(t, shaders.Unary(f, 4), x, y)
			if f == "exp" {
				continue // its derivative overflows like itself
			}
			s := x
			if shaders.UnaryGradUsesOutput(f) {
				s = y
			}
			run(t, shaders.UnaryGrad(f, 4), s, []float32{1, 1, 1, 1}, dx)
			want := []float32{0, 0, 1, 1}
			if f == "tanh" || f == "sigmoid" {
				want = zeros(4)
			}
			near(t, f+" gradient at the extremes", dx, want, 1e-6, 1e-9)
		}
	})
}

func TestUnaryGradFiniteDifferences(t *testing.T) {
	x, dy := normal(3, 33), normal(4, 33)
	for i := range x {
		if math.Abs(float64(x[i])) < 0.1 {
			x[i] = 0.1 // away from relu's corner
		}
	}
	for _, f := range differentiable {
		forward := func(in [][]float32) []float32 {
			y := zeros(len(in[0]))
			runTwin(t, shaders.Unary(f, len(y)), in[0], y)
			return y
		}
		s := x
		if shaders.UnaryGradUsesOutput(f) {
			s = forward([][]float32{x})
		}
		dx := zeros(len(x))
		runTwin(t, shaders.UnaryGrad(f, len(x)), s, dy, dx)
		gradcheck(t, [][]float32{x}, [][]float32{dx}, dy, 0.02, 1e-4, forward)
	}
}
