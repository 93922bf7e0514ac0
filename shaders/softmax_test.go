package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

// softmaxes are the two operations and their gradients.
var softmaxes = []struct {
	name, file    string
	forward, grad func(outer, d, inner int) shaders.Launch
}{
	{"softmax", "softmax", shaders.Softmax, shaders.SoftmaxGrad},
	{"log-softmax", "log_softmax", shaders.LogSoftmax, shaders.LogSoftmaxGrad},
}

func TestSoftmaxVectors(t *testing.T) {
	for _, s := range softmaxes {
		t.Run(s.name, func(t *testing.T) {
			forVectors(t, s.file, func(t *testing.T, run runner, v vector) {
				rows, d, x := v.Inputs[0].Shape[0], v.Inputs[0].Shape[1], v.Inputs[0].f()
				y, dx := zeros(rows*d), zeros(rows*d)
				run(t, s.forward(rows, d, 1), x, y)
				nearVector(t, "y", y, v.Outputs[0].f())
				run(t, s.grad(rows, d, 1), y, v.OutputGrads[0].f(), dx)
				nearVector(t, "dx", dx, v.InputGrads[0].f())
			})
		})
	}
}

var softmaxSizes = [][3]int{{1, 1, 1}, {3, 64, 1}, {63, 65, 1}, {2, 3, 65}, {5, 63, 64}, {1, 7, 4}, {130, 4, 3}}

func TestSoftmaxGradients(t *testing.T) {
	for _, s := range softmaxes {
		for _, size := range [][3]int{{2, 4, 1}, {2, 3, 4}, {2, 3, 3}} {
			t.Run(fmt.Sprint(s.name, size), func(t *testing.T) {
				n := size[0] * size[1] * size[2]
				x, dy, dx := normal(1, n), normal(2, n), zeros(n)
				forward := func([][]float32) []float32 {
					y := zeros(n)
					runTwin(t, s.forward(size[0], size[1], size[2]), x, y)
					return y
				}
				runTwin(t, s.grad(size[0], size[1], size[2]), forward(nil), dy, dx)
				gradcheck(t, [][]float32{x}, [][]float32{dx}, dy, 1e-2, 1e-4, forward)
			})
		}
	}
}

// Large values must not overflow.
func TestSoftmaxOfLargeValues(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		x, y := []float32{1000, 1001, -2000, 1000}, zeros(4)
		run(t, shaders.Softmax(1, 4, 1), x, y)
		near(t, "softmax", y, []float32{0.21194156, 0.57611688, 0, 0.21194156}, 1e-6, 0)
		run(t, shaders.LogSoftmax(1, 4, 1), x, y)
		near(t, "log-softmax", y, []float32{-1.5514447, -0.55144471, -3001.5514, -1.5514447}, 1e-6, 0)
	})
}

func TestSoftmaxOnDevice(t *testing.T) {
	for _, s := range softmaxes {
		for _, size := range softmaxSizes {
			t.Run(fmt.Sprint(s.name, size), func(t *testing.T) {
				n := size[0] * size[1] * size[2]
				compareBoth(t, 2e-6, s.forward(size[0], size[1], size[2]), normal(1, n), zeros(n))
				y := zeros(n)
				runTwin(t, s.forward(size[0], size[1], size[2]), normal(1, n), y)
				if size[1] > 1 { // the gradient of a single value is zero
					compareBoth(t, 5e-6, s.grad(size[0], size[1], size[2]), y, normal(2, n), zeros(n))
				}
			})
		}
	}
}
