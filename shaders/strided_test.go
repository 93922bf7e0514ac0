package shaders_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"duet/shaders"
)

func dense(shape []int) []int {
	s, n := make([]int, len(shape)), 1
	for d := len(shape) - 1; d >= 0; d-- {
		s[d] = n
		n *= shape[d]
	}
	return s
}

// each calls f with every index of a shape, in order.
func each(shape []int, f func(i int, digits []int)) {
	digits := make([]int, len(shape))
	for i := range words(shape) {
		rest := i
		for d := len(shape) - 1; d >= 0; d-- {
			digits[d] = rest % shape[d]
			rest /= shape[d]
		}
		f(i, digits)
	}
}

func dot(a, b []int) int {
	n := 0
	for i := range a {
		n += a[i] * b[i]
	}
	return n
}

func TestGatherAndScatter(t *testing.T) {
	transposed := func(shape []int, perm ...int) (out, stride []int) {
		for _, p := range perm {
			out, stride = append(out, shape[p]), append(stride, dense(shape)[p])
		}
		return out, stride
	}
	type view struct {
		name          string
		shape, stride []int
		offset, words int
		repeats       bool
	}
	views := []view{
		{"one", []int{1}, []int{1}, 0, 1, false},
		{"nothing", []int{}, []int{}, 2, 3, false},
		{"row", []int{65}, []int{1}, 3, 70, false},
		{"aligned row", []int{64}, []int{1}, 4, 70, false},
		{"unaligned row", []int{64}, []int{1}, 3, 70, false},
		{"every third", []int{8}, []int{3}, 1, 30, false},
		{"columns", []int{5, 8}, []int{16, 1}, 4, 80, false},
		{"columns of odd rows", []int{5, 8}, []int{15, 1}, 4, 80, false},
		{"backwards", []int{4, 8}, []int{8, -1}, 7, 32, false},
		{"rows backwards", []int{4, 8}, []int{-8, 1}, 24, 32, false},
		{"rows backwards, odd", []int{4, 3}, []int{-3, 1}, 9, 12, false},
		{"expanded rows", []int{5, 8}, []int{0, 1}, 0, 8, true},
		{"expanded elements", []int{5, 8}, []int{1, 0}, 0, 5, true},
		{"expanded to odd rows", []int{5, 7}, []int{1, 0}, 0, 5, true},
		{"filled", []int{3, 5, 7}, []int{0, 0, 0}, 2, 4, true},
	}
	for _, p := range []struct{ shape, perm []int }{
		{[]int{3, 5}, []int{1, 0}}, {[]int{64, 65}, []int{1, 0}}, {[]int{2, 3, 4, 8}, []int{0, 2, 1, 3}}, {[]int{2, 3, 4, 5}, []int{0, 2, 3, 1}},
		{[]int{2, 8, 3, 3}, []int{0, 2, 3, 1}}, {[]int{2, 3, 2, 3, 2, 3}, []int{5, 4, 3, 2, 1, 0}}, {[]int{2, 3, 2, 3, 2, 4}, []int{4, 3, 2, 1, 0, 5}},
	} {
		out, stride := transposed(p.shape, p.perm...)
		views = append(views, view{fmt.Sprint("transposed ", p.shape, p.perm), out, stride, 0, words(p.shape), false})
	}
	for _, v := range views {
		t.Run(v.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				n := words(v.shape)
				x, y, want := normal(1, v.words), zeros(n), zeros(n)
				each(v.shape, func(i int, digits []int) { want[i] = x[v.offset+dot(digits, v.stride)] })
				run(t, shaders.Gather(v.shape, v.stride, v.offset), x, y)
				near(t, "gather", y, want, 0, 0)
				if v.repeats {
					return
				}
				from, to := normal(2, n), normal(3, v.words)
				wanted := slices.Clone(to)
				each(v.shape, func(i int, digits []int) { wanted[v.offset+dot(digits, v.stride)] = from[i] })
				run(t, shaders.Scatter(v.shape, v.stride, v.offset), from, to)
				near(t, "scatter", to, wanted, 0, 0)
			})
		})
	}
}

// Copies keep every bit, of integers and of NaNs with a payload too.
func TestGatherKeepsBits(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for _, n := range []int{3, 4} {
			x, y := []uint32{0x7fa00001, 1, 0xffffffff, 0x80000000}[:n], make([]uint32, n)
			run(t, shaders.Gather([]int{n}, []int{1}, 0), x, y)
			if !slices.Equal(x, y) {
				t.Errorf("%x became %x", x, y)
			}
		}
	})
}

func TestSliceGrad(t *testing.T) {
	for _, c := range []struct{ shape, start, size, step []int }{
		{[]int{1}, []int{0}, []int{1}, []int{1}},
		{[]int{10}, []int{3}, []int{4}, []int{1}},
		{[]int{64}, []int{4}, []int{8}, []int{1}},
		{[]int{64}, []int{3}, []int{8}, []int{1}},
		{[]int{11}, []int{1}, []int{5}, []int{2}},
		{[]int{32, 5, 8}, []int{0, 0, 0}, []int{32, 1, 8}, []int{1, 1, 1}},
		{[]int{4, 5, 8}, []int{1, 2, 4}, []int{2, 2, 4}, []int{1, 2, 1}},
		{[]int{4, 5, 7}, []int{1, 0, 0}, []int{2, 5, 7}, []int{2, 1, 1}},
		{[]int{3, 4, 3, 4, 3, 4}, []int{1, 1, 1, 1, 1, 1}, []int{2, 2, 2, 2, 2, 2}, []int{1, 2, 1, 2, 1, 2}},
		{[]int{3, 4, 3, 4, 3, 4}, []int{1, 1, 1, 1, 1, 0}, []int{2, 3, 2, 3, 2, 4}, []int{1, 1, 1, 1, 1, 1}},
		{[]int{2, 1, 3, 1}, []int{1, 0, 0, 0}, []int{1, 1, 3, 1}, []int{1, 1, 1, 1}},
	} {
		t.Run(fmt.Sprintf("%v", c), func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				x, y, want := normal(1, words(c.size)), normal(2, words(c.shape)), zeros(words(c.shape))
				each(c.size, func(i int, digits []int) {
					at := 0
					for d := range digits {
						at += (c.start[d] + digits[d]*c.step[d]) * dense(c.shape)[d]
					}
					want[at] = x[i]
				})
				run(t, shaders.SliceGrad(c.shape, c.start, c.size, c.step), x, y)
				near(t, "y", y, want, 0, 0)
			})
		})
	}
}

func TestFill(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		for _, n := range oddLengths {
			y, want := normal(1, n), zeros(n)
			run(t, shaders.Fill(n, float32(math.Inf(-1))), y)
			for i := range want {
				want[i] = float32(math.Inf(-1))
			}
			near(t, "filled", y, want, 0, 0)
		}
	})
}

func TestSpread(t *testing.T) {
	for _, n := range []int{0, 1, 65535, 65536, 100_000, 131_070, 131_071, 10_000_019} {
		g := shaders.Spread(n)
		total := int(g[0]) * int(g[1]) * int(g[2])
		if g[0] < 1 || g[0] > 65535 || g[1] > 65535 || g[2] != 1 || total < n || total > n+int(g[1]) && n > 0 {
			t.Errorf("Spread(%d) = %v", n, g)
		}
	}
}
