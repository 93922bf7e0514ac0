package shaders_test

import (
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

func TestRank(t *testing.T) {
	nan := float32(math.NaN())
	logits := []float32{
		1, 5, 3, 2, // target 1: first
		1, 5, 3, 2, // target 0: last
		2, 2, 2, 2, // target 2: two equal ones before
		1, 2, 3, 4, // ignored
		1, 2, 3, 4, // beyond
		nan, 9, 1, 2, // a NaN comes before
	}
	onBoth(t, func(t *testing.T, run runner) {
		rank := make([]uint32, 6)
		run(t, shaders.Rank(6, 4), logits, []int32{1, 0, 2, -100, 4, 1}, rank)
		if want := []uint32{0, 3, 2, 4, 4, 1}; !slices.Equal(rank, want) {
			t.Errorf("ranks %v, want %v", rank, want)
		}
	})
	for _, c := range oddLengths {
		targets := make([]int32, 65)
		for i := range targets {
			targets[i] = int32(i % (c + 1))
		}
		compareBoth(t, 0, shaders.Rank(65, c), normal(1, 65*c), targets, make([]uint32, 65))
	}
}

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
