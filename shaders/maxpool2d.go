package shaders

import "math"

// A Pool2DShape describes pooling windows over x [Images IH IW C] that make
// y [Images OH OW C]. OH and OW are the caller's: with rounding up, the last
// windows may hang over the padding behind.
type Pool2DShape struct {
	Images, IH, IW, C int
	OH, OW            int
	KH, KW            int
	SY, SX            int // stride
	PY, PX            int // padding before
	EY, EX            int // padding behind; it only counts for averages that include padding
	DY, DX            int // dilation
}

func (s Pool2DShape) launch(file string, pixels int, flags, bindings []string, twin func(Call, Pool2DShape)) Launch {
	width := widthOf(s.C)
	u := "u32"
	if width == 4 {
		u = "vec4<u32>"
	}
	k := variant(file, width, flags, bindings, map[string]string{"U": u}, func(c Call) {
		u := c.U
		twin(c, Pool2DShape{Images: u(0), IH: u(1), IW: u(2), C: width * u(3), OH: u(4), OW: u(5), KH: u(6), KW: u(7),
			SY: u(8), SX: u(9), PY: u(10), PX: u(11), EY: u(12), EX: u(13), DY: u(14), DX: u(15)})
	})
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(s.Images*pixels*s.C/width, 64)),
		Params: params(s.Images, s.IH, s.IW, s.C/width, s.OH, s.OW, s.KH, s.KW, s.SY, s.SX,
			s.PY, s.PX, s.EY, s.EX, s.DY, s.DX, math.Inf(-1)),
		Flops: float64(s.Images*s.OH*s.OW*s.C) * float64(s.KH*s.KW),
	}
}

// windows calls f for every output pixel with the input pixels of its window,
// in row-major order, and with the number of positions within input and padding.
func (s Pool2DShape) windows(f func(out int, in []int, padded int)) {
	for n := range s.Images {
		for oy := range s.OH {
			for ox := range s.OW {
				var in []int
				padded := 0
				for t := range s.KH * s.KW {
					y, x := oy*s.SY-s.PY+t/s.KW*s.DY, ox*s.SX-s.PX+t%s.KW*s.DX
					if y < s.IH+s.EY && x < s.IW+s.EX {
						padded++
					}
					if y >= 0 && y < s.IH && x >= 0 && x < s.IW {
						in = append(in, (n*s.IH+y)*s.IW+x)
					}
				}
				f((n*s.OH+oy)*s.OW+ox, in, padded)
			}
		}
	}
}

// noWinner is the winner of a window without input.
const noWinner = math.MaxUint32

// MaxPool2D takes the largest value of each window, the first in row-major order
// among equals as PyTorch does; minus infinity where a window has no input.
// Arguments: x, y, winner (uint32, shaped as y: the position y·IW + x that won).
func MaxPool2D(s Pool2DShape) Launch {
	return s.launch("maxpool2d", s.OH*s.OW, nil, []string{"x", "y", "winner"}, func(c Call, s Pool2DShape) {
		x, y, winner := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2]
		s.windows(func(out int, in []int, _ int) {
			for ch := range s.C {
				best, at := float32(math.Inf(-1)), uint32(noWinner)
				for _, p := range in {
					if v := x[p*s.C+ch]; v > best || at == noWinner {
						best, at = v, uint32(p%(s.IH*s.IW))
					}
				}
				y[out*s.C+ch], winner[out*s.C+ch] = best, at
			}
		})
	})
}

// MaxPool2DGrad hands each output's gradient to its winner. Arguments: winner,
// dy [Images OH OW C], dx [Images IH IW C].
func MaxPool2DGrad(s Pool2DShape) Launch {
	return s.launch("maxpool2d_grad", ceilDiv(s.IH, 2)*ceilDiv(s.IW, 2), nil, []string{"winner", "dy", "dx"}, func(c Call, s Pool2DShape) {
		winner, dy, dx := c.Buffers[0], c.Buffers[1].F(), c.Buffers[2].F()
		sums := make([]float64, s.Images*s.IH*s.IW*s.C)
		for o := range s.Images * s.OH * s.OW {
			for i := o * s.C; i < (o+1)*s.C; i++ {
				if winner[i] != noWinner {
					sums[(o/(s.OH*s.OW)*s.IH*s.IW+int(winner[i]))*s.C+i%s.C] += float64(dy[i])
				}
			}
		}
		for i, sum := range sums {
			dx[i] = float32(sum)
		}
	})
}

// maxPool2DVariants lists the kernels of max pooling.
func maxPool2DVariants() []Kernel {
	var list []Kernel
	for _, c := range []int{4, 3} {
		list = append(list, MaxPool2D(Pool2DShape{C: c}).Kernel, MaxPool2DGrad(Pool2DShape{C: c}).Kernel)
	}
	return list
}
