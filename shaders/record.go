package shaders

// Record writes the number x into slot step mod n of a ring of n numbers.
// Arguments: x [1], state [4] (uint32: seed low, seed high, step, unused), ring [n].
func Record(n int) Launch {
	k := load("record", "record", nil, nil, func(c Call) {
		c.Buffers[2][int(c.Buffers[1][2])%c.U(0)] = c.Buffers[0][0]
	})
	return Launch{Kernel: k, Groups: [3]uint32{1, 1, 1}, Params: params(n)}
}
