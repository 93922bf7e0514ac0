package shaders_test

import (
	"context"
	"fmt"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
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

// The layer normalisations of the small text tower (batch 32) and of RoBERTa-base.
func BenchmarkLayerNorm(b *testing.B) {
	for _, size := range [][2]int{{32 * 16, 128}, {64, 768}} {
		s := shaders.LayerNormShape{Rows: size[0], D: size[1], Eps: 1e-5, Residual: true, Sum: true}
		n, rows, d := s.Rows*s.D, s.Rows, s.D
		name := fmt.Sprintf(" %dx%d", rows, d)
		b.Run("forward"+name, func(b *testing.B) { benchLaunch(b, shaders.LayerNorm(s), n, n, d, d, n, rows, rows, n) })
		b.Run("grad"+name, func(b *testing.B) { benchLaunch(b, shaders.LayerNormGrad(s), n, d, rows, rows, n, n) })
		b.Run("grad_partial"+name, func(b *testing.B) {
			benchLaunch(b, shaders.LayerNormGradPartial(s), n, rows, rows, n, s.PartialWords())
		})
		b.Run("grad_sums"+name, func(b *testing.B) { benchLaunch(b, shaders.LayerNormGradSums(s), s.PartialWords(), d, d) })
	}
}

// Attention of the small text tower (batch 32) and of RoBERTa at 64 tokens.
func BenchmarkAttention(b *testing.B) {
	for _, s := range []shaders.AttentionShape{
		{B: 32, H: 4, HKV: 4, TQ: 16, TK: 16, HeadDim: 32, Scale: 0.2},
		{B: 4, H: 6, HKV: 6, TQ: 64, TK: 64, HeadDim: 64, Scale: 0.1},
		{B: 1, H: 12, HKV: 12, TQ: 64, TK: 64, HeadDim: 64, Scale: 0.1},
	} {
		n, rows := s.B*s.TQ*s.H*s.HeadDim, s.B*s.TQ*s.H
		name := fmt.Sprintf(" %dx%dx%dx%d", s.B, s.H, s.TQ, s.HeadDim)
		b.Run("forward"+name, func(b *testing.B) { benchLaunch(b, shaders.Attention(s), n, n, n, n, rows) })
		b.Run("grad_stats"+name, func(b *testing.B) { benchLaunch(b, shaders.AttentionGradStats(s), n, rows, n, s.StatsWords()) })
		b.Run("grad_q"+name, func(b *testing.B) { benchAttentionGrad(b, s, shaders.AttentionGradQ(s), 1) })
		b.Run("grad_kv"+name, func(b *testing.B) { benchAttentionGrad(b, s, shaders.AttentionGradKV(s), 2) })
	}
}

// benchAttentionGrad times a gradient kernel, which needs statistics that say
// how many keys there are.
func benchAttentionGrad(b *testing.B, s shaders.AttentionShape, l shaders.Launch, outputs int) {
	device := gputest.Open(b)
	n, rows := s.B*s.TQ*s.H*s.HeadDim, s.B*s.TQ*s.H
	p := &gpu.Program{Name: l.Kernel.Name}
	externals := map[string]gpu.Buffer{}
	buffer := func(name string, words int) gpu.View {
		externals[name] = gputest.Buffer(b, device, name, normal(1, int(gpu.Bytes(words)/4)))
		return p.External(name, words)
	}
	do, stats := buffer("do", n), buffer("stats", s.StatsWords())
	p.AddSetup("stats", shaders.AttentionGradStats(s), buffer("o", n), buffer("lse", rows), do, stats)
	args := []gpu.View{buffer("q", n), buffer("k", n), buffer("v", n), do, stats}
	for i := range outputs {
		args = append(args, buffer(fmt.Sprint("gradient ", i), n))
	}
	const repeat = 8
	for range repeat {
		p.Add(l.Kernel.Name, l, args...)
	}
	x, err := device.Compile(p, externals)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Release()
	ctx := context.Background()
	if err := x.Setup(ctx); err != nil {
		b.Fatal(err)
	}
	run := func() {
		if err := x.Run(ctx); err != nil {
			b.Fatal(err)
		}
		if err := device.Wait(ctx); err != nil {
			b.Fatal(err)
		}
	}
	run() // drivers compile at first use
	for b.Loop() {
		run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N) / repeat
	b.ReportMetric(l.Flops/seconds/1e9, "GFLOP/s")
	b.ReportMetric(seconds*1e3, "ms/launch")
}
