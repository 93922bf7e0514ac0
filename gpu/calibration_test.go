package gpu_test

import (
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// slow is a launch that iterates x = x/2 + 1 in registers, which ends at 2.
func slow(iterations uint32) shaders.Launch {
	return shaders.Launch{
		Kernel: shaders.Kernel{
			Name: "slow", Workgroup: [3]uint32{64, 1, 1},
			Source: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
struct Params { n: u32 }
@group(0) @binding(1) var<uniform> P: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  var v = x[gid.x];
  for (var i = 0u; i < P.n; i++) { v = 0.5 * v + 1.0; }
  x[gid.x] = v;
}`,
			Bindings: []shaders.Binding{{Index: 0, Name: "x", Access: shaders.ReadWrite, Type: "array<f32>"}, {Index: 1, Name: "P", Access: shaders.Uniform, Type: "Params"}},
		},
		Groups: [3]uint32{64, 1, 1}, Params: []uint32{iterations}, Flops: 64 * 64 * 2 * float64(iterations),
	}
}

// TestCalibration runs a kernel whose work is far from what its Flops claim and
// checks that later replays are cut to the cap nevertheless.
func TestCalibration(t *testing.T) {
	const limit = 50 * time.Millisecond
	d, err := gpu.Open(t.Context(), gpu.Options{SubmitCap: limit})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	defer d.Close()
	x := gputest.Buffer(t, d, "x", make([]float32, 4096))
	run := func(iterations uint32) (time.Duration, int) {
		p := &gpu.Program{Name: "slow"}
		v := p.External("x", 4096)
		l := slow(iterations)
		l.Flops = 1 // a lie
		for range 20 {
			p.Add("slow", l, v)
		}
		e, err := d.Compile(p, map[string]gpu.Buffer{"x": x})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Release()
		begun := time.Now()
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d iterations: %d submits, %v", iterations, e.Stats().Submits, time.Since(begun))
		return time.Since(begun), e.Stats().Submits
	}
	// Start with the number of iterations at which the program takes ten caps.
	iterations := uint32(1_000)
	for range 10 {
		took, _ := run(iterations)
		if took > 8*limit {
			break
		}
		iterations = uint32(float64(iterations) * min(10, 10*limit.Seconds()/took.Seconds()))
	}
	for range 2 {
		// One dispatch is half a cap or more, so the exact number varies.
		if took, submits := run(iterations); submits < min(20, int(took/limit)/2) {
			t.Errorf("%d submits for %v", submits, took)
		}
	}
}
