package shaders_test

import (
	"slices"
	"testing"

	"duet/shaders"
)

func TestArgMax(t *testing.T) {
	x := []float32{1, 7, 7, 2, 3, 0, 3, 9, 3, 0, 9, 3} // [2 3 2]
	onBoth(t, func(t *testing.T, run runner) {
		for _, c := range []struct {
			outer, size, inner int
			last               bool
			want               []uint32
		}{
			{2, 3, 2, false, []uint32{1, 0, 2, 0}},
			{1, 12, 1, false, []uint32{7}},
			{1, 12, 1, true, []uint32{10}},
			{4, 3, 1, false, []uint32{1, 1, 1, 1}},
			{4, 3, 1, true, []uint32{2, 1, 1, 1}},
			{1, 1, 12, false, make([]uint32, 12)},
		} {
			y := make([]uint32, len(c.want))
			run(t, shaders.ArgMax(c.outer, c.size, c.inner, c.last), x, y)
			if !slices.Equal(y, c.want) {
				t.Errorf("%+v gives %v", c, y)
			}
		}
	})
}
