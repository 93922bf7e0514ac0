package shaders

import (
	"math"
	"strings"
)

// A FusionShape describes the fusion layer y = act(W·z + bias) over v [M DV]
// and t [M DT], with z = [v;t], [v;t;v∘t] or v∘t and W [N K].
type FusionShape struct {
	M, N, DV, DT    int
	Concat, Product bool // the segments of z; Product needs DV == DT
	Act             string
}

// K returns the length of z.
func (s FusionShape) K() int {
	k := 0
	if s.Concat {
		k += s.DV + s.DT
	}
	if s.Product {
		k += s.DV
	}
	return k
}

func (s FusionShape) flags() []string {
	if s.Product && s.DV != s.DT {
		panic("shaders: a product fusion needs vectors of equal length")
	}
	var flags []string
	if s.Concat {
		flags = append(flags, "CONCAT")
	}
	if s.Product {
		flags = append(flags, "PRODUCT")
	}
	return flags
}

func (s FusionShape) name(stem string) string {
	return strings.ToLower(strings.Join(append([]string{stem}, s.flags()...), "_"))
}

// element returns z[row][i].
func (s FusionShape) element(v, t []float32, row, i int) float64 {
	if s.Concat {
		if i < s.DV {
			return float64(v[row*s.DV+i])
		}
		if i < s.DV+s.DT {
			return float64(t[row*s.DT+i-s.DV])
		}
		i -= s.DV + s.DT
	}
	return float64(v[row*s.DV+i]) * float64(t[row*s.DV+i])
}

// Fusion computes the layer. Arguments: v, t, w, bias, y.
func Fusion(s FusionShape) Launch {
	e := Epilogue{Act: s.Act}
	flags := append(s.flags(), "BIAS")
	name, t := s.name("fusion")+"+"+e.act(), "f32"
	if multiplesOf4(s.N, s.DV, s.DT) {
		flags, name, t = append(flags, "VEC4"), name+" vec4", "vec4<f32>"
	}
	k := load(name, "fusion", flags, map[string]string{"T": t, "ACT": e.act(), "HALVES": "2", "APART": "4"}, func(c Call) {
		v, t, w, bias, y := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F(), c.Buffers[3].F(), c.Buffers[4].F()
		s := s
		s.M, s.N, s.DV, s.DT = c.U(0), c.U(1), c.U(2), c.U(3)
		for i := range s.M {
			for j := range s.N {
				sum := float64(bias[j])
				for k := range s.K() {
					sum += float64(w[j*s.K()+k]) * s.element(v, t, i, k)
				}
				y[i*s.N+j] = float32(activations[e.act()](sum))
			}
		}
	})
	tm, tn := ceilDiv(s.M, 8), ceilDiv(s.N, 8)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(tm*tn, 64)),
		Params: params(s.M, s.N, s.DV, s.DT, s.K(), tn, tm*tn), Flops: 2 * float64(s.M*s.N*s.K())}
}

// FusionInput writes z. Arguments: v, t, z [M K].
func FusionInput(s FusionShape) Launch {
	k := load(s.name("fusion_input"), "fusion_input", s.flags(), nil, func(c Call) {
		v, t, z := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		s := s
		s.M, s.DV, s.DT = c.U(0), c.U(1), c.U(2)
		for i := range s.M * s.K() {
			z[i] = float32(s.element(v, t, i/s.K(), i%s.K()))
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(s.M*s.K(), 64)), Params: params(s.M, s.DV, s.DT, s.K())}
}

// FusionGrad splits dz [M K], the gradient of z, into those of v and t.
// Arguments: v, t, dz, dv, dt.
func FusionGrad(s FusionShape) Launch {
	k := load(s.name("fusion_grad"), "fusion_grad", s.flags(), nil, func(c Call) {
		v, t, dz, dv, dt := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F(), c.Buffers[3].F(), c.Buffers[4].F()
		nv, nt, k := c.U(1), c.U(2), c.U(3)
		for row := range c.U(0) {
			for d := range max(nv, nt) {
				var gv, gt float32
				if s.Concat && d < nv {
					gv = dz[row*k+d]
				}
				if s.Concat && d < nt {
					gt = dz[row*k+nv+d]
				}
				if s.Product {
					p := dz[row*k+k-nv+d]
					gv += p * t[row*nt+d]
					gt += p * v[row*nv+d]
				}
				if d < nv {
					dv[row*nv+d] = gv
				}
				if d < nt {
					dt[row*nt+d] = gt
				}
			}
		}
	})
	width := max(s.DV, s.DT)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(s.M*width, 64)), Params: params(s.M, s.DV, s.DT, s.K(), width)}
}

// Gate computes y = softmax(z) ∘ z over the rows of z [rows d].
// Arguments: z, y, lse [rows] (the rows' log-sum-exp).
func Gate(rows, d int) Launch {
	k := load("gate", "gate", nil, nil, func(c Call) {
		z, y, lse := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		d := c.U(1)
		for r := range c.U(0) {
			row := z[r*d : (r+1)*d]
			l := logSumExp(row)
			for i, x := range row {
				y[r*d+i] = float32(math.Exp(float64(x)-l) * float64(x))
			}
			lse[r] = float32(l)
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(rows, 64)), Params: params(rows, d), Flops: 4 * float64(rows*d)}
}

// GateGrad computes dz. Arguments: z, lse, dy, dz.
func GateGrad(rows, d int) Launch {
	k := load("gate_grad", "gate_grad", nil, nil, func(c Call) {
		z, lse, dy, dz := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F(), c.Buffers[3].F()
		d := c.U(1)
		for r := range c.U(0) {
			p := func(i int) float64 { return math.Exp(float64(z[i]) - float64(lse[r])) }
			mean := 0.0
			for i := r * d; i < (r+1)*d; i++ {
				mean += p(i) * float64(dy[i]) * float64(z[i])
			}
			for i := r * d; i < (r+1)*d; i++ {
				dz[i] = float32(p(i) * (float64(dy[i])*(1+float64(z[i])) - mean))
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(rows, 64)), Params: params(rows, d), Flops: 8 * float64(rows*d)}
}

// logSumExp returns log Σ exp(x), computed without overflow.
func logSumExp(x []float32) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, float64(v))
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}
