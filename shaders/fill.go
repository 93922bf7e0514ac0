package shaders

// Fill sets n elements to v. Argument: y.
func Fill(n int, v float32) Launch {
	k := load("fill", "fill", nil, nil, func(c Call) {
		y := c.Buffers[0].F()
		for i := range min(4*c.U(0), len(y)) {
			y[i] = c.F32(1)
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, v)}
}

// Accumulate adds scaled values to what y holds: y += alpha·x over n elements,
// for gradients summed over several passes. Arguments: x, y.
func Accumulate(n int, alpha float32) Launch {
	k := load("accumulate", "accumulate", nil, nil, func(c Call) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		for i := range min(4*c.U(0), len(x), len(y)) {
			y[i] += c.F32(1) * x[i]
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, alpha), Flops: 2 * float64(n)}
}

func fillVariants() []Kernel { return []Kernel{Fill(1, 0).Kernel, Accumulate(1, 1).Kernel} }
