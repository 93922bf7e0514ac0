package shaders

import "math"

// A Format is how weights lie in memory. Arithmetic is float32 with all of them.
type Format uint8

// The formats. In the packed ones rows are multiples of four values.
const (
	F32 Format = iota
	F16        // half floats, two to a word as [Pack] makes them
	I8         // whole numbers of −127 to 127, four to a word; a row's values are these · its scale / 127
)

// Words is the number of 4-byte words that n values take.
func (f Format) Words(n int) int {
	switch f {
	case F16:
		return n / 2
	case I8:
		return n / 4
	}
	return n
}

func (f Format) flag() string { return [...]string{"", "F16", "I8"}[f] }

// Encode packs rows of width values. For [I8] a row's scale is its largest
// magnitude, else there are no scales.
func (f Format) Encode(x []float32, width int) (words []uint32, scales []float32) {
	words = make([]uint32, f.Words(len(x)))
	switch f {
	case F16:
		for i, v := range x {
			words[i/2] |= uint32(floatToHalf(v)) << (16 * (i % 2))
		}
	case I8:
		scales = make([]float32, len(x)/width)
		for r := range scales {
			for _, v := range x[r*width : (r+1)*width] {
				scales[r] = max(scales[r], float32(math.Abs(float64(v))))
			}
		}
		for i, v := range x {
			if s := scales[i/width]; s > 0 {
				q := int8(math.RoundToEven(float64(v) / float64(s) * 127))
				words[i/4] |= uint32(uint8(q)) << (8 * (i % 4))
			}
		}
	default:
		copy(Words(words).F(), x)
	}
	return words, scales
}

// Decode is the inverse of [Format.Encode], as far as the format holds the values.
func (f Format) Decode(words []uint32, scales []float32, width int) []float32 {
	x := f.unscaled(words)
	for i := range scales {
		for j := range width {
			x[i*width+j] *= scales[i]
		}
	}
	return x
}

// unscaled unpacks values without their rows' scales.
func (f Format) unscaled(words Words) []float32 {
	switch f {
	case F16:
		x := make([]float32, 2*len(words))
		for i := range x {
			x[i] = halfToFloat(uint16(words[i/2] >> (16 * (i % 2))))
		}
		return x
	case I8:
		x := make([]float32, 4*len(words))
		for i := range x {
			x[i] = max(float32(int8(words[i/4]>>(8*(i%4))))/127, -1)
		}
		return x
	}
	return words.F()
}
