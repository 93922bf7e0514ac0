package graph

import (
	"fmt"
	"math"
	"slices"
)

// An oracle evaluates a graph's forward operations in float64, by the textbook
// and independently of kernels and twins.
type oracle struct {
	g      *Graph
	values [][]float64
	// kink is how close the graph comes to a point without a derivative (a ReLU
	// at zero, two equal maxima), condition the largest factor by which a
	// normalisation enlarges its input: a graph that is close to a kink or badly
	// conditioned says nothing about the engine.
	kink, condition float64
}

func evaluate(g *Graph, inputs map[string][]float64) *oracle {
	o := &oracle{g: g, values: make([][]float64, len(g.values)), kink: math.Inf(1)}
	for i, v := range g.values {
		if v.kind != computed {
			o.values[i] = inputs[v.name]
		}
	}
	for _, n := range g.nodes {
		in := make([][]float64, len(n.in))
		for i, t := range n.in {
			in[i] = o.values[t.id]
		}
		o.values[n.out[0].id] = o.apply(n, in)
	}
	return o
}

func (o *oracle) of(t Tensor) []float64 { return o.values[t.id] }

// largest returns the largest magnitude of any value.
func (o *oracle) largest() (m float64) {
	for _, v := range o.values {
		for _, x := range v {
			m = max(m, math.Abs(x))
		}
	}
	return m
}

func (o *oracle) apply(n *node, in [][]float64) []float64 {
	shape := n.out[0].Shape()
	x := n.in
	switch op := n.op.(type) {
	case constant:
		return slices.Repeat([]float64{float64(op.v)}, count(shape))
	case unary:
		return o.unary(op, in[0])
	case binary:
		return o.binary(op.f, shape, x[0].Shape(), x[1].Shape(), in[0], in[1])
	case matmul:
		return matmul64(op, x[0].Shape(), x[1].Shape(), in[0], in[1])
	case conv2D:
		return conv64(op.shape(x[0].Shape(), x[1].Shape()), in[0], in[1])
	case fusion:
		return fusion64(op, shape, in)
	case gate:
		return eachRow(in[0], shape, func(row []float64) []float64 {
			return zip(softmax64(row), row, func(a, b float64) float64 { return a * b })
		})
	case batchNorm:
		return o.batchNorm(float64(op.eps), shape, in)
	case layerNorm:
		return o.layerNorm(float64(op.eps), shape, in)
	case l2Normalize:
		return eachRow(in[0], shape, func(row []float64) []float64 {
			norm := 0.0
			for _, v := range row {
				norm += v * v
			}
			norm = math.Sqrt(norm)
			o.condition = max(o.condition, 1/norm)
			return scaled(row, 1/norm)
		})
	case softmax:
		return softmaxAlong(op, shape, in[0])
	case maxPool:
		return o.maxPool(op.shape(x[0].Shape()), in[0])
	case meanPool:
		return meanPool64(shape, in[0])
	case reshape:
		return in[0]
	case transpose, slice, expand, concat, embedding:
		return moved(n, in)
	case reduce:
		return reduce64(op, x[0].Shape(), shape, in[0])
	case attention:
		return attention64(op, n, in)
	}
	panic(fmt.Sprintf("the oracle does not know %s", n.op.name()))
}

func (o *oracle) unary(op unary, x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		switch op.f {
		case "relu":
			o.kink = min(o.kink, math.Abs(v))
			y[i] = max(v, 0)
		case "gelu":
			y[i] = 0.5 * v * (1 + math.Erf(v/math.Sqrt2))
		case "tanh":
			y[i] = math.Tanh(v)
		case "sigmoid":
			y[i] = 1 / (1 + math.Exp(-v))
		case "silu":
			y[i] = v / (1 + math.Exp(-v))
		case "softplus":
			y[i] = math.Log1p(math.Exp(v))
		case "exp":
			y[i] = math.Exp(v)
		case "affine":
			y[i] = float64(op.alpha)*v + float64(op.beta)
		default:
			panic("the oracle does not know " + op.f)
		}
	}
	return y
}

// each visits the indices of shape in order.
func each(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for range count(shape) {
		f(index)
		for d := len(shape) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
}

// flat returns the position of an index, which is aligned to the end of shape
// and stays put where a dimension is one.
func flat(index, shape []int) int {
	at := 0
	for d, n := range shape {
		at *= n
		if n > 1 {
			at += index[len(index)-len(shape)+d]
		}
	}
	return at
}

func (o *oracle) binary(f string, shape, a, b []int, x, y []float64) []float64 {
	out := make([]float64, 0, count(shape))
	each(shape, func(i []int) {
		p, q := x[flat(i, a)], y[flat(i, b)]
		switch f {
		case "add":
			p += q
		case "sub":
			p -= q
		case "mul":
			p *= q
		default:
			panic("the oracle does not know " + f)
		}
		out = append(out, p)
	})
	return out
}

func matmul64(o matmul, a, b []int, x, y []float64) []float64 {
	z, m, k, n := o.sizes(a, b)
	out := make([]float64, z*m*n)
	each([]int{z, m, n, k}, func(i []int) {
		p, q := i[1]*k+i[3], i[3]*n+i[2]
		if o.ta {
			p = i[3]*m + i[1]
		}
		if o.tb {
			q = i[2]*k + i[3]
		}
		out[(i[0]*m+i[1])*n+i[2]] += x[i[0]*m*k+p] * y[i[0]*k*n+q]
	})
	return out
}

func eachRow(x []float64, shape []int, f func(row []float64) []float64) []float64 {
	d := shape[len(shape)-1]
	var y []float64
	for i := 0; i < len(x); i += d {
		y = append(y, f(x[i:i+d])...)
	}
	return y
}

func zip(x, y []float64, f func(a, b float64) float64) []float64 {
	z := make([]float64, len(x))
	for i := range z {
		z[i] = f(x[i], y[i])
	}
	return z
}

func scaled(x []float64, f float64) []float64 {
	return zip(x, x, func(a, _ float64) float64 { return a * f })
}

func softmax64(x []float64) []float64 {
	top, sum := slices.Max(x), 0.0
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Exp(v - top)
		sum += y[i]
	}
	return scaled(y, 1/sum)
}
