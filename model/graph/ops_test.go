package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// run builds a graph with f, feeds the inputs and returns what it stores, on
// the reference backend.
func run(t *testing.T, inputs map[string][]float32, f func(g *Graph)) map[string][]float32 {
	t.Helper()
	g, err := Build(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Lower(t.Name(), shaders.CPU)
	if err != nil {
		t.Fatal(err)
	}
	return gputest.Run(t, gpu.NewReference(), p, inputs)
}

// gradientCase is a function of the inputs a, b, c whose gradients are checked.
type gradientCase struct {
	name   string
	shapes [][]int
	f      func(in []Tensor) Tensor
}

var gradientCases = []gradientCase{
	{"matmul", [][]int{{5, 7}, {7, 3}}, func(in []Tensor) Tensor { return in[0].MatMul(in[1], false, false) }},
	{"matmul ta", [][]int{{7, 5}, {7, 3}}, func(in []Tensor) Tensor { return in[0].MatMul(in[1], true, false) }},
	{"matmul tb", [][]int{{5, 7}, {3, 7}}, func(in []Tensor) Tensor { return in[0].MatMul(in[1], false, true) }},
	{"matmul ta tb", [][]int{{7, 5}, {3, 7}}, func(in []Tensor) Tensor { return in[0].MatMul(in[1], true, true) }},
	{"matmul batched", [][]int{{2, 4, 8}, {2, 8, 4}}, func(in []Tensor) Tensor { return in[0].MatMul(in[1], false, false) }},
	{"matmul flat", [][]int{{2, 4, 8}, {4, 8}}, func(in []Tensor) Tensor { return in[0].Linear(in[1]) }},
	{"conv2d", [][]int{{2, 5, 6, 3}, {4, 3, 3, 3}}, func(in []Tensor) Tensor { return in[0].Conv2D(in[1], 1, 1) }},
	{"conv2d stride", [][]int{{1, 7, 6, 4}, {8, 3, 3, 4}}, func(in []Tensor) Tensor { return in[0].Conv2D(in[1], 2, 1) }},
	{"conv2d dilated", [][]int{{1, 7, 6, 2}, {3, 3, 2, 2}}, func(in []Tensor) Tensor {
		return in[0].Conv2DWith(in[1], [2]int{2, 1}, [2]int{2, 1}, [2]int{1, 0}, [2]int{2, 2})
	}},
	{"residual block", [][]int{{1, 4, 4, 4}, {4, 3, 3, 4}, {4}}, func(in []Tensor) Tensor {
		return in[0].Conv2D(in[1], 1, 1).Add(in[2]).Add(in[0]).Tanh()
	}},
	{"fusion concat", [][]int{{3, 4}, {3, 8}, {8, 12}, {8}}, func(in []Tensor) Tensor {
		return in[0].g.Fusion(in[0], in[1], in[2], in[3], true, false)
	}},
	{"fusion product", [][]int{{3, 5}, {3, 5}, {7, 15}, {7}}, func(in []Tensor) Tensor {
		return in[0].g.Fusion(in[0], in[1], in[2], in[3], true, true).GELU()
	}},
	{"fusion hadamard", [][]int{{3, 4}, {3, 4}, {4, 4}, {4}}, func(in []Tensor) Tensor {
		return in[0].g.Fusion(in[0], in[1], in[2], in[3], false, true)
	}},
	{"gate", [][]int{{3, 6}}, func(in []Tensor) Tensor { return in[0].Gate() }},
	{"gelu", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].GELU() }},
	{"tanh", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Tanh() }},
	{"sigmoid", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Unary("sigmoid") }},
	{"silu", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Unary("silu") }},
	{"softplus", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Unary("softplus") }},
	{"exp", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Unary("exp") }},
	{"add broadcast", [][]int{{2, 3, 4}, {3, 1}}, func(in []Tensor) Tensor { return in[0].Add(in[1]).Tanh() }},
	{"sub broadcast", [][]int{{5, 1}, {1, 6}}, func(in []Tensor) Tensor { return in[0].Sub(in[1]).Tanh() }},
	{"mul broadcast", [][]int{{2, 3, 4}, {2, 1, 4}}, func(in []Tensor) Tensor { return in[0].Mul(in[1]).Tanh() }},
	{"transpose", [][]int{{2, 3, 4}}, func(in []Tensor) Tensor { return in[0].Transpose(2, 0, 1).Tanh() }},
	{"slice", [][]int{{5, 6}}, func(in []Tensor) Tensor { return in[0].SliceStep([]int{1, 0}, []int{2, 3}, []int{2, 2}).Tanh() }},
	{"select", [][]int{{2, 3, 4}}, func(in []Tensor) Tensor { return in[0].Select(1, 0).Tanh() }},
	{"concat", [][]int{{2, 3}, {2, 5}}, func(in []Tensor) Tensor { return in[0].g.Concat(1, in[0], in[1]).Tanh() }},
	{"expand", [][]int{{3, 1}}, func(in []Tensor) Tensor { return in[0].Expand(2, 3, 4).Tanh() }},
	{"reduce", [][]int{{2, 3, 4}}, func(in []Tensor) Tensor { return in[0].Tanh().Reduce("mean", 0, 2) }},
	{"batchnorm", [][]int{{2, 3, 3, 4}, {4}, {4}}, func(in []Tensor) Tensor {
		g := in[0].g
		return in[0].BatchNorm(in[1], in[2], g.Constant(0, 4), g.Constant(1, 4), 1e-5, 0)
	}},
	{"batchnorm relu", [][]int{{2, 3, 3, 4}, {4}, {4}, {2, 3, 3, 4}}, func(in []Tensor) Tensor {
		g := in[0].g
		y := in[0].BatchNorm(in[1], in[2], g.Constant(0, 4), g.Constant(1, 4), 1e-5, 0).Add(in[3]).ReLU()
		return y.BatchNorm(in[1], in[2], g.Constant(0, 4), g.Constant(1, 4), 1e-5, 0).ReLU()
	}},
	{"layernorm", [][]int{{3, 5}, {5}, {5}}, func(in []Tensor) Tensor { return in[0].LayerNorm(in[1], in[2], 1e-5) }},
	{"layernorm residual", [][]int{{3, 8}, {8}, {8}, {3, 8}}, func(in []Tensor) Tensor {
		return in[0].Add(in[3]).LayerNorm(in[1], in[2], 1e-5)
	}},
	{"l2normalize", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].L2Normalize(1e-12) }},
	{"softmax", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Softmax(-1) }},
	{"softmax axis 0", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].Softmax(0) }},
	{"logsoftmax", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].LogSoftmax(-1) }},
	{"maxpool", [][]int{{2, 5, 6, 4}}, func(in []Tensor) Tensor { return in[0].MaxPool(3, 2, 1) }},
	{"meanpool", [][]int{{2, 3, 3, 4}}, func(in []Tensor) Tensor { return in[0].MeanPool() }},
	{"attention", [][]int{{2, 3, 8}, {2, 5, 8}, {2, 5, 8}}, func(in []Tensor) Tensor {
		return Attention{Heads: 2}.Attend(in[0], in[1], in[2])
	}},
	{"attention grouped", [][]int{{2, 3, 8}, {2, 5, 4}, {2, 5, 4}}, func(in []Tensor) Tensor {
		return Attention{Heads: 2, KVHeads: 1}.Attend(in[0], in[1], in[2])
	}},
	{"bce", [][]int{{3, 5}}, func(in []Tensor) Tensor { return in[0].BCEWithLogits(in[0].g.Constant(0.3, 3, 5)) }},
	{"cross entropy soft", [][]int{{3, 5}}, func(in []Tensor) Tensor {
		return CrossEntropy{Smoothing: 0.1}.Loss(in[0], in[0].g.Constant(0.2, 3, 5))
	}},
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	for _, c := range gradientCases {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c) })
	}
}

// checkGradients compares the gradient of Σ y·r with central differences.
func checkGradients(t *testing.T, c gradientCase) {
	rng := rand.New(rand.NewPCG(7, uint64(len(c.name))))
	inputs := map[string][]float32{}
	names := []string{"a", "b", "c", "d", "e"}[:len(c.shapes)]
	for i, s := range c.shapes {
		x := make([]float32, count(s))
		for j := range x {
			x[j] = float32(rng.NormFloat64())
		}
		inputs[names[i]] = x
	}
	build := func(withGradients bool) func(g *Graph) {
		return func(g *Graph) {
			var in []Tensor
			for i, s := range c.shapes {
				in = append(in, g.Input(names[i], s...))
			}
			y := c.f(in)
			r := make([]float32, y.Len())
			for j := range r {
				r[j] = float32(math.Sin(float64(j) + 1))
			}
			inputs["r"] = r
			weights := g.Input("r", y.Shape()...)
			loss := y.Mul(weights).Sum()
			g.Output("loss", loss)
			if withGradients {
				for i, d := range g.Gradients(loss, in...) {
					g.Output("d"+names[i], d)
				}
			}
		}
	}
	got := run(t, inputs, build(true))
	loss := func() float64 { return float64(run(t, inputs, build(false))["loss"][0]) }
	const h = 1e-2
	for i, s := range c.shapes {
		x, d := inputs[names[i]], got["d"+names[i]]
		var worst, largest float64
		step := max(1, count(s)/12) // every element of small tensors, a sample of large ones
		for j := 0; j < count(s); j += step {
			old := x[j]
			x[j] = old + h
			up := loss()
			x[j] = old - h
			down := loss()
			x[j] = old
			want := (up - down) / (2 * h)
			worst = max(worst, math.Abs(want-float64(d[j])))
			largest = max(largest, math.Abs(want))
		}
		if worst > 5e-3*max(largest, 1) || math.IsNaN(worst) {
			t.Errorf("gradient of operand %s: off by %.2g where the largest is %.2g", names[i], worst, largest)
		}
	}
}
