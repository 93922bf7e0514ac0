package train

import (
	"math"
	"testing"
)

func TestRate(t *testing.T) {
	tests := []struct {
		name               string
		schedule           string
		warmup, step, want int // want in thousandths of the learning rate
		total              int
	}{
		{"first of the warm-up", "cosine", 10, 0, 100, 110},
		{"last of the warm-up", "cosine", 10, 9, 1000, 110},
		{"after the warm-up", "cosine", 10, 10, 1000, 110},
		{"half of the cosine", "cosine", 10, 60, 500, 110},
		{"end of the cosine", "cosine", 10, 110, 0, 110},
		{"beyond the end", "cosine", 10, 200, 0, 110},
		{"constant", "constant", 10, 100, 1000, 110},
		{"short training: last of its warm-up", "cosine", 500, 19, 1000, 100},
		{"short training: half of the cosine", "cosine", 500, 60, 500, 100},
		{"one step", "cosine", 500, 0, 1000, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Recipe{LearningRate: 1000, Warmup: test.warmup, Schedule: test.schedule}
			if got := r.Rate(test.step, test.total); !(math.Abs(got-float64(test.want)) <= 1e-9) {
				t.Errorf("%g, want %d", got, test.want)
			}
		})
	}
}
