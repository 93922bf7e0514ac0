package shaders

// MeanPool averages x [n p c] over its p positions, or over the first lengths[n]
// of them when masked (zero where that is none). Arguments: x, [lengths [n]
// uint32], y [n c].
func MeanPool(n, p, c int, masked bool) Launch {
	width := widthOf(c)
	flags, bindings := []string{when(masked, "LENGTHS")}, []string{"x", when(masked, "lengths"), "y"}
	k := variant("meanpool", width, flags, bindings, nil, func(call Call) {
		n, p, c := call.U(0), call.U(1), width*call.U(2)
		x, y := call.Buffers[0].F(), call.Buffers[len(call.Buffers)-1].F()
		for i := range n * c {
			count := p
			if masked {
				count = min(p, int(call.Buffers[1][i/c]))
			}
			sum := 0.0
			for k := range count {
				sum += float64(x[(i/c*p+k)*c+i%c])
			}
			y[i] = float32(sum / float64(max(count, 1)))
		}
	})
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(n*c/width, 64)),
		Params: params(n, p, c/width),
		Flops:  float64(n) * float64(p) * float64(c),
	}
}

// MeanPoolGrad computes dx. Arguments: [lengths [n] uint32], dy [n c], dx [n p c].
func MeanPoolGrad(n, p, c int, masked bool) Launch {
	width := widthOf(c)
	flags, bindings := []string{when(masked, "LENGTHS")}, []string{when(masked, "lengths"), "dy", "dx"}
	k := variant("meanpool_grad", width, flags, bindings, nil, func(call Call) {
		p, c := call.U(1), width*call.U(2)
		last := len(call.Buffers) - 1
		dy, dx := call.Buffers[last-1].F(), call.Buffers[last].F()
		for i := range call.U(0) * p * c {
			n, count := i/(p*c), p
			if masked {
				count = min(p, int(call.Buffers[0][n]))
			}
			dx[i] = 0
			if i/c%p < count {
				dx[i] = dy[n*c+i%c] / float32(count)
			}
		}
	})
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(n*p*c/width, 64)),
		Params: params(n, p, c/width),
		Flops:  float64(n) * float64(p) * float64(c),
	}
}

// meanPoolVariants lists the kernels of mean pooling.
func meanPoolVariants() []Kernel {
	var list []Kernel
	for _, c := range []int{4, 3} {
		for _, masked := range []bool{false, true} {
			list = append(list, MeanPool(1, 1, c, masked).Kernel, MeanPoolGrad(1, 1, c, masked).Kernel)
		}
	}
	return list
}
