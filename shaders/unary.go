package shaders

import (
	"fmt"
	"maps"
	"slices"
)

// wgslName returns the WGSL function of f. Only tanh differs: WGSL's own
// overflows on some adapters.
func wgslName(f string) string {
	if f == "tanh" {
		return "tanh_stable"
	}
	return f
}

// Unary returns y = f(x) over n elements, f being one of identity, relu, gelu
// (with erf), exp, tanh, sigmoid, silu, softplus, gelu_tanh, erf, sqrt, abs,
// neg, log, ceil, floor, reciprocal, sign and square.
// Arguments: x, y.
func Unary(f string, n int) Launch {
	name := wgslName(f)
	fn, ok := activations[name]
	if !ok {
		fn, ok = elementary[name]
	}
	if !ok {
		panic(fmt.Sprintf("shaders: no unary function %q", f))
	}
	return unary(f, name+"(x[i])", n, 0, 0, func(x, _, _ float64) float64 { return fn(x) })
}

// UnaryWith returns y = f(x; alpha, beta) over n elements, f being
//
//	affine        alpha·x + beta
//	clip          min(max(x, alpha), beta)
//	elu           x, or alpha·(exp(x) − 1) below 0
//	leaky_relu    x, or alpha·x below 0
//	hard_sigmoid  clip(alpha·x + beta, 0, 1)
//	hard_swish    x·hard_sigmoid(x); alpha = 1/6 and beta = 1/2 in the field
//
// or a function of [Unary], which ignores the scalars. Arguments: x, y.
func UnaryWith(f string, n int, alpha, beta float32) Launch {
	fn, ok := withScalars[f]
	if !ok {
		return Unary(f, n)
	}
	return unary(f, f+"(x[i], P.alpha, P.beta)", n, alpha, beta, fn)
}

func unary(f, expression string, n int, alpha, beta float32, fn func(x, a, b float64) float64) Launch {
	twin := func(c Call) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		for i := range min(4*c.U(0), len(x), len(y)) {
			y[i] = float32(fn(float64(x[i]), float64(c.F32(1)), float64(c.F32(2))))
		}
	}
	k := load(f, "unary", nil, map[string]string{"F": expression}, twin)
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, alpha, beta), Flops: float64(n)}
}

// UnaryGradUsesOutput reports whether the gradient of f takes y rather than x.
func UnaryGradUsesOutput(f string) bool { return activationGrads[f].fromOutput }

// UnaryGrad returns dx = f′·dy over n elements, f being relu, gelu, exp, tanh,
// sigmoid, silu or softplus. Its first argument is the output y of f where
// [UnaryGradUsesOutput] says so (exp, tanh, sigmoid) and the input x
// otherwise; relu works with either. Arguments: x or y, dy, dx.
func UnaryGrad(f string, n int) Launch {
	g, ok := activationGrads[f]
	if !ok {
		panic(fmt.Sprintf("shaders: no gradient of unary function %q", f))
	}
	twin := func(c Call) {
		s, dy, dx := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		for i := range min(4*c.U(0), len(s), len(dy), len(dx)) {
			dx[i] = float32(g.grad(float64(s[i]), float64(dy[i])))
		}
	}
	k := load(f+"_grad", "unary_grad", nil, map[string]string{"F": f}, twin)
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4), Flops: 4 * float64(n)}
}

func unaryVariants() []Kernel {
	var out []Kernel
	for _, f := range slices.Sorted(maps.Keys(activations)) {
		if f == "tanh_stable" {
			f = "tanh"
		}
		out = append(out, Unary(f, 1).Kernel)
	}
	for _, f := range slices.Sorted(maps.Keys(elementary)) {
		out = append(out, Unary(f, 1).Kernel)
	}
	for _, f := range slices.Sorted(maps.Keys(withScalars)) {
		out = append(out, UnaryWith(f, 1, 0, 0).Kernel)
	}
	for _, f := range slices.Sorted(maps.Keys(activationGrads)) {
		out = append(out, UnaryGrad(f, 1).Kernel)
	}
	return out
}
