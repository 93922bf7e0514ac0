package shaders

import "math"

// Embedding looks up rows: y[i] = table[ids[i]]. It gathers rows of cached
// features as well. Arguments: ids [n] (as [Take] reads them), table [vocab d],
// y [n d].
func Embedding(n, vocab, d int) Launch { return Take(1, vocab, d, n) }

// EmbeddingRange is [Embedding] for a table of which x holds size rows from
// first on: it writes the rows of y whose ids lie there and leaves the others
// alone. Arguments: ids [n], x [size d], y [n d].
func EmbeddingRange(n, vocab, first, size, d int) Launch {
	width := widthOf(d)
	k := variant("embedding", width, []string{"RANGE"}, nil, nil, func(c Call) {
		ids, x, y := c.Buffers[0], c.Buffers[1].F(), c.Buffers[2].F()
		size, d, first := c.U(2), c.U(3)*width, c.U(4)
		for row := range c.U(1) {
			id := min(int(ids[row]), c.U(5)-1) - first
			if id >= 0 && id < size {
				copy(y[row*d:(row+1)*d], x[id*d:(id+1)*d])
			}
		}
	})
	total := n * d / width
	return Launch{Kernel: k, Groups: Spread(ceilDiv(total, 64)), Params: params(total, n, size, d/width, first, vocab)}
}

// EmbeddingF16 is [Embedding] over a table of half floats as [Pack] makes it;
// d is a multiple of four. Arguments: ids [n], table [vocab d/2], y [n d].
func EmbeddingF16(n, vocab, d int) Launch {
	if d%4 != 0 {
		panic("shaders: EmbeddingF16 needs rows of a multiple of four values")
	}
	return take(1, vocab, d, n, true)
}

// Take chooses along an axis: y[o, i, :] = x[o, ids[i], :], as ONNX's Gather
// does. A negative index counts from the end; what is then out of range is clamped.
// Arguments: ids [n] (int32), x [outer size d], y [outer n d].
func Take(outer, size, d, n int) Launch { return take(outer, size, d, n, false) }

func take(outer, size, d, n int, f16 bool) Launch {
	if size < 1 {
		panic("shaders: nothing to take from an empty axis")
	}
	width := widthOf(d)
	twin := func(c Call) {
		ids, x, y := c.Buffers[0].I(), c.Buffers[1], c.Buffers[2].F()
		n, size, d := c.U(1), c.U(2), c.U(3)*width
		for i := range c.U(0) * width {
			row := i / d
			id := int(ids[row%n])
			if id < 0 {
				id += size
			}
			at := (row/n*size+min(max(id, 0), size-1))*d + i%d
			if f16 {
				y[i] = halfToFloat(uint16(x[at/2] >> (16 * (at % 2))))
			} else {
				y[i] = x.F()[at]
			}
		}
	}
	k := variant("embedding", width, []string{when(f16, "F16")}, nil, nil, twin)
	total := outer * n * d / width
	return Launch{Kernel: k, Groups: Spread(ceilDiv(total, 64)), Params: params(total, n, size, d/width, 0, size)}
}

// NoPadding is the padding of an embedding without one.
const NoPadding = math.MaxUint32

// EmbeddingLinks prepares the gradient of an embedding: it chains the positions
// of each id. Positions whose id is padding (PyTorch's padding_idx;
// [NoPadding] for none) give no gradient. n is below 2³¹.
// Arguments: ids [n] (uint32), links [n] (uint32).
func EmbeddingLinks(n int, padding uint32) Launch {
	k := load("embedding_links", "embedding_links", nil, nil, func(c Call) {
		ids, links, n := c.Buffers[0], c.Buffers[1], c.U(0)
		last := map[uint32]int{}
		for i := range n {
			links[i] = uint32(n)
			before, earlier := last[ids[i]]
			if earlier {
				links[before] = links[before]&0x80000000 | uint32(i)
			}
			if earlier || ids[i] == c.Params[1] {
				links[i] |= 0x80000000
			}
			last[ids[i]] = i
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n, 64)), Params: params(n, padding), Flops: float64(n) * float64(n)}
}

// EmbeddingGrad adds up the gradients of each row that occurs and leaves the
// other rows of dtable alone: zero it before ([Fill]). dtable holds size rows of
// a table from first on; ids of other rows are ignored. Arguments: ids [n], links
// [n] (from [EmbeddingLinks]), dy [n d], dtable [size d].
func EmbeddingGrad(n, first, size, d int) Launch {
	width := widthOf(d)
	k := variant("embedding_grad", width, nil, nil, nil, func(c Call) {
		ids, links, dy, dtable := c.Buffers[0], c.Buffers[1], c.Buffers[2].F(), c.Buffers[3].F()
		n, size, d := c.U(0), c.U(1), c.U(2)*width
		for first := range n {
			id := int(ids[first]) - c.U(3)
			if links[first]>>31 == 1 || id < 0 || id >= size {
				continue
			}
			for column := range d {
				sum := 0.0
				for i := first; i < n; i = int(links[i] & 0x7fffffff) {
					sum += float64(dy[i*d+column])
				}
				dtable[id*d+column] = float32(sum)
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n*d/width, 64)), Params: params(n, size, d/width, first), Flops: float64(n) * float64(d)}
}

func embeddingVariants() []Kernel {
	return []Kernel{
		Embedding(1, 1, 1).Kernel, Embedding(1, 1, 4).Kernel, EmbeddingF16(1, 1, 4).Kernel,
		EmbeddingRange(1, 1, 0, 1, 1).Kernel, EmbeddingRange(1, 1, 0, 1, 4).Kernel,
		EmbeddingLinks(1, NoPadding).Kernel, EmbeddingGrad(1, 0, 1, 1).Kernel, EmbeddingGrad(1, 0, 1, 4).Kernel,
	}
}
