package shaders

import "strconv"

// Gather copies a strided view of x into dense y of the given shape:
// y[i…] = x[offset + Σ i·stride]. It serves transposes, slices (also backwards,
// with negative strides) and expansions (stride 0), of values of any kind, over
// up to six dimensions. Arguments: x, y.
func Gather(shape, stride []int, offset int) Launch {
	return strided(false, shape, stride, offset)
}

// Scatter copies dense x of the given shape into a strided view of y, and
// leaves the rest of y alone: it serves concatenation and writing a slice. No
// two elements may share a place. Arguments: x, y.
func Scatter(shape, stride []int, offset int) Launch {
	return strided(true, shape, stride, offset)
}

func strided(scatter bool, shape, stride []int, offset int) Launch {
	axes := walk(shape, stride)
	n, inner := product(shape), axes[0].stride[0]
	rank := len(axes)
	name, dense, view, flag := "gather", "u32", "u32", ""
	width, unit := 1, 1 // elements an invocation moves, elements a stride counts
	if scatter {
		name, flag = "scatter", "SCATTER"
	}
	flags := []string{flag}
	switch {
	case axes[0].size%4 != 0:
	case aligned(axes, 0) && offset%4 == 0:
		width, unit, name, dense, view = 4, 4, name+" vec4", "vec4<u32>", "vec4<u32>"
	case inner == 0 && !scatter:
		width, name, dense, flags = 4, name+" splat", "vec4<u32>", append(flags, "SPLAT")
	default:
		width, name, dense, flags = 4, name+" wide", "vec4<u32>", append(flags, "WIDE")
	}
	p := []any{n / width, word(offset / unit), word(inner)}
	for d, a := range axes {
		size, step := a.size, a.stride[0]
		if d == 0 {
			size, step = size/width, step*width
		}
		p = append(p, size, word(step/unit))
	}
	constants := map[string]string{"X": view, "Y": dense, "RANK": strconv.Itoa(rank), "OUTERMOST": strconv.Itoa(rank - 1)}
	if scatter {
		constants["X"], constants["Y"] = dense, view
	}
	k := load(name+" "+strconv.Itoa(rank), "strided", present(flags), constants, func(c Call) {
		x, y := c.Buffers[0], c.Buffers[1]
		for i := range c.U(0) {
			at := c.Params[1] + decode(uint32(i), c.Params[3:], rank, 1, 0)
			for k := range width {
				from := int(at + uint32(k)*c.Params[2])
				if unit == 4 {
					from = int(at)*4 + k
				}
				if scatter {
					y[from] = x[i*width+k]
				} else {
					y[i*width+k] = x[from]
				}
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n/width, 64)), Params: params(p...)}
}

// present returns the flags that are not empty.
func present(flags []string) []string {
	var out []string
	for _, f := range flags {
		if f != "" {
			out = append(out, f)
		}
	}
	return out
}

// SliceGrad writes x, the gradient of a slice of the given start, size and
// (positive) step, into a tensor of zeros of the given shape; with steps of 1
// it is padding with zeros. Arguments: x, y.
func SliceGrad(shape, start, size, step []int) Launch {
	type part struct{ n, begin, step, size, stride int }
	parts, dense := []part{}, 1 // innermost first
	for d := len(shape) - 1; d >= 0; d-- {
		if shape[d] == 1 && size[d] == 1 {
			continue
		}
		a := part{shape[d], start[d], step[d], size[d], dense}
		dense *= size[d]
		if last := len(parts) - 1; last >= 0 {
			// An inner dimension taken whole becomes part of this one.
			in := parts[last]
			if in.n == in.size && in.begin == 0 && in.step == 1 && (a.step == 1 || in.n == 1) {
				parts[last] = part{a.n * in.n, a.begin * in.n, a.step, a.size * in.n, in.stride}
				continue
			}
		}
		parts = append(parts, a)
	}
	if len(parts) == 0 {
		parts = append(parts, part{1, 0, 1, 1, 1})
	}
	if len(parts) > maxRank {
		panic("shaders: slice_grad: more than " + strconv.Itoa(maxRank) + " dimensions")
	}
	width := 1
	if in := parts[0]; in.step == 1 && multiplesOf4(in.n, in.begin, in.size) {
		width = 4
	}
	n, rank := product(shape)/width, len(parts)
	p := []any{n}
	for d, a := range parts {
		if d == 0 {
			a.n, a.begin, a.size = a.n/width, a.begin/width, a.size/width
		} else {
			a.stride /= width
		}
		p = append(p, a.n, a.begin, a.step, a.size, a.stride)
	}
	t, name := "u32", "slice_grad "
	if width == 4 {
		t, name = "vec4<u32>", "slice_grad vec4 "
	}
	k := load(name+strconv.Itoa(rank), "slice_grad", nil, map[string]string{"T": t, "RANK": strconv.Itoa(rank)}, func(c Call) {
		x, y := c.Buffers[0], c.Buffers[1]
		for i := range c.U(0) {
			rest, at, taken := uint32(i), uint32(0), true
			for d := range rank {
				u := c.Params[1+5*d:]
				digit := rest%u[0] - u[1]
				index := digit / u[2]
				taken = taken && index*u[2] == digit && index < u[3]
				at += index * u[4]
				rest /= u[0]
			}
			for j := range width {
				y[i*width+j] = 0
				if taken {
					y[i*width+j] = x[int(at)*width+j]
				}
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n, 64)), Params: params(p...)}
}

func stridedVariants() []Kernel {
	var out []Kernel
	for rank := 1; rank <= maxRank; rank++ {
		// Shapes and strides of which no two dimensions merge.
		for _, inner := range []struct{ size, stride int }{{3, 1}, {4, 1}, {4, 0}, {4, 3}} {
			shape, stride := make([]int, rank), make([]int, rank)
			start, size, step := make([]int, rank), make([]int, rank), make([]int, rank)
			for d := range rank {
				shape[d], stride[d] = 2, 4*(rank-d)+400
				start[d], size[d], step[d] = 1, 1, 1
			}
			shape[rank-1], stride[rank-1] = inner.size, inner.stride
			start[rank-1], size[rank-1] = 0, inner.size
			if rank > 1 {
				start[rank-2] = 1
			}
			out = append(out, Gather(shape, stride, 0).Kernel, Scatter(shape, stride, 0).Kernel, SliceGrad(shape, start, size, step).Kernel)
		}
	}
	return out
}
