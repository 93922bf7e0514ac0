package shaders_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

// window returns a square pooling of x [images h w c], rounding the size down.
func window(images, h, w, c, kernel, stride, pad, dilation int) shaders.Pool2DShape {
	out := func(d int) int { return (d+2*pad-dilation*(kernel-1)-1)/stride + 1 }
	return shaders.Pool2DShape{Images: images, IH: h, IW: w, C: c, OH: out(h), OW: out(w), KH: kernel, KW: kernel,
		SY: stride, SX: stride, PY: pad, PX: pad, EY: pad, EX: pad, DY: dilation, DX: dilation}
}

func inputs(s shaders.Pool2DShape) int  { return s.Images * s.IH * s.IW * s.C }
func outputs(s shaders.Pool2DShape) int { return s.Images * s.OH * s.OW * s.C }

func TestMaxPool2DVectors(t *testing.T) {
	forVectors(t, "max_pool2d", func(t *testing.T, run runner, v vector) {
		d := v.Inputs[0].Shape
		s := window(d[0], d[2], d[3], d[1], v.attr("kernel"), v.attr("stride"), v.attr("padding"), 1)
		y, winner, dx := zeros(outputs(s)), make([]uint32, outputs(s)), zeros(inputs(s))
		run(t, shaders.MaxPool2D(s), v.Inputs[0].nhwc(), y, winner)
		nearVector(t, "y", y, v.Outputs[0].nhwc())
		run(t, shaders.MaxPool2DGrad(s), winner, v.OutputGrads[0].nhwc(), dx)
		nearVector(t, "dx", dx, v.InputGrads[0].nhwc())
	})
}

// The first of equal values wins, negative values beat padding, and a window
// that lies in the padding has no winner.
func TestMaxPool2DTies(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		s := window(1, 2, 2, 1, 2, 1, 0, 1)
		y, winner := zeros(1), make([]uint32, 1)
		run(t, shaders.MaxPool2D(s), []float32{1, 2, 2, 2}, y, winner)
		if y[0] != 2 || winner[0] != 1 {
			t.Errorf("largest %g at %d, want 2 at 1", y[0], winner[0])
		}
		s = shaders.Pool2DShape{Images: 1, IH: 1, IW: 1, C: 1, OH: 1, OW: 3, KH: 1, KW: 2, SY: 1, SX: 2, PX: 1, DY: 1, DX: 1}
		y, winner = zeros(3), make([]uint32, 3)
		dx := zeros(1)
		run(t, shaders.MaxPool2D(s), []float32{-7}, y, winner)
		near(t, "y", y, []float32{-7, float32(math.Inf(-1)), float32(math.Inf(-1))}, 0, 0)
		if !slices.Equal(winner, []uint32{0, math.MaxUint32, math.MaxUint32}) {
			t.Errorf("winners %v", winner)
		}
		run(t, shaders.MaxPool2DGrad(s), winner, []float32{3, 5, 7}, dx)
		near(t, "dx", dx, []float32{3}, 0, 0)
	})
}

func TestAveragePool2D(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	ceil := shaders.Pool2DShape{Images: 1, IH: 3, IW: 3, C: 1, OH: 2, OW: 2, KH: 3, KW: 3, SY: 2, SX: 2, PY: 1, PX: 1, EY: 0, EX: 0, DY: 1, DX: 1}
	for _, test := range []struct {
		name    string
		shape   shaders.Pool2DShape
		include bool
		want    []float32
	}{
		{"valid", window(1, 3, 3, 1, 2, 1, 0, 1), false, []float32{3, 4, 6, 7}},
		{"padding left out", window(1, 3, 3, 1, 2, 2, 1, 1), false, []float32{1, 2.5, 5.5, 7}},
		{"padding included", window(1, 3, 3, 1, 2, 2, 1, 1), true, []float32{0.25, 1.25, 2.75, 7}},
		{"dilated", window(1, 3, 3, 1, 2, 1, 0, 2), false, []float32{5}},
		{"hanging over, padding included", ceil, true, []float32{12.0 / 9, 16.0 / 6, 24.0 / 6, 28.0 / 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				y := zeros(outputs(test.shape))
				run(t, shaders.AveragePool2D(test.shape, test.include), x, y)
				near(t, "y", y, test.want, 1e-6, 0)
			})
		})
	}
}

func TestPool2DOnDevice(t *testing.T) {
	for _, s := range []shaders.Pool2DShape{
		window(1, 1, 1, 1, 1, 1, 0, 1),
		window(2, 63, 9, 3, 3, 2, 1, 1),
		window(3, 16, 16, 64, 3, 2, 1, 1),
		window(1, 17, 13, 5, 2, 3, 0, 2),
		window(2, 10, 11, 8, 3, 1, 2, 3),
		{Images: 2, IH: 8, IW: 6, C: 4, OH: 4, OW: 6, KH: 3, KW: 2, SY: 2, SX: 1, PX: 1, EY: 2, EX: 1, DY: 1, DX: 2},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			x, y, winner := normal(1, inputs(s)), zeros(outputs(s)), make([]uint32, outputs(s))
			runTwin(t, shaders.MaxPool2D(s), x, y, winner)
			deviceY, deviceWinner := zeros(outputs(s)), make([]uint32, outputs(s))
			runDevice(t, shaders.MaxPool2D(s), x, deviceY, deviceWinner)
			if !slices.Equal(deviceY, y) || !slices.Equal(deviceWinner, winner) {
				t.Error("maxima or winners differ between device and twin")
			}
			compareBoth(t, 1e-6, shaders.MaxPool2DGrad(s), winner, normal(2, outputs(s)), zeros(inputs(s)))
			compareBoth(t, 1e-6, shaders.AveragePool2D(s, false), x, y)
			compareBoth(t, 1e-6, shaders.AveragePool2D(s, true), x, y)
		})
	}
}

func TestMeanPoolVectors(t *testing.T) {
	forVectors(t, "global_mean_pool", func(t *testing.T, run runner, v vector) {
		d := v.Inputs[0].Shape
		n, p, c := d[0], d[2]*d[3], d[1]
		y, dx := zeros(n*c), zeros(n*p*c)
		run(t, shaders.MeanPool(n, p, c, false), v.Inputs[0].nhwc(), y)
		nearVector(t, "y", y, v.Outputs[0].f())
		run(t, shaders.MeanPoolGrad(n, p, c, false), v.OutputGrads[0].f(), dx)
		nearVector(t, "dx", dx, v.InputGrads[0].nhwc())
	})
}

func TestMeanPoolMasked(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		x := []float32{1, 10, 2, 20, 4, 40, 1, 1, 1, 1, 1, 1, 3, 30, 5, 50, 10, 100}
		lengths := []uint32{2, 0, 9} // a length beyond the end counts all
		y, dx := zeros(6), zeros(18)
		run(t, shaders.MeanPool(3, 3, 2, true), x, lengths, y)
		near(t, "y", y, []float32{1.5, 15, 0, 0, 6, 60}, 1e-6, 0)
		run(t, shaders.MeanPoolGrad(3, 3, 2, true), lengths, []float32{1, 2, 3, 4, 5, 6}, dx)
		third := float32(5) / 3
		near(t, "dx", dx, []float32{0.5, 1, 0.5, 1, 0, 0, 0, 0, 0, 0, 0, 0, third, 2, third, 2, third, 2}, 1e-6, 0)
	})
}

func TestMeanPoolOnDevice(t *testing.T) {
	for _, size := range [][3]int{{1, 1, 1}, {3, 63, 65}, {2, 64, 64}, {5, 49, 12}} {
		n, p, c := size[0], size[1], size[2]
		lengths := make([]uint32, n)
		for i := range lengths {
			lengths[i] = uint32(17 * i)
		}
		compareBoth(t, 2e-6, shaders.MeanPool(n, p, c, false), normal(1, n*p*c), zeros(n*c))
		compareBoth(t, 2e-6, shaders.MeanPool(n, p, c, true), normal(1, n*p*c), lengths, zeros(n*c))
		compareBoth(t, 1e-6, shaders.MeanPoolGrad(n, p, c, false), normal(1, n*c), zeros(n*p*c))
		compareBoth(t, 1e-6, shaders.MeanPoolGrad(n, p, c, true), lengths, normal(1, n*c), zeros(n*p*c))
	}
}
