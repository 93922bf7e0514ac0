package shaders_test

import (
	"context"
	"fmt"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// benchLaunch times one launch on the device, repeated within a program so that
// the submit does not count.
func benchLaunch(b *testing.B, l shaders.Launch, words ...int) {
	device := gputest.Open(b)
	program := &gpu.Program{Name: l.Kernel.Name}
	externals := map[string]gpu.Buffer{}
	var views []gpu.View
	for i, binding := range l.Kernel.Storage() {
		views = append(views, program.External(binding.Name, words[i]))
		externals[binding.Name] = gputest.Buffer(b, device, binding.Name, normal(uint64(i), int(gpu.Bytes(words[i])/4)))
	}
	repeat := 8
	if device.Info().Class != gpu.Software {
		repeat = 64
	}
	for range repeat {
		program.Add(l.Kernel.Name, l, views...)
	}
	x, err := device.Compile(program, externals)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Release()
	ctx := context.Background()
	run := func() {
		if err := x.Run(ctx); err != nil {
			b.Fatal(err)
		}
		if err := device.Wait(ctx); err != nil {
			b.Fatal(err)
		}
	}
	run()
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N) / float64(repeat)
	b.ReportMetric(l.Flops/seconds/1e9, "GFLOP/s")
	b.ReportMetric(seconds*1e3, "ms/launch")
}

// BenchmarkTargets compares targets, tile sides and splits on the products of a
// RoBERTa-base (one text of 64 tokens, and 32) and of ResNet-18 at 224 px.
func BenchmarkTargets(b *testing.B) {
	products := []shaders.MatmulShape{
		{M: 512, N: 512, K: 512}, {M: 2048, N: 3072, K: 768, TB: true}, {M: 2048, N: 768, K: 3072, TB: true},
		{M: 768, N: 3072, K: 2048, TA: true}, {M: 2048, N: 768, K: 768, TB: true}, {M: 2048, N: 2048, K: 2048}, {M: 256, N: 768, K: 768, TB: true},
		{M: 64, N: 768, K: 768, TB: true}, {M: 64, N: 3072, K: 768, TB: true}, {M: 64, N: 768, K: 3072, TB: true}, {M: 4, N: 512, K: 1024, TB: true},
	}
	for _, s := range products {
		name := fmt.Sprintf("%dx%dx%d ta=%v tb=%v", s.M, s.N, s.K, s.TA, s.TB)
		targetCases(b, name, func(b *testing.B, target shaders.Target, splits int) {
			s.Target = target
			if splits == 1 {
				benchLaunch(b, shaders.Matmul(s), s.M*s.K, s.N*s.K, s.M*s.N)
			} else if s.K/splits >= 64 && s.M*s.N*splits < 1<<24 {
				benchLaunch(b, shaders.MatmulSplit(s, splits), s.M*s.K, s.N*s.K, s.M*s.N*splits)
			}
		})
	}
	for _, s := range []shaders.Conv2DShape{
		conv(32, 56, 64, 64, 3, 1), conv(32, 14, 256, 256, 3, 1), conv(4, 56, 64, 64, 3, 1), conv(4, 14, 256, 256, 3, 1), conv(4, 7, 512, 512, 3, 1), conv(4, 224, 4, 64, 7, 2), conv(4, 56, 64, 128, 3, 2), conv(1, 7, 512, 512, 3, 1),
	} {
		name := fmt.Sprintf("%dx%dx%d→%d k%d s%d", s.Images, s.IH, s.IC, s.OC, s.KH, s.SY)
		x, w, y := s.Images*s.IH*s.IW*s.IC, s.OC*s.KH*s.KW*s.IC, s.Images*s.OH*s.OW*s.OC
		targetCases(b, "forward "+name, func(b *testing.B, target shaders.Target, splits int) {
			s.Target = target
			if splits == 1 {
				benchLaunch(b, shaders.Conv2D(s, shaders.Epilogue{}), x, w, y)
			} else if target == shaders.GPU && y*splits < 1<<24 {
				benchLaunch(b, shaders.Conv2DSplitIn(s, splits), x, w, y*splits)
			}
		})
		targetCases(b, "input "+name, func(b *testing.B, target shaders.Target, splits int) {
			if s.Target = target; splits == 1 {
				benchLaunch(b, shaders.Conv2DGradInput(s, false), y, w, x)
			}
		})
		targetCases(b, "weight "+name, func(b *testing.B, target shaders.Target, splits int) {
			if s.Target = target; splits <= s.Images*s.OH {
				benchLaunch(b, shaders.Conv2DGradWeight(s, splits), y, x, splits*w)
			}
		})
	}
}

func targetCases(b *testing.B, name string, run func(b *testing.B, target shaders.Target, splits int)) {
	for _, splits := range []int{1, 2, 4, 8, 16, 32} {
		for _, side := range []int{0, 32, 64} {
			b.Run(fmt.Sprintf("%s side %d splits %d", name, side, splits), func(b *testing.B) {
				if side == 0 {
					run(b, shaders.CPU, splits)
					return
				}
				defer shaders.FixSide(side)()
				run(b, shaders.GPU, splits)
			})
		}
	}
}

func BenchmarkMatmul(b *testing.B) {
	for _, s := range [][3]int{{512, 512, 512}, {64, 768, 768}, {32, 128, 128}} {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			benchLaunch(b, shaders.Matmul(shaders.MatmulShape{M: m, N: n, K: k, TB: true}), m*k, n*k, m*n)
		})
	}
}

// The convolutions of the small image tower at 64 px, batch 32, and two of
// ResNet-18 at 224 px.
func BenchmarkConv2D(b *testing.B) {
	for _, s := range []shaders.Conv2DShape{
		conv(32, 64, 4, 16, 7, 2), conv(32, 16, 16, 16, 3, 1), conv(32, 16, 16, 32, 3, 2), conv(32, 8, 32, 32, 3, 1),
		conv(32, 4, 64, 64, 3, 1), conv(32, 2, 128, 128, 3, 1), conv(1, 56, 64, 64, 3, 1), conv(1, 7, 512, 512, 3, 1),
	} {
		name := fmt.Sprintf("%dx%dx%d→%d k%d s%d", s.Images, s.IH, s.IC, s.OC, s.KH, s.SY)
		x, w, y := s.Images*s.IH*s.IW*s.IC, s.OC*s.KH*s.KW*s.IC, s.Images*s.OH*s.OW*s.OC
		b.Run("forward "+name, func(b *testing.B) { benchLaunch(b, shaders.Conv2D(s, shaders.Epilogue{}), x, w, y) })
		b.Run("input "+name, func(b *testing.B) { benchLaunch(b, shaders.Conv2DGradInput(s, false), y, w, x) })
		b.Run("weight "+name, func(b *testing.B) {
			splits := shaders.Conv2DWeightSplits(s)
			benchLaunch(b, shaders.Conv2DGradWeight(s, splits), y, x, splits*w)
		})
	}
}

// conv is a convolution of square pictures with half the kernel as padding.
func conv(images, in, ic, oc, k, stride int) shaders.Conv2DShape {
	pad := k / 2
	out := (in+2*pad-k)/stride + 1
	return shaders.Conv2DShape{Images: images, IH: in, IW: in, IC: ic, OH: out, OW: out, OC: oc, KH: k, KW: k, SY: stride, SX: stride, PY: pad, PX: pad, DY: 1, DX: 1}
}
