package gpu_test

import (
	"strings"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
)

func TestProfile(t *testing.T) {
	d := gputest.Open(t)
	x, y := gputest.Buffer(t, d, "x", make([]float32, 1<<16)), gputest.Buffer(t, d, "y", make([]float32, 1<<16))
	p := &gpu.Program{Name: "two"}
	small, large := p.Temp("small", 64), p.Temp("large", 1<<20)
	in := p.External("x", 1<<16)
	p.Add("small", gpu.Mix(1, 64, 1), in, small)
	p.Add("large", gpu.Mix(1, 1<<20, 1), small, large)
	p.Add("small again", gpu.Mix(2, 64, 1), small, large, p.External("y", 1<<16))
	e, err := d.Compile(p, map[string]gpu.Buffer{"x": x, "y": y})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	before := d.Allocated()
	profile, err := d.Profile(t.Context(), e, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(profile)
	if after := d.Allocated(); after.Buffers > before.Buffers+1 { // the staging buffer may be new
		t.Errorf("profiling left buffers: before %+v, after %+v", before, after)
	}
	if len(profile.Dispatches) != 3 || len(profile.Kernels()) != 2 {
		t.Fatalf("%d dispatches, %d kernels", len(profile.Dispatches), len(profile.Kernels()))
	}
	for _, x := range profile.Dispatches {
		if x.Time <= 0 || x.Time > time.Minute {
			t.Errorf("%s took %v", x.Label, x.Time)
		}
	}
	if profile.Dispatches[1].Time < profile.Dispatches[0].Time {
		t.Errorf("a million elements took %v, 64 took %v", profile.Dispatches[1].Time, profile.Dispatches[0].Time)
	}
	if got := profile.Total(); got.Count != 3 || got.Flops != 64*2+(1<<20)*2+64*4 {
		t.Errorf("total %+v", got)
	}
	if !strings.Contains(profile.String(), "small again (mix2)") {
		t.Errorf("profile prints\n%s", profile)
	}
	out, err := gpu.ReadFloats(y, 1)
	if err != nil || out[0] != 0.5*1+0.25*1.5+1 {
		t.Errorf("profiling changed the result: %v, %v", out, err)
	}
}
