package shaders

import "math"

// Softmax returns the softmax of x [outer d inner] along d. Arguments: x, y.
func Softmax(outer, d, inner int) Launch { return softmax(outer, d, inner, false) }

// LogSoftmax returns the logarithm of the softmax along d. Arguments: x, y.
func LogSoftmax(outer, d, inner int) Launch { return softmax(outer, d, inner, true) }

// SoftmaxGrad computes dx from the output. Arguments: y, dy, dx, each [outer d inner].
func SoftmaxGrad(outer, d, inner int) Launch { return softmaxGrad(outer, d, inner, false) }

// LogSoftmaxGrad computes dx from the output. Arguments: y, dy, dx, each [outer d inner].
func LogSoftmaxGrad(outer, d, inner int) Launch { return softmaxGrad(outer, d, inner, true) }

func softmax(outer, d, inner int, log bool) Launch {
	return softmaxLaunch("softmax", []string{"x", "y"}, outer, d, inner, log, 5, func(c Call, at []int) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		top, sum := math.Inf(-1), 0.0
		for _, i := range at {
			top = max(top, float64(x[i]))
		}
		for _, i := range at {
			sum += math.Exp(float64(x[i]) - top)
		}
		for _, i := range at {
			v := float64(x[i]) - top - math.Log(sum)
			if !log {
				v = math.Exp(v)
			}
			y[i] = float32(v)
		}
	})
}

func softmaxGrad(outer, d, inner int, log bool) Launch {
	return softmaxLaunch("softmax_grad", []string{"y", "dy", "dx"}, outer, d, inner, log, 4, func(c Call, at []int) {
		y, dy, dx := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		sum := 0.0
		for _, i := range at {
			if log {
				sum += float64(dy[i])
			} else {
				sum += float64(y[i]) * float64(dy[i])
			}
		}
		for _, i := range at {
			if log {
				dx[i] = float32(float64(dy[i]) - math.Exp(float64(y[i]))*sum)
			} else {
				dx[i] = float32(float64(y[i]) * (float64(dy[i]) - sum))
			}
		}
	})
}

// softmaxLaunch builds a launch whose twin sees the element indices of one line
// at a time.
func softmaxLaunch(file string, bindings []string, outer, d, inner int, log bool, flops float64, twin func(c Call, at []int)) Launch {
	width, along := 1, inner == 1 && d%4 == 0
	do, di := 1, 1 // width along d and along inner
	switch {
	case along:
		width, do = 4, 4
	case inner%4 == 0:
		width, di = 4, 4
	}
	flags := []string{when(log, "LOG"), when(along, "ALONG")}
	k := variant(file, width, flags, bindings, nil, func(c Call) {
		d, inner := do*c.U(1), di*c.U(2)
		at := make([]int, d)
		for line := range c.U(0) * inner {
			for i := range at {
				at[i] = (line/inner*d+i)*inner + line%inner
			}
			twin(c, at)
		}
	})
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(outer*inner/di, 64)),
		Params: params(outer, d/do, inner/di),
		Flops:  flops * float64(outer) * float64(d) * float64(inner),
	}
}

// softmaxVariants lists the kernels of softmax and log-softmax.
func softmaxVariants() []Kernel {
	var list []Kernel
	for _, size := range [][2]int{{4, 1}, {3, 4}, {3, 3}} {
		d, inner := size[0], size[1]
		list = append(list, Softmax(1, d, inner).Kernel, LogSoftmax(1, d, inner).Kernel,
			SoftmaxGrad(1, d, inner).Kernel, LogSoftmaxGrad(1, d, inner).Kernel)
	}
	return list
}
