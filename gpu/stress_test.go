//go:build !js

package gpu_test

import (
	"context"
	"math"
	"runtime"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// TestUnderGarbageCollection replays and reads back while the collector runs
// all the time and small objects are allocated anew, which is what freed
// callback handles would be overwritten by.
func TestUnderGarbageCollection(t *testing.T) {
	d := gputest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var keep [64]*uint64
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			for i := range 10000 {
				n := new(uint64)
				*n = math.MaxUint64
				keep[i%len(keep)] = n
			}
			runtime.GC()
		}
	}()
	defer func() { cancel(); <-stopped }()
	x, y := gputest.Buffer(t, d, "x", make([]float32, 64)), gputest.Buffer(t, d, "y", make([]float32, 64))
	e, err := d.Compile(chain(3, 64), map[string]gpu.Buffer{"x": x, "y": y})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	rounds := 0
	for begun := time.Now(); time.Since(begun) < 2*time.Second; rounds++ {
		if err := x.Write(0, gpu.Floats([]float32{float32(rounds)})); err != nil {
			t.Fatal(err)
		}
		for range 1 + rounds%5 { // more than may be pending
			if err := e.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}
		got, err := gpu.ReadFloats(y, 2)
		if err != nil {
			t.Fatal(err)
		}
		if want := float32(rounds)/8 + 1.75; got[0] != want || got[1] != 1.75 {
			t.Fatalf("round %d: read %v, want %v and 1.75", rounds, got, want)
		}
	}
	if rounds < 50 {
		t.Errorf("only %d rounds in two seconds", rounds)
	}
	t.Logf("%d rounds", rounds)
}

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

// TestLongSubmit waits for a submit longer than the five seconds after which
// the native library's own wait takes unfinished work for done.
func TestLongSubmit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes six seconds")
	}
	d, err := gpu.Open(t.Context(), gpu.Options{SubmitCap: time.Hour})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	defer d.Close()
	if d.Info().Class != gpu.Software {
		t.Skip("a GPU's watchdog would kill a submit that long")
	}
	run := func(x gpu.Buffer, iterations uint32, dispatches int) time.Duration {
		p := &gpu.Program{Name: "slow"}
		v := p.External("x", 4096)
		for range dispatches {
			p.Add("slow", slow(iterations), v)
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
		if n := e.Stats().Submits; n != 1 {
			t.Fatalf("%d submits", n)
		}
		return time.Since(begun)
	}
	x := gputest.Buffer(t, d, "x", make([]float32, 4096))
	const iterations = 1_000_000
	dispatches := 1
	for range 10 { // a busy machine may become faster in between
		took := run(x, iterations, dispatches)
		t.Logf("%d dispatches in one submit: %v", dispatches, took)
		if took > 5200*time.Millisecond {
			break
		}
		dispatches += int(time.Duration(dispatches)*(6500*time.Millisecond-took)/took) + 1
	}
	got, err := gpu.ReadFloats(x, 4096)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v != 2 {
			t.Fatalf("element %d is %v, want 2", i, v)
		}
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
	iterations := uint32(10_000)
	for range 10 {
		took, _ := run(iterations)
		if took > 8*limit {
			break
		}
		iterations = uint32(float64(iterations) * min(10, 10*limit.Seconds()/took.Seconds()))
	}
	for range 2 {
		// One dispatch is half a cap, so the exact number varies.
		if took, submits := run(iterations); submits < int(took/limit)/2 {
			t.Errorf("%d submits for %v", submits, took)
		}
	}
}
