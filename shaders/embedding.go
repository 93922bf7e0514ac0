package shaders

import "math"

// Embedding looks up rows: y[i] = table[ids[i]]. It gathers rows of cached
// features as well. Arguments: ids [n] (as [Take] reads them), table [vocab d],
// y [n d].
func Embedding(n, vocab, d int) Launch { return Take(1, vocab, d, n) }

// A TableRange is a range of rows of a table [Vocab D].
type TableRange struct {
	Vocab, D    int
	First, Rows int // the range
	Format      Format
}

// EmbeddingRange is [Embedding] for a range of a table: it writes the rows of y
// whose ids lie there and leaves the others alone. Ids beyond the table are its
// last. Arguments: ids [n], x [Rows D] in the table's format, [scale [Rows] for
// I8], y [n D].
func EmbeddingRange(n int, r TableRange) Launch {
	width := widthOf(r.D)
	if r.Format != F32 && width != 4 {
		panic("shaders: packed tables have rows of a multiple of four values")
	}
	scaled := r.Format == I8
	t := map[Format]string{F32: "f32", F16: "vec2<u32>", I8: "u32"}[r.Format]
	if r.Format == F32 && width == 4 {
		t = "vec4<f32>"
	}
	k := variant("embedding_range", width, []string{r.Format.flag()}, []string{"ids", "x", when(scaled, "scale"), "y"}, map[string]string{"TX": t, "SCALE_AT": ""}, func(c Call) {
		b := taker{c: c}
		ids, x, scale, y := b.words(), r.Format.unscaled(b.words()), b.ifF(scaled), b.f()
		rows, d, first := c.U(1), c.U(2)*width, c.U(3)
		for i, id := range ids[:c.U(0)/c.U(2)] {
			row := min(int(id), c.U(4)-1) - first
			if row < 0 || row >= rows {
				continue
			}
			for j := range d {
				y[i*d+j] = x[row*d+j]
				if scaled {
					y[i*d+j] *= scale[row]
				}
			}
		}
	})
	total := n * r.D / width
	return Launch{Kernel: k, Groups: Spread(ceilDiv(total, 64)), Params: params(total, r.Rows, r.D/width, r.First, r.Vocab)}
}

// Take chooses along an axis: y[o, i, :] = x[o, ids[i], :], as ONNX's Gather
// does. A negative index counts from the end; what is then out of range is clamped.
// Arguments: ids [n] (int32), x [outer size d], y [outer n d].
func Take(outer, size, d, n int) Launch {
	if size < 1 {
		panic("shaders: nothing to take from an empty axis")
	}
	width := widthOf(d)
	twin := func(c Call) {
		ids, x, y := c.Buffers[0].I(), c.Buffers[1].F(), c.Buffers[2].F()
		n, size, d := c.U(1), c.U(2), c.U(3)*width
		for i := range c.U(0) * width {
			row := i / d
			id := int(ids[row%n])
			if id < 0 {
				id += size
			}
			y[i] = x[(row/n*size+min(max(id, 0), size-1))*d+i%d]
		}
	}
	k := variant("embedding", width, nil, nil, nil, twin)
	total := outer * n * d / width
	return Launch{Kernel: k, Groups: Spread(ceilDiv(total, 64)), Params: params(total, n, size, d/width)}
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
		Embedding(1, 1, 1).Kernel, Embedding(1, 1, 4).Kernel,
		EmbeddingRange(1, TableRange{D: 1}).Kernel, EmbeddingRange(1, TableRange{D: 4}).Kernel,
		EmbeddingRange(1, TableRange{D: 4, Format: F16}).Kernel, EmbeddingRange(1, TableRange{D: 4, Format: I8}).Kernel,
		EmbeddingLinks(1, NoPadding).Kernel, EmbeddingGrad(1, 0, 1, 1).Kernel, EmbeddingGrad(1, 0, 1, 4).Kernel,
	}
}
