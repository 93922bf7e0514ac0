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

func fillVariants() []Kernel { return []Kernel{Fill(1, 0).Kernel} }
