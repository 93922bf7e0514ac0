package gpu_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

func inputs(r *rand.Rand) map[string][]byte {
	x := make([]float32, 400)
	for i := range x {
		x[i] = r.Float32()
	}
	return map[string][]byte{"x": gpu.Floats(x)}
}

func TestDiffAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	d := gputest.OpenDefault(t)
	before := d.Allocated()
	for range 5 {
		p := gpu.RandomProgram(r, 20)
		c, err := gpu.Diff(t.Context(), p, gpu.NewReference(), d, gpu.DiffOptions{Inputs: inputs(r), Free: true})
		if err != nil {
			t.Fatal(err)
		}
		if first := c.First(); first != nil {
			t.Errorf("the backends part: %v", first)
		}
		if want := len(p.Setup) + len(p.Dispatch); len(c.Outputs) != want {
			t.Errorf("%d outputs compared, want %d", len(c.Outputs), want)
		}
	}
	if after := d.Allocated(); after.Parameters != before.Parameters || after.Programs() != before.Programs() {
		t.Errorf("the comparison holds memory: before %+v, after %+v", before, after)
	}
}

// wrong returns the launch with a twin that is off in one element.
func wrong(l shaders.Launch, element int, change func(float32) float32) shaders.Launch {
	twin := l.Kernel.Reference
	l.Kernel.Name = "wrong"
	l.Kernel.Reference = func(c shaders.Call) {
		twin(c)
		y := c.Buffers[len(c.Buffers)-1].F()
		y[element] = change(y[element])
	}
	return l
}

func TestDiffNamesTheFirst(t *testing.T) {
	d := gputest.Open(t)
	build := func(change func(float32) float32) *gpu.Program {
		p := &gpu.Program{Name: "p"}
		a, b, c := p.Temp("a", 100), p.Temp("b", 100), p.External("y", 100)
		p.Add("first", gpu.Mix(1, 100, 1), p.External("x", 400), a)
		p.Add("second", wrong(gpu.Mix(1, 100, 1), 42, change), a, b)
		p.Add("third", gpu.Mix(1, 100, 1), b, c)
		return p
	}
	for _, test := range []struct {
		name   string
		change func(float32) float32
		parts  int // outputs that part when each dispatch is judged by itself
		free   int // and when each backend goes on
	}{
		{"none", func(v float32) float32 { return v }, 0, 0},
		{"within tolerance", func(v float32) float32 { return v + 1e-6 }, 0, 0},
		{"value", func(v float32) float32 { return v + 0.01 }, 1, 2},
		{"NaN", func(v float32) float32 { return float32(math.NaN()) }, 1, 2},
		{"infinite", func(v float32) float32 { return float32(math.Inf(1)) }, 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, free := range []bool{false, true} {
				c, err := gpu.Diff(t.Context(), build(test.change), gpu.NewReference(), d, gpu.DiffOptions{Free: free})
				if err != nil {
					t.Fatal(err)
				}
				want := test.parts
				if free {
					want = test.free
				}
				if got := strings.Count(c.String(), "times the tolerance"); got != want {
					t.Errorf("free %v: %d outputs part, want %d:\n%s", free, got, want, c)
				}
				if want > 0 {
					f := c.First()
					if f == nil || f.Index != 1 || f.Place != `1 "second"` || f.Kernel != "wrong" || f.Buffer != "b" || f.At != 42 {
						t.Errorf("free %v: first difference %v", free, f)
					}
				}
			}
		})
	}
}

func TestDiffIntegersAndPadding(t *testing.T) {
	d := gputest.Open(t)
	copyWords := shaders.Kernel{
		Name: "copy", Workgroup: [3]uint32{64, 1, 1},
		Source: `@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  if (gid.x < arrayLength(&y)) { y[gid.x] = x[gid.x]; }
}`,
		Bindings: []shaders.Binding{{Index: 0, Name: "x", Access: shaders.Read, Type: "array<u32>"}, {Index: 1, Name: "y", Access: shaders.ReadWrite, Type: "array<u32>"}},
	}
	for _, test := range []struct {
		name string
		at   int // the word that the twin gets wrong, of 5 words and 3 of padding
		want bool
	}{{"data", 4, true}, {"padding", 5, false}} {
		t.Run(test.name, func(t *testing.T) {
			copyWords.Reference = func(c shaders.Call) {
				copy(c.Buffers[1], c.Buffers[0])
				c.Buffers[1][test.at]++
			}
			p := &gpu.Program{Name: "p"}
			p.Add("copy", shaders.Launch{Kernel: copyWords, Groups: [3]uint32{1, 1, 1}}, p.External("x", 5), p.External("y", 5))
			c, err := gpu.Diff(t.Context(), p, gpu.NewReference(), d, gpu.DiffOptions{Inputs: map[string][]byte{"x": {1, 0, 0, 0, 2, 0, 0, 0}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.First() != nil; got != test.want {
				t.Errorf("parts: %v, want %v", c.First(), test.want)
			}
		})
	}
}
