package shaders

import "math"

// A BatchNormShape describes batch normalisation of x [Rows C] per channel,
// Rows being N·H·W of a feature map (Ioffe and Szegedy 2015, in PyTorch's
// definition): y = act((x − mean)·rstd·γ + β + residual), rstd = 1/√(var + eps).
//
// A training step runs BatchNormPartial, BatchNormStatistics, BatchNorm; its
// gradient BatchNormGradPartial, BatchNormGradSums, BatchNormGrad. Frozen means
// the running statistics: then BatchNorm alone is the forward pass, and
// BatchNormGrad needs the two passes before it only for dγ and dβ.
type BatchNormShape struct {
	Rows, C  int
	Eps      float32
	Momentum float32 // of the running statistics; 0 leaves them alone
	ReLU     bool    // act
	Residual bool    // added before the activation
	Frozen   bool    // running statistics instead of the batch's
}

// A chunk of the partial passes has at least minChunkRows rows, and there are
// at most maxChunks, which one invocation a channel then merges.
const (
	minChunkRows = 64
	maxChunks    = 512
)

func (s BatchNormShape) chunks() (chunks, rows int) {
	rows = max(minChunkRows, ceilDiv(s.Rows, maxChunks))
	return ceilDiv(s.Rows, rows), rows
}

// PartialWords is the size of the scratch memory of the partial passes in words.
func (s BatchNormShape) PartialWords() int {
	chunks, _ := s.chunks()
	return 2 * chunks * s.C
}

// CoefficientWords is the size of what BatchNormGradSums hands to BatchNormGrad.
func (s BatchNormShape) CoefficientWords() int { return 5 * s.C }

// maskX says that the ReLU's mask is computed again from x, maskY that it is
// read off the output.
func (s BatchNormShape) maskX() bool { return s.ReLU && !s.Residual }
func (s BatchNormShape) maskY() bool { return s.ReLU && s.Residual }

// launch runs an invocation for every (vector of) channels times n; flops are
// those of an element.
func (s BatchNormShape) launch(k Kernel, n int, flops float64) Launch {
	c := s.C / widthOf(s.C)
	chunks, rows := s.chunks()
	stride, steps := s.columns()
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(n*c, 64)),
		Params: params(s.Rows, c, chunks, rows, stride, steps, s.Eps, s.Momentum),
		Flops:  flops * float64(s.Rows) * float64(s.C),
	}
}

// columns gives an element-wise invocation up to 16 rows, so that it loads
// its channels' parameters once for them; stride rows apart, so that a workgroup
// goes over one range of memory.
func (s BatchNormShape) columns() (stride, steps int) {
	c := s.C / widthOf(s.C)
	steps = min(max(s.Rows*c/1024, 1), 16)
	return max(64/c, 1), steps
}

// elementwise is the number of invocations a channel of the element-wise kernels.
func (s BatchNormShape) elementwise() int {
	stride, steps := s.columns()
	return ceilDiv(s.Rows, stride*steps) * stride
}

// batchNormShape restores from a call what the twins need.
func batchNormShape(c Call, width int) BatchNormShape {
	return BatchNormShape{Rows: c.U(0), C: width * c.U(1), Eps: c.F32(6), Momentum: c.F32(7)}
}

// chunk returns the rows [begin, end) of a chunk.
func (s BatchNormShape) chunk(i int) (begin, end int) {
	_, rows := s.chunks()
	return i * rows, min((i+1)*rows, s.Rows)
}

// rstd returns 1/√(var + eps) from what the spread binding holds.
func (s BatchNormShape) rstd(spread float32) float64 {
	if s.Frozen {
		return 1 / math.Sqrt(float64(spread)+float64(s.Eps))
	}
	return float64(spread)
}

// BatchNormPartial computes means and squared deviations over chunks of rows.
// Arguments: x [Rows C], parts (PartialWords).
func BatchNormPartial(s BatchNormShape) Launch {
	width := widthOf(s.C)
	k := variant("batchnorm_partial", width, nil, []string{"x", "parts"}, nil, func(c Call) {
		s := batchNormShape(c, width)
		x, parts := c.Buffers[0].F(), c.Buffers[1].F()
		chunks, _ := s.chunks()
		for k := range chunks {
			begin, end := s.chunk(k)
			for ch := range s.C {
				sum, m2 := 0.0, 0.0
				for r := begin; r < end; r++ {
					sum += float64(x[r*s.C+ch])
				}
				mean := sum / float64(end-begin)
				for r := begin; r < end; r++ {
					d := float64(x[r*s.C+ch]) - mean
					m2 += d * d
				}
				parts[k*s.C+ch] = float32(mean)
				parts[(chunks+k)*s.C+ch] = float32(m2)
			}
		}
	})
	chunks, _ := s.chunks()
	return s.launch(k, chunks, 4)
}

// BatchNormStatistics merges the chunks. Arguments: parts, mean [C], rstd [C],
// and with a momentum running mean [C] and running variance [C], which move by
// it towards the batch's mean and unbiased variance.
func BatchNormStatistics(s BatchNormShape) Launch {
	width, running := widthOf(s.C), s.Momentum != 0
	bindings := []string{"parts", "mean", "rstd", when(running, "running_mean"), when(running, "running_var")}
	k := variant("batchnorm_statistics", width, []string{when(running, "RUNNING")}, bindings, nil, func(c Call) {
		s := batchNormShape(c, width)
		parts, mean, rstd := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		chunks, _ := s.chunks()
		for ch := range s.C {
			m, m2 := 0.0, 0.0
			for k := range chunks {
				begin, end := s.chunk(k)
				m += float64(parts[k*s.C+ch]) * float64(end-begin)
			}
			m /= float64(s.Rows)
			for k := range chunks {
				begin, end := s.chunk(k)
				d := float64(parts[k*s.C+ch]) - m
				m2 += float64(parts[(chunks+k)*s.C+ch]) + d*d*float64(end-begin)
			}
			mean[ch] = float32(m)
			rstd[ch] = float32(1 / math.Sqrt(m2/float64(s.Rows)+float64(s.Eps)))
			if running {
				move := func(p *float32, to float64) { *p += float32(float64(s.Momentum) * (to - float64(*p))) }
				move(&c.Buffers[3].F()[ch], m)
				move(&c.Buffers[4].F()[ch], m2/float64(max(s.Rows, 2)-1))
			}
		}
	})
	l := s.launch(k, 1, 0)
	l.Flops = float64(s.PartialWords()) * 3
	return l
}

// BatchNorm normalises. Arguments: x [Rows C], mean [C], rstd [C] (Frozen: the
// running mean and variance), γ [C], β [C], [residual [Rows C]], y [Rows C].
func BatchNorm(s BatchNormShape) Launch {
	width := widthOf(s.C)
	flags := []string{when(s.Frozen, "FROZEN"), when(s.Residual, "RESIDUAL"), when(s.ReLU, "RELU")}
	bindings := []string{"x", "mean", "spread", "gamma", "beta", when(s.Residual, "r"), "y"}
	k := variant("batchnorm", width, flags, bindings, nil, func(c Call) {
		s := s.of(c, width)
		t := taker{c: c}
		x, mean, spread, gamma, beta, r, y := t.f(), t.f(), t.f(), t.f(), t.f(), t.ifF(s.Residual), t.f()
		for i := range s.Rows * s.C {
			v := s.normalized(i, x, mean, spread, gamma, beta)
			if s.Residual {
				v += float64(r[i])
			}
			if s.ReLU {
				v = max(v, 0)
			}
			y[i] = float32(v)
		}
	})
	return s.launch(k, s.elementwise(), 3)
}

// of is the shape of a call with the choices of the variant s.
func (s BatchNormShape) of(c Call, width int) BatchNormShape {
	o := batchNormShape(c, width)
	o.ReLU, o.Residual, o.Frozen = s.ReLU, s.Residual, s.Frozen
	return o
}

// normalized returns (x − mean)·rstd·γ + β of element i.
func (s BatchNormShape) normalized(i int, x, mean, spread, gamma, beta []float32) float64 {
	c := i % s.C
	return (float64(x[i])-float64(mean[c]))*s.rstd(spread[c])*float64(gamma[c]) + float64(beta[c])
}
