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

// Attention of the small text tower (batch 32) and of RoBERTa-base at 64 tokens.
func BenchmarkAttention(b *testing.B) {
	for _, s := range []shaders.AttentionShape{
		{B: 32, H: 4, HKV: 4, TQ: 16, TK: 16, HeadDim: 32},
		{B: 4, H: 6, HKV: 6, TQ: 64, TK: 64, HeadDim: 64},
		{B: 1, H: 12, HKV: 12, TQ: 64, TK: 64, HeadDim: 64},
	} {
		n, rows := s.B*s.TQ*s.H*s.HeadDim, s.B*s.TQ*s.H
		name := fmt.Sprintf(" %dx%dx%dx%d", s.B, s.H, s.TQ, s.HeadDim)
		b.Run("forward"+name, func(b *testing.B) { benchLaunch(b, shaders.Attention(s), n, n, n, n, rows) })
		b.Run("grad_stats"+name, func(b *testing.B) { benchLaunch(b, shaders.AttentionGradStats(s), n, rows, n, s.StatsWords()) })
		// Random statistics stand for any: a length of zero would leave out the work.
		stats := shaders.AttentionShape{B: s.B, H: s.H, TQ: s.TQ}.StatsWords()
		b.Run("grad_q"+name, func(b *testing.B) { benchLaunch(b, shaders.AttentionGradQ(s), n, n, n, n, stats, n) })
		b.Run("grad_kv"+name, func(b *testing.B) { benchLaunch(b, shaders.AttentionGradKV(s), n, n, n, n, stats, n, n) })
	}
}
