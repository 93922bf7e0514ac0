package shaders_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// runBoth runs one launch on the device and as its twin over the same
// arguments (one []float32, []uint32 or []int32 per storage binding; written
// bindings start from the given content) and returns both results of every
// written binding, by its WGSL name.
func runBoth(t testing.TB, l shaders.Launch, args ...any) map[string][2][]float32 {
	t.Helper()
	device := gputest.Open(t)
	// Long grids go on in a second dimension; here, many short ones do, too.
	if n := l.Groups[0]; (strings.Contains(l.Kernel.Source, "flat_index(") || strings.Contains(l.Kernel.Source, "group.y * groups.x")) && n > 1 && n%2 == 1 && l.Groups[1] == 1 {
		l.Groups[0], l.Groups[1] = n/2+1, 2
	}
	words := make([][]uint32, len(args))
	for i, a := range args {
		words[i] = toWords(a)
	}
	program := &gpu.Program{Name: l.Kernel.Name}
	names := make([]string, len(args))
	views := make([]gpu.View, len(args))
	for i, b := range l.Kernel.Storage() {
		names[i] = b.Name
		views[i] = program.External(b.Name, len(words[i]))
	}
	program.Add(l.Kernel.Name, l, views...)

	out := map[string][2][]float32{}
	for side, backend := range []gpu.Backend{device, gpu.NewReference()} {
		externals := map[string]gpu.Buffer{}
		for i, name := range names {
			b, err := backend.NewBuffer(name, gpu.Bytes(len(words[i])))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Release()
			if err := b.Write(0, wordBytes(words[i])); err != nil {
				t.Fatal(err)
			}
			externals[name] = b
		}
		x, err := backend.Compile(program, externals)
		if err != nil {
			t.Fatalf("%s: %v", l.Kernel.Name, err)
		}
		defer x.Release()
		if err := x.Run(context.Background()); err != nil {
			t.Fatalf("%s: %v", l.Kernel.Name, err)
		}
		for i, b := range l.Kernel.Storage() {
			if b.Access != shaders.ReadWrite {
				continue
			}
			got := make([]uint32, len(words[i]))
			if err := externals[b.Name].Read(0, wordBytes(got)); err != nil {
				t.Fatal(err)
			}
			pair := out[b.Name]
			pair[side] = shaders.Words(got).F()
			out[b.Name] = pair
		}
	}
	return out
}

// compareBoth is runBoth followed by the comparison of every result: tolerance
// is relative to the largest magnitude of the twin's result.
func compareBoth(t *testing.T, tolerance float64, l shaders.Launch, args ...any) {
	t.Helper()
	for name, pair := range runBoth(t, l, args...) {
		var worst, largest float64
		at := 0
		for i := range pair[1] {
			d := math.Abs(float64(pair[0][i]) - float64(pair[1][i]))
			if math.IsNaN(d) && math.IsNaN(float64(pair[0][i])) == math.IsNaN(float64(pair[1][i])) {
				d = 0
			}
			if d > worst || math.IsNaN(d) {
				worst, at = d, i
			}
			largest = max(largest, math.Abs(float64(pair[1][i])))
		}
		if !(worst <= tolerance*largest+1e-30) {
			t.Errorf("%s: %s[%d] is %g on the device, %g in the twin (largest magnitude %g)", strings.TrimSpace(l.Kernel.Name), name, at, pair[0][at], pair[1][at], largest)
		}
	}
}

func toWords(a any) []uint32 {
	switch a := a.(type) {
	case []uint32:
		return a
	case []float32:
		out := make([]uint32, len(a))
		for i, x := range a {
			out[i] = math.Float32bits(x)
		}
		return out
	case []int32:
		out := make([]uint32, len(a))
		for i, x := range a {
			out[i] = uint32(x)
		}
		return out
	}
	panic("arguments are []float32, []uint32 or []int32")
}

func wordBytes(w []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), 4*len(w))
}

// normal returns n normally distributed values, the same for the same seed.
func normal(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}
