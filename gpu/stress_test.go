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
