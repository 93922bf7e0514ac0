package assets

import (
	"math/bits"
	"math/rand/v2"
)

// rng is the package's own generator: PCG for the bits, and plain integer and float arithmetic over them, so that
// the same seed gives the same samples on every platform and with every later Go version.
type rng struct{ pcg *rand.PCG }

// newRNG returns the generator of one stream (for example the groups of a task) at one index. The seeds are mixed
// first, because neighbouring seeds would otherwise start in neighbouring states.
func newRNG(seed uint64, stream string, index int) *rng {
	h := mix(seed)
	for i := range len(stream) {
		h = mix(h ^ uint64(stream[i]))
	}
	return &rng{rand.NewPCG(h, mix(h^uint64(index)))}
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// intn returns a number in [0, n). Its bias, n/2⁶⁴, is of no consequence here.
func (r *rng) intn(n int) int {
	hi, _ := bits.Mul64(r.pcg.Uint64(), uint64(n))
	return int(hi)
}

func (r *rng) float(lo, hi float64) float64 {
	return lo + (hi-lo)*(float64(r.pcg.Uint64()>>11)/(1<<53))
}

func (r *rng) coin() bool { return r.pcg.Uint64()>>63 == 1 }

func shuffle[T any](r *rng, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := r.intn(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

func pick[T any](r *rng, from []T) T { return from[r.intn(len(from))] }

// distinct returns n of the k numbers 0 … k-1 in random order.
func distinct[T ~int](r *rng, n int, k T) []T {
	all := make([]T, k)
	for i := range all {
		all[i] = T(i)
	}
	shuffle(r, all)
	return all[:n]
}

// otherThan returns a number in [0, k) that is none of the taken ones.
func otherThan[T ~int](r *rng, k T, taken ...T) T {
	for _, c := range distinct(r, int(k), k) {
		free := true
		for _, t := range taken {
			free = free && c != t
		}
		if free {
			return c
		}
	}
	panic("assets: every choice is taken")
}
