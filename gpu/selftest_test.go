package gpu_test

import (
	"strings"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

func TestSelfTest(t *testing.T) {
	for _, b := range backends(t) {
		begun := time.Now()
		if err := gpu.SelfTest(t.Context(), b); err != nil {
			t.Error(err)
		}
		t.Logf("%s: %v", b.Info().Name, time.Since(begun))
	}
}

// A liar is a device that returns a wrong number from every buffer's tenth word.
type liar struct{ *gpu.Device }

type lyingBuffer struct{ gpu.Buffer }

func (l liar) NewBuffer(label string, size int64) (gpu.Buffer, error) {
	b, err := l.Device.NewBuffer(label, size)
	return lyingBuffer{b}, err
}

func (l liar) Compile(p *gpu.Program, externals map[string]gpu.Buffer) (gpu.Executable, error) {
	honest := map[string]gpu.Buffer{}
	for name, b := range externals {
		honest[name] = b.(lyingBuffer).Buffer
	}
	return l.Device.Compile(p, honest)
}

func (b lyingBuffer) Read(offset int64, data []byte) error {
	err := b.Buffer.Read(offset, data)
	data[4*10+3] ^= 0x40
	return err
}

func TestSelfTestNamesTheKernel(t *testing.T) {
	err := gpu.SelfTest(t.Context(), liar{gputest.Open(t)})
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	for _, want := range []string{gputest.Open(t).Info().Name, "conv2d", "[10]", gpu.AdapterVariable} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q", want)
		}
	}
}

// A half is a device that does badly with workgroup memory.
type half struct {
	*gpu.Device
	target shaders.Target
}

func (h *half) Info() gpu.Info {
	i := h.Device.Info()
	i.Target = h.target
	return i
}

func (h *half) NewBuffer(label string, size int64) (gpu.Buffer, error) {
	b, err := h.Device.NewBuffer(label, size)
	return halfBuffer{b, h}, err
}

func (h *half) Compile(p *gpu.Program, externals map[string]gpu.Buffer) (gpu.Executable, error) {
	honest := map[string]gpu.Buffer{}
	for name, b := range externals {
		honest[name] = b.(halfBuffer).Buffer
	}
	return h.Device.Compile(p, honest)
}

type halfBuffer struct {
	gpu.Buffer
	of *half
}

func (b halfBuffer) Read(offset int64, data []byte) error {
	err := b.Buffer.Read(offset, data)
	if b.of.target == shaders.GPU {
		data[4*10+3] ^= 0x40
	}
	return err
}

func TestSelfTestFallsBack(t *testing.T) {
	t.Setenv(gpu.KernelsVariable, "")
	h := &half{gputest.Open(t), shaders.GPU}
	choose := func(target shaders.Target) { h.target = target }
	if err := gpu.SelfTestOrFallBack(t.Context(), h, choose); err != nil || h.target != shaders.CPU {
		t.Errorf("target %d, error %v; want the kernels for CPUs", h.target, err)
	}
	h.target = shaders.GPU
	t.Setenv(gpu.KernelsVariable, "gpu")
	if err := gpu.SelfTestOrFallBack(t.Context(), h, choose); err == nil || h.target != shaders.GPU {
		t.Errorf("target %d, error %v; want an error where kernels were asked for", h.target, err)
	}
}
