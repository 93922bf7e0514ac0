package shaders

import "math"

// Pack stores float32 values as half floats, the first of each two in the low
// bits. Rounding is to nearest on the adapters seen, though WGSL leaves it open;
// values beyond ±65504 become that. Arguments: x [n], y [⌈n/2⌉] words.
func Pack(n int) Launch {
	k := load("pack", "pack", nil, nil, func(c Call) {
		x, y := c.Buffers[0].F(), c.Buffers[1]
		for i := range min(2*c.U(0), len(x)/2, len(y)) {
			y[i] = uint32(floatToHalf(x[2*i])) | uint32(floatToHalf(x[2*i+1]))<<16
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4)}
}

// Unpack is the inverse of [Pack]. Arguments: x [⌈n/2⌉] words, y [n].
func Unpack(n int) Launch {
	k := load("unpack", "unpack", nil, nil, func(c Call) {
		x, y := c.Buffers[0], c.Buffers[1].F()
		for i := range min(4*c.U(0), 2*len(x), len(y)) {
			y[i] = halfToFloat(uint16(x[i/2] >> (16 * (i % 2))))
		}
	})
	n4 := ceilDiv(n, 4)
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n4, 64)), Params: params(n4)}
}

// floatToHalf rounds to the nearest half float, ties to even.
func floatToHalf(x float32) uint16 {
	bits := math.Float32bits(x)
	sign := uint16(bits >> 16 & 0x8000)
	a := float64(math.Float32frombits(bits &^ (1 << 31)))
	switch {
	case math.IsNaN(a):
		return sign | 0x7e00
	case a >= 65504:
		return sign | 0x7bff
	case a < 1.0/(1<<14): // subnormal: units of 2⁻²⁴
		return sign | uint16(math.RoundToEven(a*(1<<24)))
	}
	fraction, exponent := math.Frexp(a) // a = fraction·2^exponent, fraction in [½, 1)
	unit := uint16(math.RoundToEven(fraction * (1 << 11)))
	// A fraction that rounds up to 2¹¹ carries into the exponent by itself.
	return sign | (uint16(exponent+13)<<10 + unit)
}

func halfToFloat(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&0x3ff)
	v := math.Ldexp(fraction+1024, exponent-25)
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	}
	if h>>15 == 1 {
		v = -v
	}
	return float32(v)
}

func castVariants() []Kernel { return []Kernel{Pack(1).Kernel, Unpack(1).Kernel} }
