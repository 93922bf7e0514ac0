package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

// Sums of a few hundred float32 products differ from the twin's float64 sums
// by some 1e-6 of the largest; sums over K = 4,608 were seen at 8e-5.
const tileTolerance = 2e-5

func TestMatmulOnDevice(t *testing.T) {
	sizes := [][3]int{{1, 1, 1}, {3, 5, 7}, {8, 8, 8}, {64, 64, 64}, {65, 63, 33}, {1, 10, 512}, {17, 1, 129}, {12, 20, 16}}
	// Of tiles in workgroup memory: edges, a k that no slab divides, and enough tiles for the wide ones.
	staged := [][3]int{{4, 4, 4}, {64, 64, 64}, {36, 100, 52}, {4, 512, 1024}, {68, 32, 33}, {1028, 1036, 20}}
	for variant := range 4 {
		shape := shaders.MatmulShape{TA: variant&1 != 0, TB: variant&2 != 0}
		for _, s := range sizes {
			testMatmul(t, shape, s)
		}
		for _, s := range staged {
			shape.Target = shaders.GPU
			testMatmul(t, shape, s)
		}
	}
	for target := range targets {
		t.Run(fmt.Sprintf("batch and strides, target %d", target), func(t *testing.T) {
			s := shaders.MatmulShape{M: 5, N: 8, K: 12, Z: 3, TB: true, LDA: 16, ZA: 80, ZB: 96, OA: 4, Target: target}
			compareBoth(t, tileTolerance, shaders.Matmul(s), normal(1, 260), normal(2, 3*96), make([]float32, 3*40))
		})
	}
}

// A product over nothing is its bias.
func TestMatmulOfNothing(t *testing.T) {
	for target := range targets {
		s := shaders.MatmulShape{M: 4, N: 8, Target: target, Epilogue: shaders.Epilogue{Bias: true}}
		if n := s.Splits(); n != 1 {
			t.Errorf("target %d: cut into %d", target, n)
		}
		compareBoth(t, 0, shaders.Matmul(s), []float32{1}, []float32{1}, normal(1, 8), normal(2, 32))
	}
}

const targets = shaders.GPU + 1

func testMatmul(t *testing.T, shape shaders.MatmulShape, s [3]int) {
	m, n, k := s[0], s[1], s[2]
	shape.M, shape.N, shape.K = m, n, k
	t.Run(fmt.Sprintf("%dx%dx%d ta=%v tb=%v target %d", m, n, k, shape.TA, shape.TB, shape.Target), func(t *testing.T) {
		a, b := normal(1, m*k), normal(2, k*n)
		compareBoth(t, tileTolerance, shaders.Matmul(shape), a, b, make([]float32, m*n))
		for _, splits := range []int{shape.Splits(), max(1, k/40)} {
			compareBoth(t, tileTolerance, shaders.MatmulSplit(shape, splits), a, b, make([]float32, splits*m*n))
		}
		shape.Epilogue = shaders.Epilogue{Bias: true, Residual: true, Act: "relu"}
		compareBoth(t, tileTolerance, shaders.Matmul(shape), a, b, normal(3, n), normal(4, m*n), make([]float32, m*n))
	})
}

func TestSplitSumOnDevice(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 3}, {64, 1}, {5, 13}, {3, 20}} {
		rows, columns := s[0], s[1]
		n := rows * columns
		compareBoth(t, tileTolerance, shaders.SplitSum(5, rows, columns, shaders.Epilogue{}), normal(1, 5*n), make([]float32, n))
		compareBoth(t, tileTolerance, shaders.SplitSum(5, rows, columns, shaders.Epilogue{Scale: true, Bias: true, Residual: true, Act: "gelu"}),
			normal(1, 5*n), normal(2, columns), normal(3, columns), normal(4, n), make([]float32, n))
	}
}

func TestConv2DOnDevice(t *testing.T) {
	cases := []shaders.Conv2DShape{
		{Images: 2, IH: 8, IW: 8, IC: 4, OC: 8, KH: 3, KW: 3, SY: 1, SX: 1, PY: 1, PX: 1, DY: 1, DX: 1},
		{Images: 1, IH: 17, IW: 13, IC: 3, OC: 8, KH: 7, KW: 7, SY: 2, SX: 2, PY: 3, PX: 3, DY: 1, DX: 1},
		{Images: 3, IH: 9, IW: 7, IC: 5, OC: 3, KH: 3, KW: 3, SY: 2, SX: 2, PY: 1, PX: 1, DY: 1, DX: 1},
		{Images: 1, IH: 6, IW: 6, IC: 8, OC: 16, KH: 1, KW: 1, SY: 2, SX: 2, DY: 1, DX: 1},
		{Images: 2, IH: 11, IW: 10, IC: 2, OC: 3, KH: 3, KW: 3, SY: 1, SX: 1, PY: 2, PX: 2, DY: 2, DX: 2},
		{Images: 1, IH: 3, IW: 3, IC: 64, OC: 65, KH: 3, KW: 3, SY: 1, SX: 1, PY: 1, PX: 1, DY: 1, DX: 1},
		{Images: 2, IH: 7, IW: 5, IC: 12, OC: 20, KH: 3, KW: 2, SY: 3, SX: 2, PY: 1, PX: 0, DY: 1, DX: 2},
		{Images: 1, IH: 17, IW: 13, IC: 4, OC: 68, KH: 7, KW: 7, SY: 2, SX: 2, PY: 3, PX: 3, DY: 1, DX: 1},
		{Images: 2, IH: 8, IW: 6, IC: 36, OC: 32, KH: 3, KW: 3, SY: 2, SX: 2, PY: 1, PX: 1, DY: 1, DX: 1},
		{Images: 8, IH: 56, IW: 56, IC: 16, OC: 8, KH: 3, KW: 3, SY: 1, SX: 1, PY: 1, PX: 1, DY: 1, DX: 1},
	}
	for _, s := range cases {
		s.OH = (s.IH+2*s.PY-s.DY*(s.KH-1)-1)/s.SY + 1
		s.OW = (s.IW+2*s.PX-s.DX*(s.KW-1)-1)/s.SX + 1
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			x, w := normal(1, s.Images*s.IH*s.IW*s.IC), normal(2, s.OC*s.KH*s.KW*s.IC)
			dy := normal(3, s.Images*s.OH*s.OW*s.OC)
			y := make([]float32, len(dy))
			for s.Target = range targets {
				compareBoth(t, tileTolerance, shaders.Conv2D(s, shaders.Epilogue{}), x, w, y)
				compareBoth(t, tileTolerance, shaders.Conv2D(s, shaders.Epilogue{Bias: true, Residual: true, Act: "relu"}), x, w, normal(4, s.OC), dy, y)
				compareBoth(t, tileTolerance, shaders.Conv2DGradInput(s, false), dy, w, make([]float32, len(x)))
				compareBoth(t, tileTolerance, shaders.Conv2DGradInput(s, true), dy, w, x, make([]float32, len(x)))
				for _, splits := range []int{1, shaders.Conv2DWeightSplits(s)} {
					compareBoth(t, tileTolerance, shaders.Conv2DGradWeight(s, splits), dy, x, make([]float32, splits*len(w)))
				}
				if splits := s.Splits(); splits > 1 {
					compareBoth(t, tileTolerance, shaders.Conv2DSplit(s, shaders.F32), x, w, make([]float32, splits*len(y)))
				}
			}
		})
	}
}

func TestFusionOnDevice(t *testing.T) {
	for _, s := range []shaders.FusionShape{
		{M: 4, N: 64, DV: 64, DT: 64, Concat: true},
		{M: 4, N: 64, DV: 64, DT: 64, Concat: true, Product: true, Act: "gelu"},
		{M: 4, N: 64, DV: 64, DT: 64, Product: true},
		{M: 9, N: 13, DV: 5, DT: 7, Concat: true, Act: "relu"},
		{M: 1, N: 3, DV: 5, DT: 5, Concat: true, Product: true},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			v, u, z := normal(1, s.M*s.DV), normal(2, s.M*s.DT), normal(3, s.M*s.K())
			compareBoth(t, tileTolerance, shaders.Fusion(s), v, u, normal(4, s.N*s.K()), normal(5, s.N), make([]float32, s.M*s.N))
			compareBoth(t, tileTolerance, shaders.FusionInput(s), v, u, make([]float32, s.M*s.K()))
			compareBoth(t, tileTolerance, shaders.FusionGrad(s), v, u, z, make([]float32, s.M*s.DV), make([]float32, s.M*s.DT))
		})
	}
	lse := make([]float32, 3)
	compareBoth(t, tileTolerance, shaders.Gate(3, 65), normal(1, 195), make([]float32, 195), lse)
	compareBoth(t, tileTolerance, shaders.GateGrad(3, 65), normal(1, 195), []float32{5, 5, 5}, normal(2, 195), make([]float32, 195))
}
