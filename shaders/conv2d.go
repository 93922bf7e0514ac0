package shaders

// A Conv2DShape describes a two-dimensional convolution of x [Images IH IW IC]
// with w [OC KH KW IC] to y [Images OH OW OC]. Padding is given before the
// first row and column; what lies behind the last follows from OH and OW.
type Conv2DShape struct {
	Images, IH, IW, IC int
	OH, OW, OC         int
	KH, KW             int
	SY, SX             int // stride
	PY, PX             int // padding before
	DY, DX             int // dilation
	Target             Target
}

func (s Conv2DShape) staged() bool { return s.Target == GPU && multiplesOf4(s.IC, s.OC) }

func (s Conv2DShape) flops() float64 {
	return 2 * float64(s.Images*s.OH*s.OW*s.OC) * float64(s.KH*s.KW*s.IC)
}

// launch cuts z products of m × n into tiles: workgroups' of the given side, or
// with 0 invocations' of 8×8.
func (s Conv2DShape) launch(k Kernel, side, m, n, z, rows int) Launch {
	edge, each := 8, 64
	if side > 0 {
		edge, each = side, 1
	}
	tilesM, tilesN := ceilDiv(m, edge), ceilDiv(n, edge)
	tiles := tilesM * tilesN * z
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(tiles, each)),
		Params: params(s.Images, s.IH, s.IW, s.IC, s.OH, s.OW, s.OC, s.KH, s.KW, s.SY, s.SX, s.PY, s.PX, s.DY, s.DX,
			n, tilesM, tilesN, tiles, rows),
		Flops: s.flops(),
	}
}

func conv2DShape(c Call) Conv2DShape {
	u := c.U
	return Conv2DShape{Images: u(0), IH: u(1), IW: u(2), IC: u(3), OH: u(4), OW: u(5), OC: u(6), KH: u(7), KW: u(8),
		SY: u(9), SX: u(10), PY: u(11), PX: u(12), DY: u(13), DX: u(14)}
}

// Conv2D computes y = act(x ∗ w · scale + bias + residual).
// Arguments: x, w, [scale [OC]], [bias [OC]], [residual, shaped as y], y.
func Conv2D(s Conv2DShape, e Epilogue) Launch { return Conv2DPacked(s, F32, e) }

// Conv2DPacked is [Conv2D] with weights in a packed format.
func Conv2DPacked(s Conv2DShape, format Format, e Epilogue) Launch {
	return s.forward(format, e, 1, s.KH*s.KW*s.IC)
}

// Splits returns in how many ranges of taps and input channels the sums of a
// convolution should be cut, see [Conv2DSplit]; 1 where the tiles suffice.
func (s Conv2DShape) Splits() int {
	if !s.staged() {
		return 1
	}
	_, splits, _ := cut(s.Images*s.OH*s.OW, s.OC, s.KH*s.KW*s.IC)
	return splits
}

// Conv2DSplit computes x ∗ w as partial sums [splits Images OH OW OC] for
// [SplitSum], with the splits of [Conv2DShape.Splits] if more than one.
// Arguments: x, w, partials.
func Conv2DSplit(s Conv2DShape, format Format) Launch {
	_, splits, step := cut(s.Images*s.OH*s.OW, s.OC, s.KH*s.KW*s.IC)
	return s.forward(format, Epilogue{}, splits, step)
}

func (s Conv2DShape) forward(format Format, e Epilogue, splits, step int) Launch {
	m, wide := s.Images*s.OH*s.OW, 0
	if s.staged() {
		wide, _, _ = cut(m, s.OC, s.KH*s.KW*s.IC)
	}
	k := tileKernel("conv2d", wide, format, e, multiplesOf4(s.IC, s.OC), nil, func(c Call) { conv2DTwin(c, format, e) })
	return s.launch(k, wide, m, s.OC, splits, step)
}

// taps calls f with every (output pixel, tap, input pixel) that meet.
func (s Conv2DShape) taps(f func(out, tap, in int)) {
	for n := range s.Images {
		for oy := range s.OH {
			for ox := range s.OW {
				for t := range s.KH * s.KW {
					y := oy*s.SY - s.PY + t/s.KW*s.DY
					x := ox*s.SX - s.PX + t%s.KW*s.DX
					if y >= 0 && y < s.IH && x >= 0 && x < s.IW {
						f((n*s.OH+oy)*s.OW+ox, t, (n*s.IH+y)*s.IW+x)
					}
				}
			}
		}
	}
}

func conv2DTwin(c Call, format Format, e Epilogue) {
	s, step := conv2DShape(c), c.U(19)
	x, w := c.Buffers[0].F(), format.unscaled(c.Buffers[1])
	y, finish := epilogueTwin(c, 2, e)
	n := s.Images * s.OH * s.OW * s.OC
	sums := make([]float64, n*ceilDiv(s.KH*s.KW*s.IC, step))
	s.taps(func(out, tap, in int) {
		for o := range s.OC {
			for begin := 0; begin < s.IC; {
				split := (tap*s.IC + begin) / step
				end := min(s.IC, (split+1)*step-tap*s.IC)
				sum := 0.0
				for i := begin; i < end; i++ {
					sum += float64(x[in*s.IC+i]) * float64(w[(o*s.KH*s.KW+tap)*s.IC+i])
				}
				sums[split*n+out*s.OC+o] += sum
				begin = end
			}
		}
	})
	for i, sum := range sums {
		y[i] = finish(i, i%s.OC, sum)
	}
}

// Conv2DGradInput computes dx from dy (and adds the residual, another gradient
// of the same x). Arguments: dy, w, [residual, shaped as x], dx.
func Conv2DGradInput(s Conv2DShape, residual bool) Launch {
	e := Epilogue{Residual: residual}
	rows, wide := s.Images*ceilDiv(s.IH, s.SY)*ceilDiv(s.IW, s.SX), 0
	if s.staged() && s.DY == 1 && s.DX == 1 {
		wide = side(rows, s.IC, s.SY*s.SX)
	}
	k := tileKernel("conv2d_grad_input", wide, F32, e, multiplesOf4(s.IC, s.OC), nil, func(c Call) { conv2DGradInputTwin(c, e) })
	return s.launch(k, wide, rows, s.IC, s.SY*s.SX, 0)
}

func conv2DGradInputTwin(c Call, e Epilogue) {
	s := conv2DShape(c)
	dy, w := c.Buffers[0].F(), c.Buffers[1].F()
	dx, finish := epilogueTwin(c, 2, e)
	sums := make([]float64, s.Images*s.IH*s.IW*s.IC)
	s.taps(func(out, tap, in int) {
		for o := range s.OC {
			g := float64(dy[out*s.OC+o])
			for i := range s.IC {
				sums[in*s.IC+i] += g * float64(w[(o*s.KH*s.KW+tap)*s.IC+i])
			}
		}
	})
	for i, sum := range sums {
		dx[i] = finish(i, i%s.IC, sum)
	}
}

// Conv2DWeightSplits returns the number of partials of Conv2DGradWeight.
func Conv2DWeightSplits(s Conv2DShape) int {
	tiles := ceilDiv(s.OC, 8) * ceilDiv(s.IC, 8) * s.KH * s.KW
	lines := s.Images * s.OH
	splits := max(1, min(lines/max(1, ceilDiv(64, s.OW)), wantTiles/tiles))
	if s.staged() {
		_, splits, _ = cut(s.OC, s.KH*s.KW*s.IC, lines*s.OW)
		splits = min(splits, lines)
	}
	return ceilDiv(lines, ceilDiv(lines, splits))
}

// Conv2DGradWeight computes the weight gradient as partial sums
// [splits OC KH KW IC], to be added by [SplitSum] when splits > 1.
// Arguments: dy, x, partials.
func Conv2DGradWeight(s Conv2DShape, splits int) Launch {
	rows, n, z, wide := ceilDiv(s.Images*s.OH, splits), s.IC, s.KH*s.KW*splits, 0
	if s.staged() {
		n, z = s.KH*s.KW*s.IC, splits // taps are columns, too
		wide, _, _ = cut(s.OC, n, s.Images*s.OH*s.OW)
	}
	k := tileKernel("conv2d_grad_weight", wide, F32, Epilogue{}, multiplesOf4(s.IC, s.OC), nil, conv2DGradWeightTwin)
	return s.launch(k, wide, s.OC, n, z, rows)
}

func conv2DGradWeightTwin(c Call) {
	s := conv2DShape(c)
	rows, weights := c.U(19), s.OC*s.KH*s.KW*s.IC
	dy, x, out := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
	sums := make([]float64, ceilDiv(s.Images*s.OH, rows)*weights)
	s.taps(func(pixel, tap, in int) {
		part := sums[pixel/s.OW/rows*weights:]
		for o := range s.OC {
			g := float64(dy[pixel*s.OC+o])
			for i := range s.IC {
				part[(o*s.KH*s.KW+tap)*s.IC+i] += g * float64(x[in*s.IC+i])
			}
		}
	})
	for i, sum := range sums {
		out[i] = float32(sum)
	}
}
