package shaders

// FixSide makes all staged tiles of one side until the returned function is called.
func FixSide(n int) func() {
	fixedSide = n
	return func() { fixedSide = 0 }
}

// Conv2DSplitIn is [Conv2DSplit] with a number of splits of the caller's.
func Conv2DSplitIn(s Conv2DShape, splits int) Launch {
	k := s.KH * s.KW * s.IC
	step := ceilDiv(ceilDiv(k, splits), 32) * 32
	return s.forward(F32, Epilogue{}, ceilDiv(k, step), step)
}
