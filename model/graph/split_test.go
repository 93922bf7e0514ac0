package graph

import (
	"math/rand/v2"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// TestSplitProducts has products and convolutions whose sums are cut into ranges
// on GPUs: the second pass takes over scale, bias, residual and activation.
func TestSplitProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	input := map[string][]float32{}
	draw := func(name string, n int) {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		input[name] = x
	}
	draw("x", 3*1024)
	draw("w", 36*1024)
	draw("b", 36)
	draw("r", 3*36)
	draw("map", 2*3*3*64)
	draw("kernel", 36*9*64)
	draw("rest", 2*3*3*36)
	lower := func(target shaders.Target) *gpu.Program {
		g, err := Build(func(g *Graph) {
			w, b := g.Input("w", 36, 1024), g.Input("b", 36)
			x, residual := g.Input("x", 3, 1024), g.Input("r", 3, 36)
			g.Output("product", x.Linear(w))
			g.Output("finished", x.Linear(w).Add(b).Add(residual).GELU())
			g.Output("gradient", x.MatMul(residual, true, false))
			m, kernel := g.Input("map", 2, 3, 3, 64), g.Input("kernel", 36, 3, 3, 64)
			g.Output("convolution", m.Conv2D(kernel, 1, 1).Add(b).Add(g.Input("rest", 2, 3, 3, 36)).ReLU())
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := g.Lower("split products", target)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	program := lower(shaders.GPU)
	sums := map[string]bool{}
	for _, d := range program.Dispatch {
		if strings.HasPrefix(d.Kernel.Name, "splitsum") {
			sums[d.Kernel.Name] = true
		}
	}
	for _, want := range []string{"splitsum vec4", "splitsum+bias+residual+gelu vec4", "splitsum+bias+residual+relu vec4"} {
		if !sums[want] {
			t.Errorf("no dispatch of %s; there are %v", want, sums)
		}
	}
	want := gputest.Run(t, gpu.NewReference(), lower(shaders.CPU), input)
	for _, backend := range []gpu.Backend{gpu.NewReference(), gputest.Open(t)} {
		got := gputest.Run(t, backend, program, input)
		for name, w := range want {
			off(t, name+" on "+backend.Info().Name, got[name], widen(w), 1e-5)
		}
	}
}
