package shaders

// Unary returns y = f(x) over n elements, f being the name of an activation.
// Arguments: x, y.
func Unary(f string, n int) Launch {
	twin := func(c Call) {
		x, y := c.Buffers[0].F(), c.Buffers[1].F()
		for i := range min(4*c.U(0), len(x), len(y)) {
			y[i] = float32(activations[f](float64(x[i])))
		}
	}
	k := load(f, "unary", nil, map[string]string{"F": f}, twin)
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4), Flops: float64(n)}
}
