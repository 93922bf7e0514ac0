package shaders

// epilogues are all epilogues of a product.
func epilogues() []Epilogue {
	var out []Epilogue
	for _, act := range []string{"", "relu", "gelu"} {
		for bits := range 4 {
			out = append(out, Epilogue{Bias: bits&1 != 0, Residual: bits&2 != 0, Act: act})
		}
	}
	return out
}

// matmulVariants lists the kernels of matrix products.
func matmulVariants() []Kernel {
	var out []Kernel
	for _, side := range []int{5, 8} { // scalar and vec4
		for transposed := range 4 {
			s := MatmulShape{M: side, N: side, K: side, TA: transposed&1 != 0, TB: transposed&2 != 0}
			out = append(out, MatmulSplit(s, 1).Kernel)
			for _, s.Epilogue = range epilogues() {
				out = append(out, Matmul(s).Kernel)
			}
		}
		out = append(out, SplitSum(2, 1, side, Epilogue{}).Kernel)
		for _, e := range epilogues() {
			out = append(out, SplitSum(2, 1, side, e).Kernel)
			e.Scale = true
			out = append(out, SplitSum(2, 1, side, e).Kernel)
		}
	}
	for _, side := range []int{32, 1024} { // the two sides of staged tiles
		for transposed := range 3 {
			s := MatmulShape{M: side, N: side, K: side, TA: transposed&1 != 0, TB: transposed&2 != 0, Target: GPU}
			out = append(out, MatmulSplit(s, 1).Kernel)
			for _, s.Epilogue = range epilogues() {
				out = append(out, Matmul(s).Kernel)
			}
		}
	}
	// Packed weights [n k]: forwards, and backwards to the input.
	for i := range 4 {
		format := []Format{F16, I8}[i/2]
		s := MatmulShape{M: 8, N: 8, K: 8, B: format, Target: Target(i % 2)}
		out = append(out, Matmul(s).Kernel, MatmulSplit(s, 1).Kernel)
		s.TB = true
		out = append(out, MatmulSplit(s, 1).Kernel)
		for _, s.Epilogue = range epilogues() {
			s.Scale = format == I8
			out = append(out, Matmul(s).Kernel)
		}
	}
	for _, format := range []Format{F16, I8} { // of wide tiles
		s := MatmulShape{M: 1024, N: 1024, K: 1024, B: format, Target: GPU}
		out = append(out, Matmul(s).Kernel)
		s.TB = true
		out = append(out, MatmulSplit(s, 1).Kernel)
		s.Epilogue = Epilogue{Scale: format == I8, Bias: true, Residual: true, Act: "gelu"}
		out = append(out, Matmul(s).Kernel)
	}
	return out
}

// conv2DVariants lists the kernels of convolutions.
func conv2DVariants() []Kernel {
	var out []Kernel
	for i, c := range []int{5, 8, 8, 64} {
		s := Conv2DShape{Images: 1, IH: 3, IW: 3, IC: c, OH: 3, OW: 3, OC: c, KH: 3, KW: 3, SY: 1, SX: 1, PY: 1, PX: 1, DY: 1, DX: 1}
		if i > 1 {
			s.Target = GPU
		}
		if c == 64 { // enough for wide tiles
			s.Images = 64 * wideTiles / 9
		}
		for _, e := range epilogues() {
			out = append(out, Conv2D(s, e).Kernel)
			if e.Scale = true; c > 5 {
				out = append(out, Conv2DPacked(s, F16, e).Kernel, Conv2DPacked(s, I8, e).Kernel)
			}
		}
		out = append(out, Conv2DGradInput(s, false).Kernel, Conv2DGradInput(s, true).Kernel, Conv2DGradWeight(s, 1).Kernel)
	}
	return out
}

// fusionVariants lists the kernels of the fusion layer.
func fusionVariants() []Kernel {
	out := []Kernel{Gate(1, 1).Kernel, GateGrad(1, 1).Kernel}
	for _, d := range []int{5, 8} {
		for _, s := range []FusionShape{{Concat: true}, {Product: true}, {Concat: true, Product: true}} {
			s.M, s.N, s.DV, s.DT = d, d, d, d
			out = append(out, FusionInput(s).Kernel, FusionGrad(s).Kernel)
			for _, s.Act = range []string{"", "relu", "gelu"} {
				out = append(out, Fusion(s).Kernel)
			}
		}
	}
	return out
}

// recordVariants lists the kernel of [Record].
func recordVariants() []Kernel { return []Kernel{Record(1).Kernel} }
