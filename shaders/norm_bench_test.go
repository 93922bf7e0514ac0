package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

// The batch normalisations of the small image tower at 64 px, batch 32.
func BenchmarkBatchNorm(b *testing.B) {
	for _, size := range [][2]int{{32 * 32 * 32, 16}, {32 * 16 * 16, 16}, {32 * 8 * 8, 32}, {32 * 2 * 2, 128}} {
		s := shaders.BatchNormShape{Rows: size[0], C: size[1], Eps: 1e-5, Momentum: 0.1, ReLU: true}
		n, c := s.Rows*s.C, s.C
		name := fmt.Sprintf(" %dx%d", s.Rows, s.C)
		b.Run("partial"+name, func(b *testing.B) { benchLaunch(b, shaders.BatchNormPartial(s), n, s.PartialWords()) })
		b.Run("statistics"+name, func(b *testing.B) { benchLaunch(b, shaders.BatchNormStatistics(s), s.PartialWords(), c, c, c, c) })
		b.Run("normalize"+name, func(b *testing.B) { benchLaunch(b, shaders.BatchNorm(s), n, c, c, c, c, n) })
		b.Run("grad_partial"+name, func(b *testing.B) {
			benchLaunch(b, shaders.BatchNormGradPartial(s), n, c, c, c, c, n, s.PartialWords())
		})
		b.Run("grad_sums"+name, func(b *testing.B) {
			benchLaunch(b, shaders.BatchNormGradSums(s), s.PartialWords(), c, c, c, c, c, c, s.CoefficientWords())
		})
		b.Run("grad"+name, func(b *testing.B) { benchLaunch(b, shaders.BatchNormGrad(s), n, s.CoefficientWords(), n, n) })
		b.Run("relu"+name, func(b *testing.B) { benchLaunch(b, shaders.Unary("relu", n), n, n) })
	}
}
