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
// checks that later replays are cut nevertheless. Into how many submits depends
// on how busy the machine is; TestEstimator checks that.
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
		took := time.Since(begun)
		t.Logf("%d iterations: %d submits, %v", iterations, e.Stats().Submits, took)
		return took, e.Stats().Submits
	}
	// By what its Flops claim, the program is one submit on every adapter. Make
	// it ten caps long, and the device must come to another opinion.
	iterations := uint32(1_000)
	for range 20 {
		took, submits := run(iterations)
		if submits > 1 {
			return
		}
		iterations = uint32(float64(iterations) * min(10, max(1, 10*limit.Seconds()/took.Seconds())))
	}
	t.Error("one submit, however long it takes")
}
