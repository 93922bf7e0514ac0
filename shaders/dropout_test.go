package shaders_test

import (
	"math"
	"testing"

	"duet/shaders"
)

func TestDropout(t *testing.T) {
	const n = 40001
	x := make([]float32, n)
	for i := range x {
		x[i] = 1 + float32(i%7)
	}
	draw := func(t *testing.T, run runner, p float32, salt uint32, rng ...uint32) []float32 {
		y := zeros(n)
		run(t, shaders.Dropout(n, p, salt), x, rng, y)
		return y
	}
	onBoth(t, func(t *testing.T, run runner) {
		for _, p := range []float32{0, 0.1, 0.5, 0.9, 1} {
			y := draw(t, run, p, 3, 11, 22, 33)
			kept := 0
			for i := range y {
				if y[i] != 0 {
					kept++
					if want := x[i] / (1 - p); math.Abs(float64(y[i]-want)) > 1e-6*float64(want) {
						t.Fatalf("p = %g: element %d is %g, want 0 or %g", p, i, y[i], want)
					}
				}
			}
			// Five standard deviations of the binomial distribution.
			if d := math.Abs(float64(kept) - n*float64(1-p)); d > 5*math.Sqrt(n*float64(p*(1-p))) {
				t.Errorf("p = %g keeps %d of %d", p, kept, n)
			}
		}
		// Every part of the key draws another mask, independent of the first: at
		// p = 0.5 half of all elements agree.
		first := draw(t, run, 0.5, 3, 11, 22, 33)
		for name, other := range map[string][]float32{
			"seed low":  draw(t, run, 0.5, 3, 12, 22, 33),
			"seed high": draw(t, run, 0.5, 3, 11, 23, 33),
			"step":      draw(t, run, 0.5, 3, 11, 22, 34),
			"salt":      draw(t, run, 0.5, 4, 11, 22, 33),
			"shifted":   append(first[1:n:n], first[0]),
			"by four":   append(first[4:n:n], first[:4]...),
		} {
			agree := 0
			for i := range other {
				if (other[i] == 0) == (first[i] == 0) {
					agree++
				}
			}
			if math.Abs(float64(agree)-n/2) > 5*math.Sqrt(n/4) {
				t.Errorf("with another %s %d of %d elements agree", name, agree, n)
			}
		}
	})
	// Integer arithmetic: the device's mask is the twin's, bit for bit.
	for _, m := range oddLengths {
		compareBoth(t, 0, shaders.Dropout(m, 0.3, 7), normal(1, m), []uint32{1, 2, 3, 0}, zeros(m))
	}
}
