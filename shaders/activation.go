package shaders

import "math"

// erf32 is the twin of erf in shared/activation.wgsl.
func erf32(x float64) float64 {
	a := math.Abs(x)
	t := 1 / (1 + 0.3275911*a)
	p := t * (0.254829592 + t*(-0.284496736+t*(1.421413741+t*(-1.453152027+t*1.061405429))))
	return math.Copysign(1-p*math.Exp(-a*a), x)
}

// activations are the functions that unary kernels and epilogues apply, by
// their WGSL names.
var activations = map[string]func(float64) float64{
	"identity": func(x float64) float64 { return x },
	"relu":     func(x float64) float64 { return max(x, 0) },
	"gelu":     func(x float64) float64 { return 0.5 * x * (1 + erf32(x*math.Sqrt2/2)) },
}
