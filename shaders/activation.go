package shaders

import "math"

// erfcAbs is the twin of erfc_abs in shared/activation.wgsl.
func erfcAbs(x float64) float64 {
	a := math.Abs(x)
	t := 1 / (1 + 0.3275911*a)
	p := t * (0.254829592 + t*(-0.284496736+t*(1.421413741+t*(-1.453152027+t*1.061405429))))
	return p * math.Exp(-a*a)
}

// normalCDF is the distribution function of the standard normal.
func normalCDF(x float64) float64 {
	q := erfcAbs(x*math.Sqrt2/2) / 2
	if x < 0 {
		return q
	}
	return 1 - q
}

func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// activations are the functions that unary kernels and epilogues apply, by
// their WGSL names.
var activations = map[string]func(float64) float64{
	"identity":    func(x float64) float64 { return x },
	"relu":        func(x float64) float64 { return max(x, 0) },
	"gelu":        func(x float64) float64 { return x * normalCDF(x) },
	"sigmoid":     sigmoid,
	"silu":        func(x float64) float64 { return x * sigmoid(x) },
	"softplus":    func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
	"tanh_stable": math.Tanh,
}

// elementary are the functions of unary kernels beyond the activations: WGSL's
// own and those of shared/elementary.wgsl.
var elementary = map[string]func(float64) float64{
	"exp":        math.Exp,
	"log":        math.Log,
	"sqrt":       math.Sqrt,
	"abs":        math.Abs,
	"ceil":       math.Ceil,
	"floor":      math.Floor,
	"erf":        func(x float64) float64 { return math.Copysign(1-erfcAbs(x), x) },
	"neg":        func(x float64) float64 { return -x },
	"reciprocal": func(x float64) float64 { return 1 / x },
	"square":     func(x float64) float64 { return x * x },
	"gelu_tanh":  func(x float64) float64 { return x * sigmoid(1.5957691216*(x+0.044715*x*x*x)) },
	"sign": func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	},
}

// withScalars are the functions of unary kernels that take two scalars.
var withScalars = map[string]func(x, alpha, beta float64) float64{
	"affine": func(x, a, b float64) float64 { return a*x + b },
	"clip":   func(x, a, b float64) float64 { return min(max(x, a), b) },
	"elu": func(x, a, _ float64) float64 {
		if x < 0 {
			return a * math.Expm1(x)
		}
		return x
	},
	"leaky_relu": func(x, a, _ float64) float64 {
		if x < 0 {
			return a * x
		}
		return x
	},
	"hard_sigmoid": func(x, a, b float64) float64 { return min(max(a*x+b, 0), 1) },
	"hard_swish":   func(x, a, b float64) float64 { return x * min(max(a*x+b, 0), 1) },
}

// activationGrads are the twins of shared/activation_grad.wgsl: dx from s (y
// where fromOutput says so, else x) and dy.
var activationGrads = map[string]struct {
	fromOutput bool
	grad       func(s, dy float64) float64
}{
	"relu": {false, func(x, dy float64) float64 {
		if x > 0 {
			return dy
		}
		return 0
	}},
	"gelu": {false, func(x, dy float64) float64 {
		return dy * (normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
	}},
	"silu": {false, func(x, dy float64) float64 {
		s := sigmoid(x)
		return dy * s * (1 + x*(1-s))
	}},
	"softplus": {false, func(x, dy float64) float64 { return dy * sigmoid(x) }},
	"exp":      {true, func(y, dy float64) float64 { return dy * y }},
	"tanh":     {true, func(y, dy float64) float64 { return dy * (1 - y) * (1 + y) }},
	"sigmoid":  {true, func(y, dy float64) float64 { return dy * y * (1 - y) }},
}
