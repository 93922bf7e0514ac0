package shaders

import "math"

// BCE computes the binary cross-entropy of n logits against targets in [0, 1],
// element by element, without overflow for any logit ([Reduce] gives the mean).
// Arguments: logits [n], targets [n], losses [n].
func BCE(n int) Launch {
	k := load("bce", "bce", nil, nil, func(c Call) {
		x, y, losses := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		for i := range min(4*c.U(0), len(x), len(y), len(losses)) {
			softplus := func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
			x, y := float64(x[i]), float64(y[i])
			losses[i] = float32((1-y)*softplus(x) + y*softplus(-x))
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4), Flops: 8 * float64(n)}
}

// BCEGrad computes the gradient of the logits from that of the mean loss.
// Arguments: dloss [1], logits [n], targets [n], dlogits [n].
func BCEGrad(n int) Launch {
	k := load("bce_grad", "bce_grad", nil, nil, func(c Call) {
		dloss, x, y, dx := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F(), c.Buffers[3].F()
		g := float64(dloss[0]) * float64(c.F32(1))
		for i := range min(4*c.U(0), len(x), len(y), len(dx)) {
			x, y := float64(x[i]), float64(y[i])
			dx[i] = float32(g * ((1-y)*sigmoid(x) - y*sigmoid(-x)))
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4, 1/float64(n)), Flops: 8 * float64(n)}
}

func bceVariants() []Kernel { return []Kernel{BCE(1).Kernel, BCEGrad(1).Kernel} }
