package graph

import (
	"math"
	"slices"
	"testing"
)

func TestArgMax(t *testing.T) {
	x := []float32{1, 5, 5, 2, 0, -1, 7, 3} // [2 4]
	for _, c := range []struct {
		name       string
		axis       int
		keep, last bool
		shape      []int
		want       []uint32
	}{
		{"first of equal", -1, false, false, []int{2}, []uint32{1, 2}},
		{"last of equal", 1, false, true, []int{2}, []uint32{2, 2}},
		{"kept", 0, true, false, []int{1, 4}, []uint32{0, 0, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := run(t, map[string][]float32{"x": x}, func(g *Graph) {
				y := g.Input("x", 2, 4).ArgMax(c.axis, c.keep, c.last)
				if !slices.Equal(y.Shape(), c.shape) {
					t.Errorf("shape %v, want %v", y.Shape(), c.shape)
				}
				g.Output("y", y)
			})
			for i, want := range c.want {
				if got := math.Float32bits(out["y"][i]); got != want {
					t.Errorf("y[%d] = %d, want %d", i, got, want)
				}
			}
		})
	}
}

func TestArgMaxHasNoDerivative(t *testing.T) {
	_, err := Build(func(g *Graph) {
		x := g.Input("x", 4)
		g.GradientsFrom(x.ArgMax(0, false, false), g.Constant(1), x)
	})
	if err == nil {
		t.Error("a derivative was made")
	}
}

func TestLayerNormStatistics(t *testing.T) {
	out := run(t, map[string][]float32{"x": {1, 3, 10, 10.5}}, func(g *Graph) {
		x := g.Input("x", 2, 2)
		y, mean, rstd := x.LayerNormStatistics(g.Constant(2, 2), g.Constant(1, 2), 0)
		g.Output("y", y)
		g.Output("mean", mean)
		g.Output("rstd", rstd)
	})
	for name, want := range map[string][]float32{"y": {-1, 3, -1, 3}, "mean": {2, 10.25}, "rstd": {1, 4}} {
		for i, w := range want {
			if got := out[name][i]; math.Abs(float64(got-w)) > 1e-5 {
				t.Errorf("%s[%d] = %v, want %v", name, i, got, w)
			}
		}
	}
}
