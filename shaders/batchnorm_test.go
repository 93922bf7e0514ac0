package shaders_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

// batchNorm holds one batch normalisation and its gradient.
type batchNorm struct {
	shape                        shaders.BatchNormShape
	x, gamma, beta, r            []float32
	runningMean, runningVariance []float32
	mean, rstd, y                []float32
	dx, dgamma, dbeta, dr        []float32
}

func (b *batchNorm) forward(t testing.TB, run runner) []float32 {
	s := b.shape
	b.mean, b.rstd, b.y = zeros(s.C), zeros(s.C), zeros(s.Rows*s.C)
	if s.Frozen {
		b.mean, b.rstd = b.runningMean, b.runningVariance
	} else {
		parts := zeros(s.PartialWords())
		run(t, shaders.BatchNormPartial(s), b.x, parts)
		args := []any{parts, b.mean, b.rstd}
		if s.Momentum != 0 {
			args = append(args, b.runningMean, b.runningVariance)
		}
		run(t, shaders.BatchNormStatistics(s), args...)
	}
	args := []any{b.x, b.mean, b.rstd, b.gamma, b.beta}
	if s.Residual {
		args = append(args, b.r)
	}
	run(t, shaders.BatchNorm(s), append(args, b.y)...)
	return b.y
}

func (b *batchNorm) backward(t testing.TB, run runner, dy []float32) {
	s := b.shape
	b.dx, b.dgamma, b.dbeta, b.dr = zeros(s.Rows*s.C), zeros(s.C), zeros(s.C), dy
	parts := zeros(s.PartialWords())
	args := []any{b.x, b.mean}
	switch {
	case s.ReLU && s.Residual:
		b.dr = zeros(s.Rows * s.C)
		args = append(args, dy, b.y, b.dr)
	case s.ReLU:
		args = append(args, b.rstd, b.gamma, b.beta, dy)
	default:
		args = append(args, dy)
	}
	run(t, shaders.BatchNormGradPartial(s), append(args, parts)...)
	args = []any{parts, b.mean, b.rstd, b.gamma, b.beta, b.dgamma, b.dbeta}
	coefficients := zeros(s.CoefficientWords())
	if !s.Frozen {
		args = append(args, coefficients)
	}
	run(t, shaders.BatchNormGradSums(s), args...)
	switch {
	case !s.Frozen:
		args = []any{b.x, coefficients}
	case s.ReLU && !s.Residual:
		args = []any{b.x, b.mean, b.rstd, b.gamma, b.beta}
	default:
		args = []any{b.rstd, b.gamma}
	}
	run(t, shaders.BatchNormGrad(s), append(args, b.dr, b.dx)...)
}

func TestBatchNormVectors(t *testing.T) {
	forVectors(t, "batch_norm", func(t *testing.T, run runner, v vector) {
		x := v.Inputs[0]
		b := batchNorm{
			shape: shaders.BatchNormShape{
				Rows: len(x.Data) / x.Shape[1], C: x.Shape[1], Eps: float32(v.Attrs["eps"].(float64)), Frozen: !v.Attrs["training"].(bool),
			},
			x: x.nhwc(), gamma: v.Inputs[1].f(), beta: v.Inputs[2].f(), runningMean: v.Inputs[3].f(), runningVariance: v.Inputs[4].f(),
		}
		nearVector(t, "y", b.forward(t, run), v.Outputs[0].nhwc())
		b.backward(t, run, v.OutputGrads[0].nhwc())
		nearVector(t, "dx", b.dx, v.InputGrads[0].nhwc())
		nearVector(t, "dγ", b.dgamma, v.InputGrads[1].f())
		nearVector(t, "dβ", b.dbeta, v.InputGrads[2].f())
	})
}

func newBatchNorm(s shaders.BatchNormShape) *batchNorm {
	variance := normal(5, s.C)
	for i, v := range variance {
		variance[i] = 0.5 + v*v
	}
	return &batchNorm{shape: s, x: normal(1, s.Rows*s.C), gamma: normal(2, s.C), beta: normal(3, s.C), r: normal(6, s.Rows*s.C),
		runningMean: normal(4, s.C), runningVariance: variance}
}

// batchNormModes are the combinations of flags.
func batchNormModes(rows, c int) []shaders.BatchNormShape {
	var list []shaders.BatchNormShape
	for bits := range 8 {
		list = append(list, shaders.BatchNormShape{Rows: rows, C: c, Eps: 1e-5, ReLU: bits&1 != 0, Residual: bits&2 != 0, Frozen: bits&4 != 0})
	}
	return list
}

func TestBatchNormGradients(t *testing.T) {
	for _, s := range batchNormModes(7, 3) {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			b := newBatchNorm(s)
			dy := normal(7, s.Rows*s.C)
			b.forward(t, runTwin)
			b.backward(t, runTwin, dy)
			inputs, gradients := [][]float32{b.x, b.gamma, b.beta, b.r}, [][]float32{b.dx, b.dgamma, b.dbeta, b.dr}
			if !s.Residual {
				gradients[3] = nil
			}
			gradcheck(t, inputs, gradients, dy, 1e-3, 5e-4, func([][]float32) []float32 { return b.forward(t, runTwin) })
		})
	}
}

// The running statistics follow PyTorch's definition, whatever the chunks.
func TestBatchNormRunningStatistics(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for _, size := range [][2]int{{1, 3}, {64, 4}, {65, 1}, {700, 5}, {40_000, 4}} {
			s := shaders.BatchNormShape{Rows: size[0], C: size[1], Eps: 1e-5, Momentum: 0.1}
			b := newBatchNorm(s)
			for i := range b.x {
				b.x[i] += 10 // an offset must not cost precision
			}
			wantMean, wantVariance := slices.Clone(b.runningMean), slices.Clone(b.runningVariance)
			rstd := zeros(s.C)
			for c := range s.C {
				sum, squares := 0.0, 0.0
				for r := range s.Rows {
					sum += float64(b.x[r*s.C+c])
				}
				mean := sum / float64(s.Rows)
				for r := range s.Rows {
					squares += math.Pow(float64(b.x[r*s.C+c])-mean, 2)
				}
				wantMean[c] = float32(0.9*float64(wantMean[c]) + 0.1*mean)
				wantVariance[c] = float32(0.9*float64(wantVariance[c]) + 0.1*squares/float64(max(s.Rows-1, 1)))
				rstd[c] = float32(1 / math.Sqrt(squares/float64(s.Rows)+1e-5))
			}
			b.forward(t, run)
			near(t, "running mean", b.runningMean, wantMean, 1e-6, 0)
			near(t, "running variance", b.runningVariance, wantVariance, 2e-6, 0)
			near(t, "rstd", b.rstd, rstd, 2e-6, 0)
		}
	})
}

func TestBatchNormOnDevice(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 4}, {63, 3}, {64, 64}, {65, 65}, {1000, 12}, {33_000, 8}} {
		for _, s := range batchNormModes(size[0], size[1]) {
			t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
				device, twin := newBatchNorm(s), newBatchNorm(s)
				dy := normal(7, s.Rows*s.C)
				near(t, "y", device.forward(t, runDevice), twin.forward(t, runTwin), 2e-6, 0)
				device.backward(t, runDevice, dy)
				twin.backward(t, runTwin, dy)
				// Sums of n terms of either sign: an error of some √n·2⁻²⁴ of a term.
				sum := 1e-6 * math.Sqrt(float64(s.Rows))
				near(t, "dγ", device.dgamma, twin.dgamma, 2e-6, sum)
				near(t, "dβ", device.dbeta, twin.dbeta, 2e-6, sum)
				near(t, "dx", device.dx, twin.dx, 5e-6, 1e-5) // of one row it is zero
				near(t, "dr", device.dr, twin.dr, 0, 0)
			})
		}
	}
}
