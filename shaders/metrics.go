package shaders

// Rank counts, for each row of logits, the classes that come before the
// target's when sorted from the largest (equal logits by index): 0 is a right
// top-1 answer, below 5 a right top-5. A target that names no class or whose
// logit is NaN has rank classes.
// Arguments: logits [rows classes], targets [rows] (int32), rank [rows] (uint32).
func Rank(rows, classes int) Launch {
	k := load("rank", "rank", nil, nil, func(c Call) {
		logits, targets, rank := c.Buffers[0].F(), c.Buffers[1].I(), c.Buffers[2]
		classes := c.U(1)
		for row := range c.U(0) {
			y := int(targets[row])
			if y < 0 || y >= classes {
				rank[row] = uint32(classes)
				continue
			}
			rank[row] = 0
			x := logits[row*classes : (row+1)*classes]
			for k, z := range x {
				if !(z < x[y] || z == x[y] && k >= y) {
					rank[row]++
				}
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(rows, 64)), Params: params(rows, classes), Flops: float64(rows) * float64(classes)}
}

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

func metricsVariants() []Kernel {
	return []Kernel{Rank(1, 1).Kernel, ArgMax(1, 1, 1, false).Kernel, ArgMax(1, 1, 1, true).Kernel}
}
