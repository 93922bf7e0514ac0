package shaders

import (
	"fmt"
	"strconv"
	"strings"
)

// ProbeThreads is the number of invocations of a probe, at least: a GPU takes 16
// times as many, or the launch would count more than the arithmetic.
func ProbeThreads(target Target) int {
	if target == GPU {
		return 64 * 4096
	}
	return 64 * 256
}

// Probes returns kernels that do nothing but multiply and add, with different
// numbers of independent sums, as scalars and as vec4s, written as fma and as
// a product and a sum; the fastest gives an adapter's peak. Arguments: a, b
// [1024], c [4·threads].
func Probes(threads int) []Launch {
	var out []Launch
	for _, form := range []string{"fma", "mad"} {
		for _, n := range []int{4, 8, 12, 16, 24} {
			out = append(out, probe(form, n, 1, threads))
		}
		for _, n := range []int{2, 4} {
			out = append(out, probe(form, n, 4, threads))
		}
	}
	return out
}

func probe(form string, n, width, threads int) Launch {
	t := "f32"
	if width == 4 {
		t = "vec4<f32>"
	}
	k := load(fmt.Sprintf("probe_%s_%d×%d", form, n, width), "probe", []string{strings.ToUpper(form)}, map[string]string{"N": strconv.Itoa(n), "T": t}, func(c Call) {
		a, b, out := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		for i := range threads * width {
			x, y := a[i%(256*width)], b[i%(256*width)]
			sum := float32(0)
			for j := range n {
				s := x + float32(j)
				for range 1024 {
					s = s*x + y
				}
				sum += s
			}
			out[i] = sum
		}
	})
	return Launch{Kernel: k, Groups: [3]uint32{uint32(threads / 64), 1, 1}, Flops: 2 * 1024 * float64(n*width*threads)}
}

// probeVariants lists the probes.
func probeVariants() []Kernel {
	var out []Kernel
	for _, p := range Probes(64) {
		out = append(out, p.Kernel)
	}
	return out
}
