package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

// layerNorm holds one layer normalisation and its gradient.
type layerNorm struct {
	shape             shaders.LayerNormShape
	x, r, gamma, beta []float32
	y, mean, rstd, s  []float32
	dx, dgamma, dbeta []float32
}

func newLayerNorm(s shaders.LayerNormShape) *layerNorm {
	return &layerNorm{shape: s, x: normal(1, s.Rows*s.D), r: normal(2, s.Rows*s.D), gamma: normal(3, s.D), beta: normal(4, s.D)}
}

func (l *layerNorm) forward(t testing.TB, run runner) []float32 {
	s := l.shape
	l.y, l.mean, l.rstd, l.s = zeros(s.Rows*s.D), zeros(s.Rows), zeros(s.Rows), l.x
	args := []any{l.x}
	if s.Residual {
		args = append(args, l.r)
	}
	args = append(args, l.gamma, l.beta, l.y, l.mean, l.rstd)
	if s.Sum {
		l.s = zeros(s.Rows * s.D)
		args = append(args, l.s)
	}
	run(t, shaders.LayerNorm(s), args...)
	return l.y
}

func (l *layerNorm) backward(t testing.TB, run runner, dy []float32) {
	s := l.shape
	l.dx, l.dgamma, l.dbeta = zeros(s.Rows*s.D), zeros(s.D), zeros(s.D)
	run(t, shaders.LayerNormGrad(s), l.s, l.gamma, l.mean, l.rstd, dy, l.dx)
	parts := zeros(s.PartialWords())
	run(t, shaders.LayerNormGradPartial(s), l.s, l.mean, l.rstd, dy, parts)
	run(t, shaders.LayerNormGradSums(s), parts, l.dgamma, l.dbeta)
}

func TestLayerNormVectors(t *testing.T) {
	forVectors(t, "layer_norm", func(t *testing.T, run runner, v vector) {
		x := v.Inputs[0]
		l := layerNorm{
			shape: shaders.LayerNormShape{Rows: x.Shape[0], D: x.Shape[1], Eps: float32(v.Attrs["eps"].(float64))},
			x:     x.f(), gamma: v.Inputs[1].f(), beta: v.Inputs[2].f(),
		}
		nearVector(t, "y", l.forward(t, run), v.Outputs[0].f())
		l.backward(t, run, v.OutputGrads[0].f())
		near(t, "dx", l.dx, v.InputGrads[0].f(), 2e-5, 1e-5) // of one column it is zero, and 1/√eps times a rounding
		nearVector(t, "dγ", l.dgamma, v.InputGrads[1].f())
		nearVector(t, "dβ", l.dbeta, v.InputGrads[2].f())
	})
}

func TestLayerNormGradients(t *testing.T) {
	for _, d := range []int{3, 4} {
		s := shaders.LayerNormShape{Rows: 5, D: d, Eps: 1e-5, Residual: true, Sum: true}
		l, dy := newLayerNorm(s), normal(5, s.Rows*s.D)
		l.forward(t, runTwin)
		l.backward(t, runTwin, dy)
		gradcheck(t, [][]float32{l.x, l.r, l.gamma, l.beta}, [][]float32{l.dx, l.dx, l.dgamma, l.dbeta}, dy, 5e-3, 1e-4,
			func([][]float32) []float32 { return l.forward(t, runTwin) })
	}
}

func TestLayerNormOnDevice(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 3}, {63, 65}, {64, 64}, {65, 63}, {130, 768}, {2000, 12}} {
		for bits := range 6 {
			s := shaders.LayerNormShape{Rows: size[0], D: size[1], Eps: 1e-5, Residual: bits%3 > 0, Sum: bits%3 > 1, Target: shaders.Target(bits / 3)}
			t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
				device, twin, dy := newLayerNorm(s), newLayerNorm(s), normal(5, s.Rows*s.D)
				near(t, "y", device.forward(t, runDevice), twin.forward(t, runTwin), 2e-6, 0)
				near(t, "mean", device.mean, twin.mean, 1e-6, 0)
				near(t, "rstd", device.rstd, twin.rstd, 1e-6, 0)
				near(t, "s", device.s, twin.s, 0, 0)
				device.backward(t, runDevice, dy)
				twin.backward(t, runTwin, dy)
				near(t, "dx", device.dx, twin.dx, 5e-6, 1e-4) // of one column it is zero
				near(t, "dγ", device.dgamma, twin.dgamma, 5e-6, 1e-6)
				near(t, "dβ", device.dbeta, twin.dbeta, 2e-6, 1e-6)
			})
		}
	}
}
