package shaders

// AveragePool2D averages each window over its positions inside the input, or
// inside input and padding when includePad is set. Arguments: x, y.
func AveragePool2D(s Pool2DShape, includePad bool) Launch {
	flags := []string{when(includePad, "INCLUDE_PAD")}
	return s.launch("averagepool2d", s.OH*s.OW, flags, []string{"x", "y"}, func(c Call, s Pool2DShape) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		s.windows(func(out int, in []int, padded int) {
			count := len(in)
			if includePad {
				count = padded
			}
			for ch := range s.C {
				sum := 0.0
				for _, p := range in {
					sum += float64(x[p*s.C+ch])
				}
				y[out*s.C+ch] = float32(sum / float64(max(count, 1)))
			}
		})
	})
}

// averagePool2DVariants lists the kernels of average pooling.
func averagePool2DVariants() []Kernel {
	var list []Kernel
	for _, c := range []int{4, 3} {
		list = append(list, AveragePool2D(Pool2DShape{C: c}, false).Kernel, AveragePool2D(Pool2DShape{C: c}, true).Kernel)
	}
	return list
}
