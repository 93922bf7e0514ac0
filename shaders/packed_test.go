package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

// Products and convolutions over packed weights equal those over the values
// that these hold, on the twins as on the device.
func TestPackedWeights(t *testing.T) {
	for _, format := range []shaders.Format{shaders.F16, shaders.I8} {
		for _, size := range [][3]int{{1, 4, 4}, {8, 8, 8}, {65, 12, 64}, {3, 64, 20}} {
			m, n, k := size[0], size[1], size[2]
			t.Run(fmt.Sprintf("matmul %d %v", format, size), func(t *testing.T) {
				a, bias, residual := normal(1, m*k), normal(3, n), normal(4, m*n)
				words, scales := format.Encode(normal(2, n*k), k)
				values := format.Decode(words, scales, k)
				whole := shaders.MatmulShape{M: m, N: n, K: k, TB: true, Epilogue: shaders.Epilogue{Bias: true, Residual: true, Act: "gelu"}}
				packed := whole
				packed.B, packed.Scale = format, scales != nil
				onEach(t, func(t *testing.T, run runner, target shaders.Target) {
					packed.Target = target
					want, y := zeros(m*n), zeros(m*n)
					run(t, shaders.Matmul(whole), a, values, bias, residual, want)
					args := []any{a, words}
					if scales != nil {
						args = append(args, scales)
					}
					run(t, shaders.Matmul(packed), append(args, bias, residual, y)...)
					near(t, "y", y, want, tileTolerance, 0)

					// The gradient of the input is dy·scale times the weights.
					dy := normal(5, m*n)
					want, y = zeros(m*k), zeros(m*k)
					run(t, shaders.Matmul(shaders.MatmulShape{M: m, N: k, K: n}), dy, values, want)
					for i := range dy {
						if scales != nil {
							dy[i] *= scales[i%n]
						}
					}
					run(t, shaders.Matmul(shaders.MatmulShape{M: m, N: k, K: n, B: format, Target: target}), dy, words, y)
					near(t, "dx", y, want, tileTolerance, 0)
				})
			})
		}
		t.Run(fmt.Sprintf("conv2d %d", format), func(t *testing.T) {
			s := shaders.Conv2DShape{Images: 2, IH: 7, IW: 5, IC: 12, OH: 4, OW: 3, OC: 20, KH: 3, KW: 3, SY: 2, SX: 2, PY: 1, PX: 1, DY: 1, DX: 1}
			x, bias, width := normal(1, s.Images*s.IH*s.IW*s.IC), normal(2, s.OC), s.KH*s.KW*s.IC
			words, scales := format.Encode(normal(3, s.OC*width), width)
			values := format.Decode(words, scales, width)
			if scales == nil { // batch-norm's
				scales = normal(4, s.OC)
				for i := range values {
					values[i] *= scales[i/width]
				}
			}
			onEach(t, func(t *testing.T, run runner, target shaders.Target) {
				packed := s
				packed.Target = target
				want, y := zeros(s.Images*s.OH*s.OW*s.OC), zeros(s.Images*s.OH*s.OW*s.OC)
				run(t, shaders.Conv2D(s, shaders.Epilogue{Bias: true, Act: "relu"}), x, values, bias, want)
				run(t, shaders.Conv2DPacked(packed, format, shaders.Epilogue{Scale: true, Bias: true, Act: "relu"}), x, words, scales, bias, y)
				near(t, "y", y, want, tileTolerance, 0)
			})
		})
	}
}

// onEach runs a test on the device and on the twins with the kernels of each
// target, and with both sides of staged tiles.
func onEach(t *testing.T, f func(t *testing.T, run runner, target shaders.Target)) {
	onBoth(t, func(t *testing.T, run runner) {
		f(t, run, shaders.CPU)
		for _, side := range []int{32, 64} {
			restore := shaders.FixSide(side)
			f(t, run, shaders.GPU)
			restore()
		}
	})
}
