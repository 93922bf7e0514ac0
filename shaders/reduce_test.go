package shaders_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

func reduce(t testing.TB, run runner, f string, shape, axes []int, target shaders.Target, x []float32) []float32 {
	t.Helper()
	for _, p := range shaders.Reduce(f, shape, axes, target) {
		y := zeros(p.Words)
		run(t, p.Launch, x, y)
		x = y
	}
	return x
}

// reduceDirectly folds by walking over every element.
func reduceDirectly(f string, shape, axes []int, x []float32) []float32 {
	lists := map[int][]float64{}
	var order []int
	for i, v := range x {
		out, rest, scale := 0, i, 1
		for d := len(shape) - 1; d >= 0; d-- {
			if !slices.Contains(axes, d) {
				out += rest % shape[d] * scale
				scale *= shape[d]
			}
			rest /= shape[d]
		}
		if lists[out] == nil {
			order = append(order, out)
		}
		lists[out] = append(lists[out], float64(v))
	}
	slices.Sort(order)
	var y []float32
	for _, out := range order {
		sum, squares, absolute, product, exps := 0.0, 0.0, 0.0, 1.0, 0.0
		list := lists[out]
		for _, v := range list {
			sum, squares, absolute, product = sum+v, squares+v*v, absolute+math.Abs(v), product*v
			exps += math.Exp(v - slices.Max(list))
		}
		y = append(y, float32(map[string]float64{
			"sum": sum, "mean": sum / float64(len(list)), "sumsquare": squares, "l1": absolute, "l2": math.Sqrt(squares),
			"logsum": math.Log(sum), "max": slices.Max(list), "min": slices.Min(list), "product": product,
			"logsumexp": slices.Max(list) + math.Log(exps),
		}[f]))
	}
	return y
}

var reduceCases = []struct{ shape, axes []int }{
	{[]int{1}, []int{0}}, {[]int{63}, []int{0}}, {[]int{5, 3}, nil}, {[]int{3, 5}, []int{0}}, {[]int{3, 5}, []int{1}},
	{[]int{3, 64}, []int{1}}, {[]int{65, 63}, []int{0}}, {[]int{65, 64}, []int{0}}, {[]int{64, 65}, []int{1}},
	{[]int{2, 3, 4, 5}, []int{1, 3}}, {[]int{2, 3, 4, 8}, []int{0, 2}}, {[]int{2, 3, 4, 8}, []int{1, 3}}, {[]int{4, 3, 1, 2}, []int{0, 1, 2, 3}},
	{[]int{2, 3, 2, 3, 2, 3}, []int{0, 2, 4}}, {[]int{2, 3, 2, 3, 2, 4}, []int{1, 3, 5}},
	// Two passes.
	{[]int{1000, 8}, []int{0}}, {[]int{1001, 3}, []int{0}}, {[]int{3, 1000}, []int{1}}, {[]int{4096}, []int{0}},
	{[]int{4999}, []int{0}}, {[]int{40, 3, 30}, []int{0, 2}}, {[]int{40, 4, 32}, []int{0, 2}}, {[]int{30, 5, 30, 4}, []int{0, 2}},
}

func TestReduce(t *testing.T) {
	for k, c := range reduceCases {
		t.Run(fmt.Sprint(c.shape, c.axes), func(t *testing.T) {
			x := normal(1, words(c.shape))
			positive := make([]float32, len(x))
			for i, v := range x {
				positive[i] = float32(math.Exp(0.01 * float64(v)))
			}
			onBoth(t, func(t *testing.T, run runner) {
				for _, f := range shaders.ReduceNames() {
					// The other functions share the walk: a kind of shape each is enough.
					if !slices.Contains([]string{"sum", "max", "logsumexp"}, f) && !slices.Contains([]int{3, 5, 15, 17, 18}, k) {
						continue
					}
					in := x
					if f == "logsum" || f == "product" {
						in = positive
					}
					want := reduceDirectly(f, c.shape, c.axes, in)
					// A sum is as exact as the sum of magnitudes allows.
					scale := 0.0
					if f == "sum" || f == "mean" {
						for _, v := range reduceDirectly("l1", c.shape, c.axes, in) {
							scale = max(scale, float64(v))
						}
						if f == "mean" {
							scale *= float64(len(want)) / float64(len(in))
						}
					}
					for target := range targets {
						near(t, f, reduce(t, run, f, c.shape, c.axes, target, in), want, 5e-6, 1e-6*scale+1e-7)
					}
				}
			})
		})
	}
}

// Folding nothing gives the fold's start, -∞ does not become NaN, and large
// exponents do not overflow.
func TestReduceExtremes(t *testing.T) {
	inf := float32(math.Inf(1))
	long := make([]float32, 120_000) // on GPUs its last workgroups find nothing left to fold
	for i := range long {
		long[i] = -inf
	}
	long[4321] = 500
	onBoth(t, func(t *testing.T, run runner) {
		for target := range targets {
			for f, want := range map[string]float32{"sum": 0, "product": 1, "max": -inf, "min": inf, "l2": 0, "logsumexp": -inf} {
				y := []float32{7, 7, 7}
				for _, p := range shaders.Reduce(f, []int{3, 0}, []int{1}, target) {
					run(t, p.Launch, []float32{9, 9, 9, 9}, y)
				}
				near(t, f+" of nothing", y, []float32{want, want, want}, 0, 0)
			}
			near(t, "logsumexp", reduce(t, run, "logsumexp", []int{2, 3}, []int{1}, target, []float32{-inf, 1000, 1000, -inf, -inf, -inf}),
				[]float32{1000.6931, -inf}, 1e-6, 0)
			near(t, "masked logsumexp", reduce(t, run, "logsumexp", []int{len(long)}, []int{0}, target, long), []float32{500}, 1e-6, 0)
			near(t, "masked max", reduce(t, run, "max", []int{len(long)}, []int{0}, target, long), []float32{500}, 0, 0)
			near(t, "masked min", reduce(t, run, "min", []int{len(long)}, []int{0}, target, long), []float32{-inf}, 0, 0)
		}
	})
}

func TestReducePasses(t *testing.T) {
	for _, c := range []struct {
		shape, axes []int
		passes      int
	}{
		{[]int{32, 10}, []int{0}, 1}, {[]int{1024, 128}, []int{0}, 2}, {[]int{1 << 20}, []int{0}, 2}, {[]int{8192, 512}, []int{1}, 1},
	} {
		if got := shaders.Reduce("sum", c.shape, c.axes, shaders.CPU); len(got) != c.passes || got[len(got)-1].Words != words(c.shape)/wordsOf(c.shape, c.axes) {
			t.Errorf("%v over %v takes %d passes, want %d", c.shape, c.axes, len(got), c.passes)
		}
	}
}

func wordsOf(shape, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= shape[a]
	}
	return n
}
