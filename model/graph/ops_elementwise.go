package graph

import (
	"slices"

	"duet/shaders"
)

// unary is y = f(x) element by element; alpha and beta parametrise some f.
type unary struct {
	f           string
	alpha, beta float32
}

// Unary applies the function named f (see shaders.Unary).
func (t Tensor) Unary(f string) Tensor { return t.g.apply1(unary{f: f}, t) }

// UnaryWith applies a function with parameters, for example elu or clamp.
func (t Tensor) UnaryWith(f string, alpha, beta float32) Tensor {
	return t.g.apply1(unary{f: f, alpha: alpha, beta: beta}, t)
}

// ReLU returns max(t, 0).
func (t Tensor) ReLU() Tensor { return t.Unary("relu") }

// GELU returns t·Φ(t) with the exact error function.
func (t Tensor) GELU() Tensor { return t.Unary("gelu") }

// Tanh returns the hyperbolic tangent.
func (t Tensor) Tanh() Tensor { return t.Unary("tanh") }

// Scale returns a·t + b.
func (t Tensor) Scale(a, b float32) Tensor { return t.UnaryWith("affine", a, b) }

func (o unary) name() string             { return o.f }
func (o unary) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o unary) lower(l *lowering, n *node) {
	l.add(n.label, shaders.UnaryWith(o.f, n.in[0].Len(), o.alpha, o.beta), l.in(n.in[0]), l.out(n.out[0]))
}

func (o unary) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	if o.f == "affine" {
		return []Tensor{dy[0].Scale(o.alpha, 0)}
	}
	x := n.in[0]
	// From ReLU's output, so that nothing needs to keep its input.
	if shaders.UnaryGradUsesOutput(o.f) || o.f == "relu" {
		x = n.out[0]
	}
	return []Tensor{x.g.apply1(unaryGrad{f: o.f}, x, dy[0])}
}

// unaryGrad is dx from x (or y, where the derivative is simpler in y) and dy.
type unaryGrad struct {
	noGrad
	f string
}

func (o unaryGrad) name() string             { return o.f + "_grad" }
func (o unaryGrad) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o unaryGrad) lower(l *lowering, n *node) {
	l.add(n.label, shaders.UnaryGrad(o.f, n.in[0].Len()), append(l.ins(n), l.out(n.out[0]))...)
}

// binary is f(a, b) with the broadcasting of NumPy.
type binary struct{ f string }

// Binary applies the function named f (see shaders.Binary), broadcasting.
func (t Tensor) Binary(f string, b Tensor) Tensor { return t.g.apply1(binary{f}, t, b) }

// Add returns t + b, broadcasting.
func (t Tensor) Add(b Tensor) Tensor { return t.Binary("add", b) }

// Sub returns t − b, broadcasting.
func (t Tensor) Sub(b Tensor) Tensor { return t.Binary("sub", b) }

// Mul returns t ∘ b, broadcasting.
func (t Tensor) Mul(b Tensor) Tensor { return t.Binary("mul", b) }

func (o binary) name() string { return o.f }

func (o binary) infer(in [][]int) [][]int {
	return [][]int{broadcast(o.f, in[0], in[1])}
}

func broadcast(f string, a, b []int) []int {
	d := max(len(a), len(b))
	out := make([]int, d)
	for i := range d {
		x, y := dimFromEnd(a, d-i), dimFromEnd(b, d-i)
		switch {
		case x == y, y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			fail("%s: shapes %v and %v do not broadcast", f, a, b)
		}
	}
	return out
}

// dimFromEnd returns dimension len−i of shape, 1 beyond its front.
func dimFromEnd(shape []int, i int) int {
	if i > len(shape) {
		return 1
	}
	return shape[len(shape)-i]
}

func (o binary) grad(n *node, dy []Tensor, wanted []bool) []Tensor {
	a, b, d := n.in[0], n.in[1], dy[0]
	out := make([]Tensor, 2)
	for i := range out {
		if !wanted[i] {
			continue
		}
		switch o.f {
		case "add":
			out[i] = d
		case "sub":
			out[i] = d
			if i == 1 {
				out[i] = d.Scale(-1, 0)
			}
		case "mul":
			out[i] = d.Mul([]Tensor{b, a}[i])
		default:
			fail("%s has no derivative", o.f)
		}
		out[i] = out[i].sumTo(n.in[i].Shape())
	}
	return out
}

// sumTo undoes a broadcast: it sums t over the dimensions that shape lacks or has as 1.
func (t Tensor) sumTo(shape []int) Tensor {
	if slices.Equal(t.Shape(), shape) {
		return t
	}
	d := len(t.Shape())
	var axes []int
	for i := range d {
		if dimFromEnd(shape, d-i) == 1 && t.Dim(i) != 1 {
			axes = append(axes, i)
		}
	}
	if len(axes) > 0 {
		t = t.Reduce("sum", axes...)
	}
	return t.Reshape(shape...)
}

func (o binary) lower(l *lowering, n *node) {
	a, b := n.in[0].Shape(), n.in[1].Shape()
	l.add(n.label, shaders.Binary(o.f, a, b), append(l.ins(n), l.out(n.out[0]))...)
}

// constant is a tensor of one value.
type constant struct {
	v     float32
	shape []int
}

// Constant returns a tensor filled with v.
func (g *Graph) Constant(v float32, shape ...int) Tensor {
	return g.apply1(constant{v, slices.Clone(shape)})
}

func (o constant) name() string                          { return "constant" }
func (o constant) infer([][]int) [][]int                 { return [][]int{o.shape} }
func (o constant) grad(*node, []Tensor, []bool) []Tensor { return nil }
func (o constant) lower(l *lowering, n *node) {
	l.add(n.label, shaders.Fill(count(o.shape), o.v), l.out(n.out[0]))
}

// dropout zeroes elements with probability p and scales the others by 1/(1−p).
type dropout struct {
	p    float32
	salt uint32
}

// Dropout drops elements of t with probability p. rng is an input of four
// uint32 words: seed (low, high), step, unused; salt tells layers apart.
func (t Tensor) Dropout(rng Tensor, p float32, salt uint32) Tensor {
	if p == 0 {
		return t
	}
	return t.g.apply1(dropout{p, salt}, t, rng)
}

func (o dropout) name() string             { return "dropout" }
func (o dropout) infer(in [][]int) [][]int { return [][]int{in[0]} }
func (o dropout) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return []Tensor{n.in[0].g.apply1(o, dy[0], n.in[1]), {}}
}
func (o dropout) lower(l *lowering, n *node) {
	l.add(n.label, shaders.Dropout(n.in[0].Len(), o.p, o.salt), append(l.ins(n), l.out(n.out[0]))...)
}
