package shaders_test

import (
	"testing"

	"duet/shaders"
)

func TestL2NormalizeVectors(t *testing.T) {
	forVectors(t, "l2_normalize", func(t *testing.T, run runner, v vector) {
		rows, d, x := v.Inputs[0].Shape[0], v.Inputs[0].Shape[1], v.Inputs[0].f()
		y, dx := zeros(rows*d), zeros(rows*d)
		run(t, shaders.L2Normalize(rows, d, 1e-12), x, y)
		nearVector(t, "y", y, v.Outputs[0].f())
		run(t, shaders.L2NormalizeGrad(rows, d, 1e-12), x, v.OutputGrads[0].f(), dx)
		nearVector(t, "dx", dx, v.InputGrads[0].f())
	})
}

// A row of zeros stays zero, and its gradient is dy / eps.
func TestL2NormalizeZeros(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		x, y, dx := []float32{0, 0, 0, 3, 0, 4}, zeros(6), zeros(6)
		run(t, shaders.L2Normalize(2, 3, 1e-2), x, y)
		near(t, "y", y, []float32{0, 0, 0, 0.6, 0, 0.8}, 1e-6, 0)
		run(t, shaders.L2NormalizeGrad(2, 3, 1e-2), x, []float32{1, 2, 3, 1, 1, 0}, dx)
		near(t, "dx", dx, []float32{100, 200, 300, (1 - 0.36) / 5, 0.2, -0.48 / 5}, 1e-7, 1e-6)
	})
}

func TestL2NormalizeGradients(t *testing.T) {
	x, dy, dx := normal(1, 12), normal(2, 12), zeros(12)
	runTwin(t, shaders.L2NormalizeGrad(3, 4, 1e-12), x, dy, dx)
	gradcheck(t, [][]float32{x}, [][]float32{dx}, dy, 5e-3, 1e-4, func([][]float32) []float32 {
		y := zeros(12)
		runTwin(t, shaders.L2Normalize(3, 4, 1e-12), x, y)
		return y
	})
}

func TestL2NormalizeOnDevice(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 3}, {63, 65}, {64, 64}, {65, 63}, {7, 512}} {
		n := size[0] * size[1]
		compareBoth(t, 2e-6, shaders.L2Normalize(size[0], size[1], 1e-12), normal(1, n), zeros(n))
		if size[1] > 1 { // of one column it is zero
			compareBoth(t, 5e-6, shaders.L2NormalizeGrad(size[0], size[1], 1e-12), normal(1, n), normal(2, n), zeros(n))
		}
	}
}
