package shaders_test

import (
	"fmt"
	"testing"

	"duet/shaders"
)

func words(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Reductions of the training step: bias gradients over rows, a whole tensor,
// rows; each pass apart.
func BenchmarkReduce(b *testing.B) {
	for _, c := range []struct{ shape, axes []int }{
		{[]int{1024, 128}, []int{0}},
		{[]int{1024, 512}, []int{0}},
		{[]int{8192, 16}, []int{0}},
		{[]int{32, 10}, []int{0}},
		{[]int{1 << 20}, []int{0}},
		{[]int{1024, 512}, []int{1}},
		{[]int{32, 16, 16, 63}, []int{0, 1, 2}},
		{[]int{32, 64, 16, 16}, []int{0, 2, 3}},
	} {
		in := words(c.shape)
		for i, p := range shaders.Reduce("sum", c.shape, c.axes, shaders.CPU) {
			b.Run(fmt.Sprintf("%v over %v pass %d", c.shape, c.axes, i), func(b *testing.B) {
				benchLaunch(b, p.Launch, in, p.Words)
				b.ReportMetric(float64(4*in)/1e9/(b.Elapsed().Seconds()/float64(b.N)/8), "GB/s")
			})
			in = p.Words
		}
	}
}

func BenchmarkBinary(b *testing.B) {
	for _, s := range [][2][]int{
		{{1 << 19}, {1 << 19}}, {{4096, 128}, {128}}, {{4096, 128}, {4096, 1}}, {{32, 16, 16, 64}, {32, 1, 1, 64}}, {{4096, 127}, {127}},
	} {
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			benchLaunch(b, shaders.Binary("mul", s[0], s[1]), words(s[0]), words(s[1]), words(s[0]))
		})
	}
}

func BenchmarkStrided(b *testing.B) {
	b.Run("transpose B T H D", func(b *testing.B) {
		benchLaunch(b, shaders.Gather([]int{32, 4, 32, 32}, []int{4096, 32, 128, 1}, 0), 1<<17, 1<<17)
	})
	b.Run("transpose NCHW", func(b *testing.B) {
		benchLaunch(b, shaders.Gather([]int{32, 16, 16, 64}, []int{16384, 16, 1, 256}, 0), 1<<19, 1<<19)
	})
	b.Run("expand", func(b *testing.B) {
		benchLaunch(b, shaders.Gather([]int{32, 256, 64}, []int{64, 0, 1}, 0), 2048, 1<<19)
	})
	b.Run("slice_grad", func(b *testing.B) {
		benchLaunch(b, shaders.SliceGrad([]int{32, 64, 128}, []int{0, 0, 0}, []int{32, 1, 128}, []int{1, 1, 1}), 4096, 1<<18)
	})
}

func BenchmarkElementwise(b *testing.B) {
	const n = 1 << 19
	b.Run("gelu", func(b *testing.B) { benchLaunch(b, shaders.Unary("gelu", n), n, n) })
	b.Run("relu_grad", func(b *testing.B) { benchLaunch(b, shaders.UnaryGrad("relu", n), n, n, n) })
	b.Run("gelu_grad", func(b *testing.B) { benchLaunch(b, shaders.UnaryGrad("gelu", n), n, n, n) })
	b.Run("dropout", func(b *testing.B) { benchLaunch(b, shaders.Dropout(n, 0.1, 1), n, 4, n) })
}

// The text side of a step of 32 captions of 64 tokens, and two heads.
func BenchmarkTextAndLoss(b *testing.B) {
	const n, vocab, d = 2048, 8192, 128
	b.Run("embedding", func(b *testing.B) { benchLaunch(b, shaders.Embedding(n, vocab, d), n, vocab*d, n*d) })
	b.Run("embedding_links", func(b *testing.B) { benchLaunch(b, shaders.EmbeddingLinks(n, shaders.NoPadding), n, n) })
	for _, s := range []shaders.CrossEntropyShape{{Rows: 32, Classes: 101}, {Rows: 256, Classes: 8192}} {
		splits := shaders.CrossEntropySplits(s)
		partials, logits := 4*s.Rows*splits, s.Rows*s.Classes
		b.Run(fmt.Sprintf("crossentropy %dx%d", s.Rows, s.Classes), func(b *testing.B) {
			if splits == 1 {
				benchLaunch(b, shaders.CrossEntropy(s, 1), logits, s.Rows, s.Rows, s.Rows, 2*s.Rows)
			} else {
				benchLaunch(b, shaders.CrossEntropyPartial(s, splits), logits, partials)
			}
		})
		b.Run(fmt.Sprintf("crossentropy_grad %dx%d", s.Rows, s.Classes), func(b *testing.B) {
			benchLaunch(b, shaders.CrossEntropyGrad(s), 1, 2*s.Rows, 1, logits, s.Rows, logits)
		})
	}
}
