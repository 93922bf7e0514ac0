package shaders

// ArgMax finds the index of the largest value along an axis of x [outer size
// inner], the first of equal ones, or the last.
// Arguments: x, y [outer inner] (uint32).
func ArgMax(outer, size, inner int, last bool) Launch {
	k := variant("argmax", 1, []string{when(last, "LAST")}, nil, nil, func(c Call) {
		x, y, size, inner := c.Buffers[0].F(), c.Buffers[1], c.U(1), c.U(2)
		for i := range c.U(0) {
			base := i/inner*size*inner + i%inner
			best := 0
			for k := 1; k < size; k++ {
				v, top := x[base+k*inner], x[base+best*inner]
				if v > top || last && v == top {
					best = k
				}
			}
			y[i] = uint32(best)
		}
	})
	n := outer * inner
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n, 64)), Params: params(n, size, inner), Flops: float64(n) * float64(size)}
}

func argMaxVariants() []Kernel {
	return []Kernel{ArgMax(1, 1, 1, false).Kernel, ArgMax(1, 1, 1, true).Kernel}
}
