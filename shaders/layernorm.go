package shaders

import "math"

// A LayerNormShape describes layer normalisation of x [Rows D] (+ residual)
// over its last dimension (Ba et al. 2016):
// y = (s − mean)·rstd·γ + β, s = x + residual, rstd = 1/√(var + eps).
//
// The gradient is LayerNormGrad for the input, and LayerNormGradPartial followed
// by LayerNormGradSums for γ and β.
type LayerNormShape struct {
	Rows, D  int
	Eps      float32
	Residual bool // LayerNorm adds a second input first
	Sum      bool // LayerNorm writes s, which the gradient needs as its x
	Target   Target
}

// chunks divides the rows for the parameters' gradients: at most 64 chunks of
// at least 16 rows.
func (s LayerNormShape) chunks() (chunks, rows int) {
	rows = max(16, ceilDiv(s.Rows, 64))
	return ceilDiv(s.Rows, rows), rows
}

// lanes is the number of invocations that take the rows.
func (s LayerNormShape) lanes() int {
	if s.Target == GPU {
		return 64 * s.Rows
	}
	return s.Rows
}

// PartialWords is the size of LayerNormGradPartial's result in words.
func (s LayerNormShape) PartialWords() int {
	chunks, _ := s.chunks()
	return 2 * chunks * s.D
}

func (s LayerNormShape) launch(file string, n int, flops float64, flags, bindings []string, twin func(Call)) Launch {
	width, kept := widthOf(s.D), "y"
	if s.Sum {
		kept = "s"
	}
	chunks, rows := s.chunks()
	return Launch{
		Kernel: variant(file, width, flags, bindings, map[string]string{"KEPT": kept}, twin),
		Groups: Spread(ceilDiv(n, 64)),
		Params: params(s.Rows, s.D/width, float32(s.D), s.Eps, chunks, rows),
		Flops:  flops * float64(s.Rows) * float64(s.D),
	}
}

// layerNormShape restores from a call what the twins need.
func layerNormShape(c Call) LayerNormShape {
	return LayerNormShape{Rows: c.U(0), D: int(c.F32(2)), Eps: c.F32(3)}
}

// LayerNorm normalises. Arguments: x [Rows D], [residual [Rows D]], γ [D], β [D],
// y [Rows D], mean [Rows], rstd [Rows], [s [Rows D]].
func LayerNorm(s LayerNormShape) Launch {
	flags := []string{when(s.Residual, "RESIDUAL"), when(s.Sum, "SUM"), when(s.Target == GPU, "GROUP")}
	bindings := []string{"x", when(s.Residual, "r"), "gamma", "beta", "y", "mean", "rstd", when(s.Sum, "s")}
	residual, sum := s.Residual, s.Sum
	return s.launch("layernorm", s.lanes(), 8, flags, bindings, func(c Call) {
		s := layerNormShape(c)
		t := taker{c: c}
		x, r, gamma, beta, y, mean, rstd, keep := t.f(), t.ifF(residual), t.f(), t.f(), t.f(), t.f(), t.f(), t.ifF(sum)
		row := make([]float64, s.D)
		for i := range s.Rows {
			m, m2 := 0.0, 0.0
			for j := range row {
				row[j] = float64(x[i*s.D+j])
				if residual {
					row[j] += float64(r[i*s.D+j])
				}
				if sum {
					keep[i*s.D+j] = float32(row[j])
				}
				m += row[j] / float64(s.D)
			}
			for _, v := range row {
				m2 += (v - m) * (v - m)
			}
			scale := 1 / math.Sqrt(m2/float64(s.D)+float64(s.Eps))
			for j, v := range row {
				y[i*s.D+j] = float32((v-m)*scale*float64(gamma[j]) + float64(beta[j]))
			}
			mean[i], rstd[i] = float32(m), float32(scale)
		}
	})
}

// LayerNormGrad computes the gradient of s, which is that of x and of the
// residual. Arguments: s (x where there was no residual) [Rows D], γ [D],
// mean [Rows], rstd [Rows], dy [Rows D], dx [Rows D].
func LayerNormGrad(s LayerNormShape) Launch {
	bindings := []string{"x", "gamma", "mean", "rstd", "dy", "dx"}
	return s.launch("layernorm_grad", s.lanes(), 10, []string{when(s.Target == GPU, "GROUP")}, bindings, func(c Call) {
		s := layerNormShape(c)
		t := taker{c: c}
		x, gamma, mean, rstd, dy, dx := t.f(), t.f(), t.f(), t.f(), t.f(), t.f()
		for i := range s.Rows {
			m, scale := float64(mean[i]), float64(rstd[i])
			var offset, slope float64
			for j := range s.D {
				g := float64(dy[i*s.D+j]) * float64(gamma[j]) / float64(s.D)
				offset += g
				slope += g * (float64(x[i*s.D+j]) - m) * scale * scale
			}
			for j := range s.D {
				g := float64(dy[i*s.D+j]) * float64(gamma[j])
				dx[i*s.D+j] = float32(scale * (g - offset - slope*(float64(x[i*s.D+j])-m)))
			}
		}
	})
}

// LayerNormGradPartial sums the gradients of γ and β over chunks of rows.
// Arguments: s [Rows D], mean [Rows], rstd [Rows], dy [Rows D], parts (PartialWords).
func LayerNormGradPartial(s LayerNormShape) Launch {
	bindings := []string{"x", "mean", "rstd", "dy", "parts"}
	chunks, _ := s.chunks()
	return s.launch("layernorm_grad_partial", chunks*s.D/widthOf(s.D), 5, nil, bindings, func(c Call) {
		s := layerNormShape(c)
		t := taker{c: c}
		x, mean, rstd, dy, parts := t.f(), t.f(), t.f(), t.f(), t.f()
		chunks, rows := s.chunks()
		for k := range chunks {
			for j := range s.D {
				product, sum := 0.0, 0.0
				for i := k * rows; i < min((k+1)*rows, s.Rows); i++ {
					g := float64(dy[i*s.D+j])
					product += g * (float64(x[i*s.D+j]) - float64(mean[i])) * float64(rstd[i])
					sum += g
				}
				parts[k*s.D+j], parts[(chunks+k)*s.D+j] = float32(product), float32(sum)
			}
		}
	})
}

// LayerNormGradSums adds the chunks. Arguments: parts, dγ [D], dβ [D].
func LayerNormGradSums(s LayerNormShape) Launch {
	bindings := []string{"parts", "dgamma", "dbeta"}
	l := s.launch("layernorm_grad_sums", s.D/widthOf(s.D), 0, nil, bindings, func(c Call) {
		s := layerNormShape(c)
		parts, dgamma, dbeta := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		chunks, _ := s.chunks()
		for j := range s.D {
			product, sum := 0.0, 0.0
			for k := range chunks {
				product += float64(parts[k*s.D+j])
				sum += float64(parts[(chunks+k)*s.D+j])
			}
			dgamma[j], dbeta[j] = float32(product), float32(sum)
		}
	})
	l.Flops = float64(s.PartialWords())
	return l
}

// layerNormVariants lists the kernels of layer normalisation.
func layerNormVariants() []Kernel {
	var list []Kernel
	for i, d := range []int{4, 3, 4, 3} {
		s := LayerNormShape{Rows: 1, D: d, Target: Target(i / 2)}
		list = append(list, LayerNorm(s).Kernel, LayerNormGrad(s).Kernel, LayerNormGradPartial(s).Kernel, LayerNormGradSums(s).Kernel)
		s.Residual = true
		list = append(list, LayerNorm(s).Kernel)
		s.Sum = true
		list = append(list, LayerNorm(s).Kernel)
	}
	return list
}
