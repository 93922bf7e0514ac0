package gpu

import (
	"cmp"
	"context"
	"fmt"
	"syscall/js"
	"time"

	"duet/gpu/adapter"
	"duet/gpu/promise"
)

// memory is a GPUBuffer.
type memory struct{ buffer js.Value }

func (m memory) free() { m.buffer.Call("destroy") }

// WebGPU's buffer usages.
const (
	usageMapRead = 0x01
	usageCopySrc = 0x04
	usageCopyDst = 0x08
	usageUniform = 0x40
	usageStorage = 0x80
	mapModeRead  = 0x01
)

func usage(f purpose) int {
	switch f {
	case forStaging:
		return usageMapRead | usageCopyDst
	case forUniforms:
		return usageUniform | usageCopyDst
	}
	return usageStorage | usageCopyDst | usageCopySrc
}

// newMemory asks the browser for a buffer, which WebGPU zeroes.
func (h *handle) newMemory(label string, size int64, f purpose) (m memory, err error) {
	err = promise.Try(func() {
		m.buffer = h.device.Call("createBuffer", map[string]any{"label": label, "size": size, "usage": usage(f)})
	})
	return m, err
}

// guard catches the errors of what follows; settle returns the first of them.
func (h *handle) guard() {
	h.device.Call("pushErrorScope", "out-of-memory")
	h.device.Call("pushErrorScope", "validation")
}

func (h *handle) settle() error {
	validation := h.device.Call("popErrorScope")
	memory := h.device.Call("popErrorScope")
	if err := scoped(validation); err != nil {
		return err
	}
	if err := scoped(memory); err != nil {
		return fmt.Errorf("%w: %w", adapter.ErrMemory, err)
	}
	return nil
}

func scoped(popped js.Value) error {
	e, err := promise.Await(context.Background(), popped)
	if err == nil && e.Truthy() {
		err = promise.ErrorOf(e)
	}
	return err
}

// bytes returns a Uint8Array of at least n bytes, used anew each time.
func (h *handle) bytes(n int) js.Value {
	if h.scratch.IsUndefined() || h.scratch.Length() < n {
		h.scratch = js.Global().Get("Uint8Array").New(max(n, minStaging))
	}
	return h.scratch
}

func (d *Device) write(b *deviceBuffer, offset int64, data []byte) error {
	return promise.Try(func() {
		for len(data) > 0 {
			n := min(len(data), maxStaging)
			scratch := d.bytes(n)
			js.CopyBytesToJS(scratch, data[:n])
			d.queue.Call("writeBuffer", b.buffer, offset, scratch, 0, n)
			offset, data = offset+int64(n), data[n:]
		}
	})
}

func (d *Device) readback(ctx context.Context, b *deviceBuffer, offset int64, data []byte) error {
	staging := d.staging.buffer
	var mapped js.Value
	err := promise.Try(func() {
		encoder := d.handle.device.Call("createCommandEncoder")
		encoder.Call("copyBufferToBuffer", b.buffer, offset, staging, 0, len(data))
		d.queue.Call("submit", list(encoder.Call("finish")))
		mapped = staging.Call("mapAsync", mapModeRead, 0, len(data))
	})
	if err != nil {
		return err
	}
	if _, err := promise.Await(ctx, mapped); err != nil {
		return d.orLost(ctx, err)
	}
	return promise.Try(func() {
		js.CopyBytesToGo(data, js.Global().Get("Uint8Array").New(staging.Call("getMappedRange", 0, len(data))))
		staging.Call("unmap")
	})
}

// lossNotice is how long after the first failure the browser may say that the
// device is lost.
const lossNotice = time.Second

// orLost returns why the device was lost where that is why something failed.
func (d *Device) orLost(ctx context.Context, err error) error {
	if ctx.Err() == nil && d.gone() == nil {
		waiting, end := context.WithTimeout(ctx, lossNotice)
		defer end()
		promise.Await(waiting, d.handle.device.Get("lost")) // onLost is told first
	}
	return cmp.Or(d.gone(), err)
}
