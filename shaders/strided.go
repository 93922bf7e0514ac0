package shaders

import "fmt"

// Gather copies a strided view of x into dense y of the given shape:
// y[i…] = x[offset + Σ i·stride]. It serves transposes, slices and expansions.
// Arguments: x, y.
func Gather(shape, stride []int, offset int) Launch {
	return strided("gather", nil, shape, stride, offset)
}

// Scatter copies dense x of the given shape into a strided view of y, and
// leaves the rest of y alone. Arguments: x, y.
func Scatter(shape, stride []int, offset int) Launch {
	return strided("scatter", []string{"SCATTER"}, shape, stride, offset)
}

func strided(name string, flags []string, shape, stride []int, offset int) Launch {
	if len(shape) > maxRank {
		panic(fmt.Sprintf("shaders: %s: shape %v has more than %d dimensions", name, shape, maxRank))
	}
	n, width, t := product(shape), 1, "f32"
	if d := len(shape) - 1; d >= 0 && stride[d] == 1 && shape[d]%4 == 0 && offset%4 == 0 && multiplesOf4(stride[:d]...) {
		name, width, t = name+" vec4", 4, "vec4<f32>"
	}
	p := []any{n / width, offset / width}
	for d := range maxRank {
		size, step := 1, 0
		if i := len(shape) - 1 - d; i >= 0 {
			size, step = shape[i], stride[i]/width
			if d == 0 && width == 4 {
				size, step = shape[i]/4, 1
			}
		}
		p = append(p, size, step)
	}
	scatter := len(flags) > 0
	k := load(name, "strided", flags, map[string]string{"T": t}, func(c Call) {
		x, y := c.Buffers[0], c.Buffers[1]
		for i := range c.U(0) {
			rest, at := i, c.U(1)
			for d := range maxRank {
				at += rest % c.U(2+2*d) * c.U(3+2*d)
				rest /= c.U(2 + 2*d)
			}
			from, to := at*width, i*width
			if scatter {
				from, to = to, from
			}
			copy(y[to:to+width], x[from:from+width])
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n/width, 64)), Params: params(p...)}
}

// SliceGrad writes x, the gradient of a slice of the given start, size and
// step, into a tensor of zeros of the given shape. Arguments: x, y.
func SliceGrad(shape, start, size, step []int) Launch {
	if len(shape) > maxRank {
		panic(fmt.Sprintf("shaders: slice_grad: shape %v has more than %d dimensions", shape, maxRank))
	}
	n, dense := product(shape), 1
	p := []any{n}
	for d := range maxRank {
		i := len(shape) - 1 - d
		if i < 0 {
			p = append(p, 1, 0, 1, 1, 0)
			continue
		}
		p = append(p, shape[i], start[i], size[i], step[i], dense)
		dense *= size[i]
	}
	k := load("slice_grad", "slice_grad", nil, nil, func(c Call) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		for i := range c.U(0) {
			rest, at, taken := i, 0, true
			for d := range maxRank {
				u := func(j int) int { return c.U(1 + 5*d + j) }
				k := rest%u(0) - u(1)
				taken = taken && k >= 0 && k%u(3) == 0 && k/u(3) < u(2)
				at += k / u(3) * u(4)
				rest /= u(0)
			}
			y[i] = 0
			if taken {
				y[i] = x[at]
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n, 64)), Params: params(p...)}
}

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
