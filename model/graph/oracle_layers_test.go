package graph

import (
	"math"
	"slices"

	"duet/shaders"
)

// The oracle's layers.

func conv64(s shaders.Conv2DShape, x, w []float64) []float64 {
	out := make([]float64, 0, s.Images*s.OH*s.OW*s.OC)
	each([]int{s.Images, s.OH, s.OW, s.OC}, func(i []int) {
		sum := 0.0
		each([]int{s.KH, s.KW, s.IC}, func(k []int) {
			r, c := i[1]*s.SY+k[0]*s.DY-s.PY, i[2]*s.SX+k[1]*s.DX-s.PX
			if r >= 0 && r < s.IH && c >= 0 && c < s.IW {
				sum += x[((i[0]*s.IH+r)*s.IW+c)*s.IC+k[2]] * w[((i[3]*s.KH+k[0])*s.KW+k[1])*s.IC+k[2]]
			}
		})
		out = append(out, sum)
	})
	return out
}

// fusion64 is w·z + bias with z made of v, t and v∘t. Operands: v, t, w, bias.
func fusion64(o fusion, shape []int, in [][]float64) []float64 {
	m, n := shape[0], shape[1]
	dv, dt := len(in[0])/m, len(in[1])/m
	var out []float64
	for i := range m {
		v, t := in[0][i*dv:(i+1)*dv], in[1][i*dt:(i+1)*dt]
		var z []float64
		if o.concat {
			z = append(append(z, v...), t...)
		}
		if o.product {
			z = append(z, zip(v, t, func(a, b float64) float64 { return a * b })...)
		}
		for j := range n {
			sum := in[3][j]
			for k, zk := range z {
				sum += in[2][j*len(z)+k] * zk
			}
			out = append(out, sum)
		}
	}
	return out
}

// batchNorm normalises channels with the statistics of the batch. Operands: x, γ, β.
func (o *oracle) batchNorm(eps float64, shape []int, in [][]float64) []float64 {
	c := shape[len(shape)-1]
	y := make([]float64, len(in[0]))
	for j := range c {
		var channel []float64
		for i := j; i < len(y); i += c {
			channel = append(channel, in[0][i])
		}
		for i, v := range o.normalized(channel, eps) {
			y[j+i*c] = v*in[1][j] + in[2][j]
		}
	}
	return y
}

func (o *oracle) layerNorm(eps float64, shape []int, in [][]float64) []float64 {
	return eachRow(in[0], shape, func(row []float64) []float64 {
		y := o.normalized(row, eps)
		for i := range y {
			y[i] = y[i]*in[1][i] + in[2][i]
		}
		return y
	})
}

// normalized returns x with mean 0 and (biased) variance 1.
func (o *oracle) normalized(x []float64, eps float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	s := 1 / math.Sqrt(variance+eps)
	o.condition = max(o.condition, s)
	return zip(x, x, func(v, _ float64) float64 { return (v - mean) * s })
}

func softmaxAlong(o softmax, shape []int, x []float64) []float64 {
	outer, d, inner := o.split(shape)
	y := make([]float64, len(x))
	for a := range outer {
		for b := range inner {
			row := make([]float64, d)
			for k := range d {
				row[k] = x[(a*d+k)*inner+b]
			}
			for k, p := range softmax64(row) {
				if o.log {
					p = math.Log(p)
				}
				y[(a*d+k)*inner+b] = p
			}
		}
	}
	return y
}

func (o *oracle) maxPool(s shaders.Pool2DShape, x []float64) []float64 {
	var out []float64
	each([]int{s.Images, s.OH, s.OW, s.C}, func(i []int) {
		best, second := math.Inf(-1), math.Inf(-1)
		each([]int{s.KH, s.KW}, func(k []int) {
			r, c := i[1]*s.SY+k[0]*s.DY-s.PY, i[2]*s.SX+k[1]*s.DX-s.PX
			if r < 0 || r >= s.IH || c < 0 || c >= s.IW {
				return
			}
			v := x[((i[0]*s.IH+r)*s.IW+c)*s.C+i[3]]
			best, second = max(best, v), max(second, min(best, v))
		})
		o.kink = min(o.kink, best-second)
		out = append(out, best)
	})
	return out
}

func meanPool64(shape []int, x []float64) []float64 {
	n, c := shape[0], shape[1]
	positions := len(x) / n / c
	y := make([]float64, n*c)
	each([]int{n, positions, c}, func(i []int) {
		y[i[0]*c+i[2]] += x[(i[0]*positions+i[1])*c+i[2]] / float64(positions)
	})
	return y
}

// moved is for operations that only choose elements.
func moved(n *node, in [][]float64) []float64 {
	shape := n.out[0].Shape()
	from := n.in[0].Shape()
	out := make([]float64, 0, count(shape))
	each(shape, func(i []int) {
		switch op := n.op.(type) {
		case transpose:
			j := make([]int, len(i))
			for d, p := range op.perm {
				j[p] = i[d]
			}
			out = append(out, in[0][flat(j, from)])
		case slice:
			j := slices.Clone(i)
			for d := range j {
				j[d] = op.start[d] + i[d]*op.step[d]
			}
			out = append(out, in[0][flat(j, from)])
		case expand:
			out = append(out, in[0][flat(i, from)])
		case concat:
			j, k := slices.Clone(i), 0
			for j[op.axis] >= n.in[k].Dim(op.axis) {
				j[op.axis] -= n.in[k].Dim(op.axis)
				k++
			}
			out = append(out, in[k][flat(j, n.in[k].Shape())])
		case embedding:
			row, k := int(math.Float32bits(float32(in[0][flat(i[:len(i)-1], from)]))), 1
			for row >= n.in[k].Dim(0) {
				row -= n.in[k].Dim(0)
				k++
			}
			out = append(out, in[k][row*shape[len(shape)-1]+i[len(i)-1]])
		}
	})
	return out
}

func reduce64(o reduce, from, to []int, x []float64) []float64 {
	y := make([]float64, count(to))
	each(from, func(i []int) {
		var kept []int
		for d, k := range i {
			if !slices.Contains(o.axes, d) {
				kept = append(kept, k)
			}
		}
		y[flat(kept, to)] += x[flat(i, from)]
	})
	if o.f == "mean" {
		return scaled(y, float64(len(y))/float64(len(x)))
	}
	return y
}

// attention64 is attention without mask. Operands: q, k, v.
func attention64(o attention, n *node, in [][]float64) []float64 {
	q, k, v := n.in[0].Shape(), n.in[1].Shape(), n.in[2].Shape()
	dh, dv := q[2]/o.heads, v[2]/o.kvHeads
	out := make([]float64, count(n.out[0].Shape()))
	each([]int{q[0], o.heads, q[1]}, func(i []int) {
		b, h, row := i[0], i[1], i[2]
		shared := h * o.kvHeads / o.heads
		scores := make([]float64, k[1])
		for j := range scores {
			for d := range dh {
				scores[j] += in[0][(b*q[1]+row)*q[2]+h*dh+d] * in[1][(b*k[1]+j)*k[2]+shared*dh+d] * float64(o.scale)
			}
		}
		for j, p := range softmax64(scores) {
			for d := range dv {
				out[(b*q[1]+row)*dv*o.heads+h*dv+d] += p * in[2][(b*v[1]+j)*v[2]+shared*dv+d]
			}
		}
	})
	return out
}
