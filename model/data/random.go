package data

import "math/bits"

// draws is a stream of random numbers that is a pure function of its key:
// SplitMix64 (Steele, Lea and Flood 2014), whose n-th number is a mix of
// key + n·γ. A key made of (seed, epoch, index, purpose) gives every example
// its own stream, whatever order examples are prepared in.
type draws uint64

const goldenGamma = 0x9e3779b97f4a7c15

func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// newDraws starts the stream of a key.
func newDraws(key ...uint64) *draws {
	var d draws
	for _, part := range key {
		d = draws(mix64(uint64(d)+goldenGamma) ^ mix64(part))
	}
	return &d
}

func (d *draws) next() uint64 {
	*d += goldenGamma
	return mix64(uint64(*d))
}

// float is uniform over [0, 1).
func (d *draws) float() float64 { return float64(d.next()>>11) / (1 << 53) }

// between is uniform over [low, high).
func (d *draws) between(low, high float64) float64 { return low + d.float()*(high-low) }

// intn is uniform over [0, n), n > 0; its bias is below n/2⁶⁴.
func (d *draws) intn(n int) int {
	high, _ := bits.Mul64(d.next(), uint64(n))
	return int(high)
}

// permutation orders 0 … n-1 at random.
func (d *draws) permutation(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := d.intn(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}

// hashString is FNV-1a.
func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
