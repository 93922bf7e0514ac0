// Package gputest opens devices for tests.
package gputest

import (
	"context"
	"os"
	"sync"
	"testing"

	"duet/gpu"
	"duet/shaders"
)

// A shared device is opened once per test binary and never closed: opening is
// slow and drivers leak a little with each.
type shared struct {
	once   sync.Once
	device *gpu.Device
	err    error
}

var full, plain shared

// Open returns the device of the best adapter with all it offers. Where there
// is none the test is skipped with the reason, or fails when CI=true.
func Open(t testing.TB) *gpu.Device { return full.open(t, gpu.Options{}) }

// OpenDefault returns a device with WebGPU's default limits: a kernel or a
// program that runs there runs everywhere.
func OpenDefault(t testing.TB) *gpu.Device {
	return plain.open(t, gpu.Options{DefaultLimits: true})
}

// With returns the device for programs of another target's kernels: those of GPUs
// run on CPU adapters, too.
func With(d *gpu.Device, target shaders.Target) gpu.Backend { return targeted{d, target} }

type targeted struct {
	*gpu.Device
	target shaders.Target
}

func (t targeted) Info() gpu.Info {
	i := t.Device.Info()
	i.Target = t.target
	return i
}

func (s *shared) open(t testing.TB, o gpu.Options) *gpu.Device {
	t.Helper()
	s.once.Do(func() { s.device, s.err = gpu.Open(context.Background(), o) })
	if s.err != nil {
		Unavailable(t, s.err.Error())
	}
	return s.device
}

// Unavailable ends a test that cannot run here: it fails in CI and is skipped
// with the reason elsewhere.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("cannot run in CI: ", reason)
	}
	t.Skip(reason)
}

// Buffer returns a buffer that holds values and is released with the test.
func Buffer(t testing.TB, b gpu.Backend, label string, values []float32) gpu.Buffer {
	t.Helper()
	data := gpu.Floats(values)
	buffer, err := b.NewBuffer(label, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(buffer.Release)
	if err := buffer.Write(0, data); err != nil {
		t.Fatal(err)
	}
	return buffer
}

// Run runs a program once, set-up included, over externals filled with values,
// and returns the contents of all externals afterwards.
func Run(t testing.TB, b gpu.Backend, p *gpu.Program, values map[string][]float32) map[string][]float32 {
	t.Helper()
	externals := map[string]gpu.Buffer{}
	for _, spec := range p.Buffers {
		if spec.Kind == gpu.External {
			v := make([]float32, spec.Size/4)
			copy(v, values[spec.Name])
			externals[spec.Name] = Buffer(t, b, spec.Name, v)
		}
	}
	e, err := b.Compile(p, externals)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	for _, run := range []func(context.Context) error{e.Setup, e.Run} {
		if err := run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string][]float32{}
	for _, spec := range p.Buffers {
		if spec.Kind == gpu.External {
			if out[spec.Name], err = gpu.ReadFloats(externals[spec.Name], spec.Words); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}
