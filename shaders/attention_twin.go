package shaders

import "math"

// lowestScore: a score at or below it counts as masked.
const lowestScore = -1e38

// attentionTwin is the geometry of a call of an attention kernel.
type attentionTwin struct {
	AttentionShape
	*taker
	strideB, strideH int // of the mask
}

func newAttentionTwin(c Call, s AttentionShape, width int) attentionTwin {
	u := c.U
	at := func(i int) Columns { return Columns{width * u(i), width * u(i+1)} }
	s.B, s.H, s.TQ, s.TK, s.HKV = u(0), u(1), u(2), u(3), u(1)/u(6)
	s.HeadDim, s.ValueDim = width*u(4), width*u(5)
	s.Q, s.K, s.V, s.DQ, s.DK, s.DV = at(7), at(9), at(11), at(13), at(15), at(17)
	s.Scale = c.F32(23)
	return attentionTwin{s, &taker{c: c}, u(19), u(20)}
}

// head returns the first element of a head in row [b t] of a buffer.
func (c Columns) head(row, head, dim int) int { return row*c.Row + c.Offset + head*dim }

func (a attentionTwin) q(b, h, t int) int { return a.Q.head(b*a.TQ+t, h, a.HeadDim) }
func (a attentionTwin) k(b, h, j int) int { return a.K.head(b*a.TK+j, h*a.HKV/a.H, a.HeadDim) }
func (a attentionTwin) v(b, h, j int) int { return a.V.head(b*a.TK+j, h*a.HKV/a.H, a.ValueDim) }
func (a attentionTwin) o(b, h, t int) int { return ((b*a.TQ+t)*a.H + h) * a.ValueDim }

// queries calls f for every query of every head, row counting [B H TQ].
func (a attentionTwin) queries(f func(b, h, t, row int)) {
	for row := range a.rows() {
		f(row/(a.H*a.TQ), row/a.TQ%a.H, row%a.TQ, row)
	}
}

// lengths takes the lengths where the variant has them.
func (a attentionTwin) lengths() Words {
	if !a.Lengths {
		return nil
	}
	return a.words()
}

// keys returns the number of keys of each b.
func (a attentionTwin) keys(lengths Words) func(b int) int {
	return func(b int) int {
		if !a.Lengths {
			return a.TK
		}
		return int(min(lengths[b], uint32(a.TK)))
	}
}

// score returns q·kᵀ·scale + mask of a query and a key.
func (a attentionTwin) score(q, k, mask []float32, b, h, t, j int) float64 {
	s := float64(a.Scale) * dot(q[a.q(b, h, t):], k[a.k(b, h, j):], a.HeadDim)
	if mask != nil {
		s = float64(float32(s) + mask[b*a.strideB+h*a.strideH+t*a.TK+j])
	}
	return s
}

func dot(x, y []float32, n int) float64 {
	sum := 0.0
	for i := range n {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

// weights calls f with the probability p and the score's gradient ds of every
// query and key that see each other.
func (a attentionTwin) weights(q, k, v, grad, stats, mask []float32, f func(b, h, t, j int, p, ds float64)) {
	n := a.rows()
	a.queries(func(b, h, t, row int) {
		for j := range int(stats[2*n+b]) {
			s := a.score(q, k, mask, b, h, t, j)
			if s <= lowestScore {
				continue
			}
			p := math.Exp(s - float64(stats[row]))
			f(b, h, t, j, p, p*(dot(grad[a.o(b, h, t):], v[a.v(b, h, j):], a.ValueDim)-float64(stats[n+row])))
		}
	})
}
