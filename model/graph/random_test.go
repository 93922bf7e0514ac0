package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A random graph: feature maps [N H W C] and matrices [M D] of few sizes, so
// that residuals and shared operands are common. Equal seeds build equal graphs.
type randomGraph struct {
	g     *Graph
	rng   *rand.Rand
	pool  []Tensor // what operations may read
	read  map[int]bool
	input map[string][]float32 // contents of leaves

	trainable []string // leaves with gradients, by name
	loss      Tensor
	outputs   []string
}

// buildRandom records a graph of about n operations, and its gradients when asked.
func buildRandom(seed uint64, n int, gradients bool) (*randomGraph, *Graph, error) {
	r := &randomGraph{rng: rand.New(rand.NewPCG(seed, 11)), read: map[int]bool{}, input: map[string][]float32{}}
	g, err := Build(func(g *Graph) {
		r.g = g
		r.pool = append(r.pool, r.input32("picture", 2, 6, 5, 4), r.input32("words", 6, 8), r.input32("more", 6, 8))
		r.pool = append(r.pool, r.g.Embedding(r.ids(6, 7), r.weight(1, 4, 8), r.weight(1, 3, 8)))
		for range n {
			t := r.step()
			r.pool = append(r.pool, t)
		}
		r.finish()
		if gradients {
			var leaves []Tensor
			for _, name := range r.trainable {
				leaves = append(leaves, g.named[name])
			}
			for i, d := range g.Gradients(r.loss, leaves...) {
				if d.ok() {
					g.Output("d "+r.trainable[i], d)
				}
			}
		}
	})
	return r, g, err
}

// input32 declares an input of normal values that has a gradient.
func (r *randomGraph) input32(name string, shape ...int) Tensor {
	r.trainable = append(r.trainable, name)
	return r.fill(r.g.Input(name, shape...), name, 1)
}

func (r *randomGraph) fill(t Tensor, name string, scale float64) Tensor {
	x := make([]float32, t.Len())
	for i := range x {
		x[i] = float32(scale * r.rng.NormFloat64())
	}
	r.input[name] = x
	return t
}

// ids declares an input of n random ids below limit, some of them equal.
func (r *randomGraph) ids(n, limit int) Tensor {
	for range n {
		r.input["ids"] = append(r.input["ids"], math.Float32frombits(r.rng.Uint32N(uint32(limit))))
	}
	return r.g.Input("ids", n)
}

// weight declares a leaf: mostly a trained parameter, sometimes one already
// there, an untrained one (what depends on those alone runs at set-up), or an input.
func (r *randomGraph) weight(scale float64, shape ...int) Tensor {
	kind := r.rng.IntN(10)
	if kind < 2 {
		for _, name := range r.trainable {
			if t := r.g.named[name]; t.value().kind == param && slices.Equal(t.Shape(), shape) {
				return t
			}
		}
	}
	name := fmt.Sprintf("w%d", len(r.input))
	switch kind {
	case 2, 3:
		return r.fill(r.g.Param(name, shape, Slot{Buffer: name}, false), name, scale)
	case 4:
		return r.input32(name, shape...)
	}
	r.trainable = append(r.trainable, name)
	return r.fill(r.g.Param(name, shape, Slot{Buffer: name}, true), name, scale)
}

// pick returns a random tensor of the pool, newer ones more often, for which
// ok holds; the zero Tensor where there is none.
func (r *randomGraph) pick(ok func(t Tensor) bool) Tensor {
	var fit []Tensor
	for i, t := range r.pool {
		if ok(t) {
			fit = append(fit, t)
			if i >= len(r.pool)-4 {
				fit = append(fit, t, t)
			}
		}
	}
	if len(fit) == 0 {
		return Tensor{}
	}
	t := fit[r.rng.IntN(len(fit))]
	r.read[t.id] = true
	return t
}

func isMap(t Tensor) bool    { return len(t.Shape()) == 4 }
func isMatrix(t Tensor) bool { return len(t.Shape()) == 2 }

// like returns another tensor of t's shape, at times the same one.
func (r *randomGraph) like(t Tensor) Tensor {
	return r.pick(func(u Tensor) bool { return slices.Equal(u.Shape(), t.Shape()) && (u != t || r.rng.IntN(4) == 0) })
}

func (r *randomGraph) chance(percent int) bool { return r.rng.IntN(100) < percent }

// sum adds in either order.
func (r *randomGraph) sum(a, b Tensor) Tensor {
	if r.chance(50) {
		return a.Add(b)
	}
	return b.Add(a)
}

// epilogue adds a bias, a residual and an activation, each at times; what is in
// between sometimes joins the pool, so that something else may read it.
func (r *randomGraph) epilogue(t Tensor) Tensor {
	if r.chance(70) {
		t = r.leak(r.sum(t, r.weight(0.5, t.Dim(-1))))
	}
	if u := r.like(t); u.ok() && r.chance(50) {
		t = r.leak(r.sum(t, u))
	}
	if r.chance(60) {
		t = t.Unary([]string{"relu", "gelu"}[r.rng.IntN(2)])
	}
	return t
}

func (r *randomGraph) leak(t Tensor) Tensor {
	if r.chance(15) {
		r.pool = append(r.pool, t)
	}
	return t
}

func (r *randomGraph) step() Tensor {
	if t := r.pick(func(t Tensor) bool { return isMap(t) && t.Dim(1) > 1 }); t.ok() && r.chance(50) {
		return r.mapStep(t)
	}
	return r.matrixStep(r.pick(isMatrix))
}

func (r *randomGraph) mapStep(t Tensor) Tensor {
	c := t.Dim(-1)
	switch r.rng.IntN(9) {
	case 0, 1, 2, 3: // convolution
		k, stride, out := []int{1, 3}[r.rng.IntN(2)], 1+r.rng.IntN(5)/4, []int{c, c, 4, 5}[r.rng.IntN(4)]
		w := r.weight(1/math.Sqrt(float64(k*k*c)), out, k, k, c)
		return r.epilogue(r.leak(t.Conv2D(w, stride, k/2)))
	case 4, 5: // batch-norm
		mean, variance := r.state(0, c), r.state(1, c)
		y := r.leak(t.BatchNorm(r.weight(1, c), r.weight(0.5, c), mean, variance, 1e-5, 0.1))
		if u := r.like(y); u.ok() && r.chance(50) {
			y = r.leak(r.sum(y, u))
		}
		if r.chance(75) {
			y = y.ReLU()
		}
		return y
	case 6:
		if t.Dim(1) > 2 && t.Dim(2) > 2 {
			return t.MaxPool(3, 1+r.rng.IntN(2), 1)
		}
		return t.Unary("silu")
	case 7: // an affine map of channels, as frozen batch-norm has it
		return r.sum(t.Mul(r.weight(1, c).Tanh()), r.weight(0.5, c))
	}
	if r.chance(50) {
		return t.MeanPool().Linear(r.weight(0.4, 8, c))
	}
	return t.Reshape(-1, c)
}

// state declares running statistics filled with v.
func (r *randomGraph) state(v float32, c int) Tensor {
	name := fmt.Sprintf("s%d", len(r.input))
	r.input[name] = slices.Repeat([]float32{v}, c)
	return r.g.State(name, []int{c}, Slot{Buffer: name})
}

func (r *randomGraph) matrixStep(t Tensor) Tensor {
	m, d := t.Dim(0), t.Dim(1)
	if m < 2 {
		return t.Tanh()
	}
	switch r.rng.IntN(14) {
	case 0, 1, 2:
		out := []int{d, d, 8, 5}[r.rng.IntN(4)]
		return r.epilogue(r.leak(t.Linear(r.weight(1/math.Sqrt(float64(d)), out, d))))
	case 3, 4, 5: // layer-norm, often of a sum
		if u := r.like(t); u.ok() && r.chance(75) {
			t = r.leak(r.sum(t, u))
		}
		return t.LayerNorm(r.weight(1, d), r.weight(0.5, d), 1e-5)
	case 6:
		return t.Unary([]string{"gelu", "tanh", "sigmoid", "silu", "softplus"}[r.rng.IntN(5)])
	case 7:
		return []func() Tensor{
			func() Tensor { return t.Softmax(r.rng.IntN(2)) }, func() Tensor { return t.LogSoftmax(-1) },
			func() Tensor { return t.L2Normalize(1e-12) }, t.Gate,
		}[r.rng.IntN(4)]()
	case 8:
		u := r.like(t)
		if !u.ok() {
			return t.Scale(0.7, 0.1)
		}
		return []func(Tensor) Tensor{t.Mul, t.Sub, t.Add}[r.rng.IntN(3)](u)
	case 9, 10: // the model's fusion
		v, u := t, r.pick(func(u Tensor) bool { return isMatrix(u) && u.Dim(0) == m })
		product := v.Dim(1) == u.Dim(1) && r.chance(60)
		concat := !product || r.chance(50)
		k := 0
		if concat {
			k = v.Dim(1) + u.Dim(1)
		}
		if product {
			k += v.Dim(1)
		}
		y := r.leak(r.g.Fusion(v, u, r.weight(1/math.Sqrt(float64(k)), 8, k), r.weight(0.5, 8), concat, product))
		if r.chance(70) {
			y = y.GELU()
		}
		return y
	case 11:
		if u := r.like(t); u.ok() && d < 12 {
			return r.g.Concat(1, t, u).Slice([]int{0, d / 2}, []int{m, d})
		}
		return t.SliceStep([]int{m % 2, 0}, []int{m / 2, d}, []int{2, 1})
	case 12: // products of matrices: scores [m m] of rows, and their use
		return t.MatMul(t.Tanh(), false, true).Scale(0.3, 0).Softmax(-1).MatMul(t, r.chance(50), false)
	}
	if d == 8 {
		q := t.Linear(r.weight(0.4, 8, 8)).Reshape(1, m, 8)
		k := t.Linear(r.weight(0.4, 8, 8)).Reshape(1, m, 8)
		return Attention{Heads: 2}.Attend(q, k, t.Reshape(1, m, 8)).Reshape(m, 8)
	}
	return t.Transpose(1, 0).MatMul(r.weight(0.4, m, 6), false, false).Transpose(1, 0)
}

// finish makes the loss Σ y·r over everything that nothing reads, and over the
// last of the others now and then.
func (r *randomGraph) finish() {
	g, parts := r.g, []Tensor{}
	for i, t := range r.pool {
		if t.value().kind != computed || (r.read[t.id] && !(i >= len(r.pool)-4 && r.chance(30))) {
			continue
		}
		name := fmt.Sprintf("y%d", i)
		weights := r.fill(g.Input("r "+name, t.Shape()...), "r "+name, 1/math.Sqrt(float64(t.Len())))
		parts = append(parts, t.Mul(weights).Sum())
		if r.chance(50) {
			g.Output(name, t)
			r.outputs = append(r.outputs, name)
		}
	}
	r.loss = parts[0]
	for _, p := range parts[1:] {
		r.loss = r.loss.Add(p)
	}
	g.Output("loss", r.loss)
}
