package shaders

import "math"

// Dropout zeroes each of n elements with probability p and scales the others by
// 1/(1−p). The mask follows from rng = {seed low, seed high, step} (uint32
// words, written by the host at each step), the layer's salt and the element's
// index alone: the gradient is the same kernel over dy.
// Arguments: x [n], rng [3 or more], y [n].
func Dropout(n int, p float32, salt uint32) Launch {
	if !(p >= 0 && p <= 1) {
		panic("shaders: the probability of dropout must be in [0, 1]")
	}
	threshold := uint32(min(math.Round(float64(p)*(1<<32)), math.MaxUint32))
	scale := float32(0) // nothing is kept but one value in 2³²
	if p < 1 {
		scale = 1 / (1 - p)
	}
	k := load("dropout", "dropout", nil, nil, func(c Call) {
		x, rng, y := c.Buffers[0].F(), c.Buffers[1], c.Buffers[2].F()
		key := pcg4d([4]uint32{rng[0], rng[1], rng[2], c.Params[3]})
		for i := range min(c.U(0), len(x)/4, len(y)/4) {
			bits := pcg4d([4]uint32{uint32(i), key[0], key[1], key[2] ^ key[3]})
			for j, b := range bits {
				y[4*i+j] = 0
				if b >= c.Params[1] {
					y[4*i+j] = x[4*i+j] * c.F32(2)
				}
			}
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, threshold, scale, salt), Flops: 4 * float64(n)}
}

// pcg4d is the twin of the hash in dropout.wgsl.
func pcg4d(v [4]uint32) [4]uint32 {
	for i := range v {
		v[i] = v[i]*1664525 + 1013904223
	}
	mix := func() {
		v[0] += v[1] * v[3]
		v[1] += v[2] * v[0]
		v[2] += v[0] * v[1]
		v[3] += v[1] * v[2]
	}
	mix()
	for i := range v {
		v[i] ^= v[i] >> 16
	}
	mix()
	return v
}

func dropoutVariants() []Kernel { return []Kernel{Dropout(1, 0.5, 0).Kernel} }
