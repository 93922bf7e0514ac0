package gpu_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

func TestInfo(t *testing.T) {
	d := gputest.Open(t)
	i := d.Info()
	t.Logf("%+v", i)
	if i.Backend != "webgpu" || i.Name == "" || i.Class == "" {
		t.Errorf("incomplete info: %+v", i)
	}
	if err := i.Limits.Lacks(gpu.DefaultLimits()); err != nil {
		t.Error(err)
	}
	list, err := gpu.Adapters(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("adapters: %v, %v", list, err)
	}
	for _, a := range list {
		t.Logf("adapter %s, %s, %s, %s", a.Name, a.Vendor, a.Class, a.Driver)
	}
	if list[0].Name != i.Name {
		t.Errorf("opened %s, listed first %s", i.Name, list[0].Name)
	}
}

func TestDefaultLimits(t *testing.T) {
	d := gputest.OpenDefault(t)
	if got, want := d.Info().Limits, gpu.DefaultLimits(); got != want {
		t.Errorf("limits %+v, want %+v", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	gputest.Open(t) // skips where there is no adapter at all
	need := gpu.DefaultLimits()
	need.StorageBuffers = 1 << 30
	for _, test := range []struct {
		name string
		o    gpu.Options
		want []string
	}{
		{"adapter", gpu.Options{Adapter: "no such thing"}, []string{"no adapter", `"no such thing"`}},
		{"limit", gpu.Options{Need: need}, []string{"storage buffers a shader: 1073741824 needed", "offered"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := gpu.Open(t.Context(), test.o)
			if err == nil {
				d.Close()
				t.Fatal("no error")
			}
			for _, w := range test.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestBuffer(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Info().Backend, func(t *testing.T) {
			buffer, err := b.NewBuffer("b", 1024)
			if err != nil {
				t.Fatal(err)
			}
			values, err := gpu.ReadFloats(buffer, 256)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if v != 0 {
					t.Fatalf("element %d of a new buffer is %v", i, v)
				}
			}
			if err := buffer.Write(16, []byte{1, 2, 3, 4, 5, 6, 7, 8}); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 16)
			if err := buffer.Read(12, got); err != nil {
				t.Fatal(err)
			}
			if want := "[0 0 0 0 1 2 3 4 5 6 7 8 0 0 0 0]"; fmt.Sprint(got) != want {
				t.Errorf("read %v, want %v", got, want)
			}
			for _, bad := range []struct{ offset, n int64 }{{-4, 4}, {0, 1028}, {1020, 8}, {2, 4}, {0, 3}} {
				if buffer.Write(bad.offset, make([]byte, bad.n)) == nil || buffer.Read(bad.offset, make([]byte, bad.n)) == nil {
					t.Errorf("offset %d, length %d was not refused", bad.offset, bad.n)
				}
			}
			if buffer.Write(0, nil) != nil || buffer.Read(0, nil) != nil {
				t.Error("empty write or read failed")
			}
			buffer.Release()
			buffer.Release()
			if buffer.Read(0, got) == nil {
				t.Error("a released buffer can be read")
			}
			for _, size := range []int64{0, -16, 20} {
				if _, err := b.NewBuffer("bad", size); err == nil {
					t.Errorf("size %d was not refused", size)
				}
			}
		})
	}
	d := gputest.Open(t)
	if _, err := d.NewBuffer("huge", d.Info().Limits.BufferSize/16*16+16); err == nil || !strings.Contains(err.Error(), "huge") {
		t.Errorf("a buffer above the limit: %v", err)
	}
}

// backends are the device with all limits, the one with the default ones, and
// the reference.
func backends(t testing.TB) []gpu.Backend {
	return []gpu.Backend{gputest.Open(t), gputest.OpenDefault(t), gpu.NewReference()}
}

func TestLargeTransfer(t *testing.T) {
	d := gputest.Open(t)
	const words = 20 << 20 // more than one staging buffer
	buffer, err := d.NewBuffer("large", 4*words)
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Release()
	values := make([]float32, words)
	for i := range values {
		values[i] = float32(i)
	}
	begun := time.Now()
	if err := buffer.Write(0, gpu.Floats(values)); err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	wrote := time.Now()
	got, err := gpu.ReadFloats(buffer, words)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("wrote at %.2f GB/s, read at %.2f GB/s", 4*words/wrote.Sub(begun).Seconds()/1e9, 4*words/time.Since(wrote).Seconds()/1e9)
	for i, v := range got {
		if v != values[i] {
			t.Fatalf("element %d is %v, want %v", i, v, values[i])
		}
	}
}

// equal compares floating-point results of kernels whose operations are the
// same few in the same order; fused multiply-add differs by one rounding.
func equal(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", name, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-6) {
			t.Fatalf("%s[%d] = %v, want %v", name, i, got[i], want[i])
		}
	}
}

func TestRandomProgramsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	reference := gpu.NewReference()
	for n := range 30 {
		p := gpu.RandomProgram(r, 1+r.IntN(40))
		x := make([]float32, 400)
		for i := range x {
			x[i] = r.Float32()
		}
		want := gputest.Run(t, reference, p, map[string][]float32{"x": x})
		for _, d := range []*gpu.Device{gputest.Open(t), gputest.OpenDefault(t)} {
			got := gputest.Run(t, d, p, map[string][]float32{"x": x})
			equal(t, fmt.Sprintf("program %d, y", n), got["y"], want["y"])
		}
	}
}

func TestUnary(t *testing.T) {
	const n = 1003
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i-500) / 100
	}
	for _, b := range backends(t) {
		p := &gpu.Program{Name: "relu"}
		p.Add("relu", shaders.Unary("relu", n), p.External("x", n), p.External("y", n))
		y := gputest.Run(t, b, p, map[string][]float32{"x": x})["y"]
		for i := range x {
			if y[i] != max(x[i], 0) {
				t.Fatalf("%s: relu(%v) = %v", b.Info().Name, x[i], y[i])
			}
		}
	}
}

// chain is a program of n dispatches y = 0.5 x + 1, … from x to y.
func chain(n, words int) *gpu.Program {
	p := &gpu.Program{Name: "chain"}
	v := p.External("x", words)
	for i := range n - 1 {
		next := p.Temp(fmt.Sprintf("t%d", i), words)
		p.Add(fmt.Sprintf("step %d", i), gpu.Mix(1, words, 1), v, next)
		v = next
	}
	p.Add("last", gpu.Mix(1, words, 1), v, p.External("y", words))
	return p
}

func TestSplitsKeepNumbers(t *testing.T) {
	d, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	defer d.Close()
	p := chain(40, 5000)
	x := map[string]gpu.Buffer{"x": gputest.Buffer(t, d, "x", make([]float32, 5000)), "y": gputest.Buffer(t, d, "y", make([]float32, 5000))}
	e, err := d.Compile(p, x)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	var first []float32
	for _, limit := range []time.Duration{time.Hour, time.Nanosecond, 500 * time.Microsecond} {
		d.SetSubmitCap(limit)
		if err := e.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		y, err := gpu.ReadFloats(x["y"], 5000)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("limit %v: %d submits, y[0] = %v", limit, e.Stats().Submits, y[0])
		if first == nil {
			first = y
		}
		for i := range y {
			if y[i] != first[i] {
				t.Fatalf("limit %v: y[%d] = %v, in one submit %v", limit, i, y[i], first[i])
			}
		}
		switch n := e.Stats().Submits; {
		case limit == time.Hour && n != 1, limit == time.Nanosecond && n != 40:
			t.Errorf("limit %v: %d submits", limit, n)
		}
	}
}

func TestCancel(t *testing.T) {
	d, err := gpu.Open(t.Context(), gpu.Options{SubmitCap: time.Nanosecond})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	defer d.Close()
	e, err := d.Compile(chain(50, 64), map[string]gpu.Buffer{
		"x": gputest.Buffer(t, d, "x", make([]float32, 64)), "y": gputest.Buffer(t, d, "y", make([]float32, 64))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("run with a cancelled context: %v", err)
	}
	if err := d.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with a cancelled context: %v", err)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Errorf("run after a cancelled one: %v", err)
	}
}

func TestCompileErrors(t *testing.T) {
	d := gputest.OpenDefault(t)
	broken := gpu.Mix(1, 64, 0)
	broken.Kernel.Name, broken.Kernel.Source = "broken", strings.Replace(broken.Kernel.Source, "P.n", "P.nothing", 1)
	wide := gpu.Mix(1, 64, 0)
	wide.Groups[0] = 70000
	tests := []struct {
		name  string
		build func(p *gpu.Program, x, y gpu.View)
		want  []string
	}{
		{"shader", func(p *gpu.Program, x, y gpu.View) { p.Add("one", broken, x, y) }, []string{"kernel broken", "nothing", ":8:"}},
		{"groups", func(p *gpu.Program, x, y gpu.View) { p.Add("one", wide, x, y) }, []string{`0 "one"`, "workgroups a dimension: 70000 needed, 65535 offered"}},
		{"binding", func(p *gpu.Program, x, y gpu.View) {
			table := p.External("table", 40<<20)
			p.Add("one", gpu.Mix(1, 64, 0), table, y)
		}, []string{"buffer table of dispatch", "size of one storage binding: 160 MiB needed, 128 MiB offered"}},
		{"buffer", func(p *gpu.Program, x, y gpu.View) {
			table := p.Temp("table", 80<<20)
			p.Add("one", gpu.Mix(1, 64, 0), x, gpu.View{Buffer: table.Buffer, Size: 1024})
		}, []string{"buffer table[0:1024] of dispatch", "size of one buffer: 320 MiB needed, 256 MiB offered"}},
		{"external", func(p *gpu.Program, x, y gpu.View) {
			p.Add("one", gpu.Mix(1, 64, 0), p.External("missing", 64), y)
		}, []string{"external buffer missing was not given"}},
		{"external too small", func(p *gpu.Program, x, y gpu.View) {
			p.Add("one", gpu.Mix(1, 64, 0), p.External("small", 64), y)
		}, []string{"external buffer small has 16 bytes, needs 256"}},
		{"alias", func(p *gpu.Program, x, y gpu.View) {
			p.Add("one", gpu.Mix(1, 64, 0), p.External("alias", 64), y)
		}, []string{"gets the buffer alias as a and as y"}},
	}
	x, y := gputest.Buffer(t, d, "x", make([]float32, 64)), gputest.Buffer(t, d, "y", make([]float32, 64))
	externals := map[string]gpu.Buffer{"x": x, "y": y, "small": gputest.Buffer(t, d, "small", make([]float32, 4)), "alias": y}
	before := d.Allocated()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &gpu.Program{Name: "p"}
			test.build(p, p.External("x", 64), p.External("y", 64))
			_, err := d.Compile(p, externals)
			if err == nil {
				t.Fatal("no error")
			}
			t.Log(err)
			for _, w := range test.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error does not say %q", w)
				}
			}
			if after := d.Allocated(); after.Total() != before.Total() {
				t.Errorf("a failed compilation holds %d bytes", after.Total()-before.Total())
			}
		})
	}
}

// TestReferenceRefuses checks that the reference takes no program that a device
// would refuse: what passes on it alone proves nothing.
func TestReferenceRefuses(t *testing.T) {
	r := gpu.NewReference()
	x := gputest.Buffer(t, r, "x", make([]float32, 64))
	for name, build := range map[string]func(p *gpu.Program){
		"workgroups a dimension": func(p *gpu.Program) {
			wide := gpu.Mix(1, 64, 0)
			wide.Groups[0] = 70000
			p.Add("one", wide, p.External("x", 64), p.Temp("y", 64))
		},
		"gets the buffer x as a and as y": func(p *gpu.Program) {
			p.Add("one", gpu.Mix(1, 64, 0), p.External("x", 64), p.External("also x", 64))
		},
	} {
		p := &gpu.Program{Name: "p"}
		build(p)
		if _, err := r.Compile(p, map[string]gpu.Buffer{"x": x, "also x": x}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
}

// TestReleased checks that a program whose memory is gone says so and that a
// device takes with it what is left.
func TestReleased(t *testing.T) {
	d, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	x, err := d.NewBuffer("x", 256)
	if err != nil {
		t.Fatal(err)
	}
	y, err := d.NewBuffer("y", 256)
	if err != nil {
		t.Fatal(err)
	}
	p := &gpu.Program{Name: "p"}
	p.Add("one", gpu.Mix(1, 64, 0), p.External("x", 64), p.External("y", 64))
	e, err := d.Compile(p, map[string]gpu.Buffer{"x": x, "y": y})
	if err != nil {
		t.Fatal(err)
	}
	y.Release()
	if err := e.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "external buffer y was released") {
		t.Errorf("run over a released buffer: %v", err)
	}
	if _, err := d.Profile(t.Context(), e, 1); err == nil || !strings.Contains(err.Error(), "external buffer y was released") {
		t.Errorf("profile over a released buffer: %v", err)
	}
	d.Close()
	if a := d.Allocated(); a != (gpu.Allocated{Most: a.Most}) || a.Most == 0 {
		t.Errorf("after Close the device holds %+v", a)
	}
	e.Release()
	x.Release()
}

func TestPeakIsWhatTheDeviceIsAskedFor(t *testing.T) {
	d := gputest.Open(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range 10 {
		p := gpu.RandomProgram(r, 30)
		externals := map[string]gpu.Buffer{}
		for _, name := range []string{"x", "y"} {
			externals[name] = gputest.Buffer(t, d, name, make([]float32, 400))
		}
		before := d.Allocated()
		e, err := d.Compile(p, externals)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := errors.Join(e.Setup(t.Context()), e.Run(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		after := d.Allocated()
		if got := after.Programs() - before.Programs(); got != e.Plan().Peak() {
			t.Errorf("the device was asked for %d bytes, the plan says %d", got, e.Plan().Peak())
		}
		if after.Temps-before.Temps != e.Plan().Temps || after.Parameters != before.Parameters {
			t.Errorf("before %+v, after %+v, plan %d", before, after, e.Plan().Temps)
		}
		e.Release()
		if now := d.Allocated(); now.Programs() != before.Programs() || now.Buffers != before.Buffers {
			t.Errorf("after release %+v, before %+v", now, before)
		}
	}
}

func TestStats(t *testing.T) {
	d, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	defer d.Close()
	for _, want := range []int{1, 0} {
		e, err := d.Compile(chain(5, 64), map[string]gpu.Buffer{
			"x": gputest.Buffer(t, d, "x", make([]float32, 64)), "y": gputest.Buffer(t, d, "y", make([]float32, 64))})
		if err != nil {
			t.Fatal(err)
		}
		if s := e.Stats(); s.Compiled != want || s.Kernels != 1 || s.Dispatches != 5 || s.Compile <= 0 {
			t.Errorf("stats %+v, want %d compiled", s, want)
		}
		e.Release()
		if err := e.Run(t.Context()); err == nil {
			t.Error("a released executable runs")
		}
	}
}

func TestClosed(t *testing.T) {
	d, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		gputest.Unavailable(t, err.Error())
	}
	b, err := d.NewBuffer("b", 256)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	d.Close()
	b.Release()
	if _, err := d.NewBuffer("b", 16); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed device allocates: %v", err)
	}
	if err := b.Write(0, make([]byte, 4)); err == nil {
		t.Error("a buffer of a closed device can be written")
	}
}
