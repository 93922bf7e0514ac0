package shaders

import "math"

// L2Normalize divides each row of x [rows d] by max(‖x‖, eps), as PyTorch's
// normalize does (there eps is 1e-12). Arguments: x, y.
func L2Normalize(rows, d int, eps float32) Launch {
	return l2Launch("l2normalize", rows, d, eps, 4, func(c Call, width int) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		d := width * c.U(1)
		for i := range c.U(0) {
			row := x[i*d : (i+1)*d]
			_, n := l2Norm(row, c.F32(2))
			for j, v := range row {
				y[i*d+j] = float32(float64(v) / n)
			}
		}
	})
}

// L2NormalizeGrad computes dx. Arguments: x, dy, dx, each [rows d].
func L2NormalizeGrad(rows, d int, eps float32) Launch {
	return l2Launch("l2normalize_grad", rows, d, eps, 8, func(c Call, width int) {
		x, dy, dx := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		d := width * c.U(1)
		for i := range c.U(0) {
			row := x[i*d : (i+1)*d]
			length, n := l2Norm(row, c.F32(2))
			along := 0.0
			if length >= float64(c.F32(2)) {
				for j, v := range row {
					along += float64(v) / n / n * float64(dy[i*d+j])
				}
			}
			for j, v := range row {
				dx[i*d+j] = float32((float64(dy[i*d+j]) - float64(v)*along) / n)
			}
		}
	})
}

func l2Launch(file string, rows, d int, eps float32, flops float64, twin func(c Call, width int)) Launch {
	width := widthOf(d)
	return Launch{
		Kernel: variant(file, width, nil, nil, nil, func(c Call) { twin(c, width) }),
		Groups: Spread(ceilDiv(rows, 64)),
		Params: params(rows, d/width, eps),
		Flops:  flops * float64(rows) * float64(d),
	}
}

// l2Norm returns the norm of a row and the norm bounded from below.
func l2Norm(row []float32, eps float32) (length, bounded float64) {
	squares := 0.0
	for _, v := range row {
		squares += float64(v) * float64(v)
	}
	length = math.Sqrt(squares)
	return length, max(length, float64(eps))
}

// l2NormalizeVariants lists the kernels of L2 normalisation.
func l2NormalizeVariants() []Kernel {
	var list []Kernel
	for _, d := range []int{4, 3} {
		list = append(list, L2Normalize(1, d, 1e-12).Kernel, L2NormalizeGrad(1, d, 1e-12).Kernel)
	}
	return list
}
