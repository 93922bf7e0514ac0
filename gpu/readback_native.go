//go:build !js

package gpu

import (
	"context"
	"errors"
	"fmt"

	"duet/gpu/adapter"

	"github.com/cogentcore/webgpu/wgpu"
)

// memory is a buffer of the native library.
type memory struct{ buffer *wgpu.Buffer }

func (m memory) free() {
	m.buffer.Destroy()
	m.buffer.Release()
}

func usage(f purpose) wgpu.BufferUsage {
	switch f {
	case forStaging:
		return wgpu.BufferUsageMapRead | wgpu.BufferUsageCopyDst
	case forQueries:
		return wgpu.BufferUsageQueryResolve | wgpu.BufferUsageCopySrc
	case forUniforms:
		return wgpu.BufferUsageUniform | wgpu.BufferUsageCopyDst
	}
	return wgpu.BufferUsageStorage | wgpu.BufferUsageCopyDst | wgpu.BufferUsageCopySrc
}

// newMemory asks the library for a buffer, which WebGPU zeroes.
func (h *handle) newMemory(label string, size int64, f purpose) (memory, error) {
	b, err := h.device.CreateBuffer(&wgpu.BufferDescriptor{Label: label, Size: uint64(size), Usage: usage(f)})
	var wrong *wgpu.Error
	if errors.As(err, &wrong) && wrong.Type == wgpu.ErrorTypeOutOfMemory {
		err = fmt.Errorf("%w: %w", adapter.ErrMemory, err)
	}
	return memory{b}, err
}

// guard and settle have nothing to do: the library reports errors at once.
func (h *handle) guard()        {}
func (h *handle) settle() error { return nil }

// maxUnsent bounds the bytes written between two submits: the library keeps a
// copy of each write until then.
const maxUnsent = 64 << 20

func (d *Device) write(b *deviceBuffer, offset int64, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), maxUnsent)
		if err := d.queue.WriteBuffer(b.buffer, uint64(offset), data[:n]); err != nil {
			return err
		}
		offset, data = offset+int64(n), data[n:]
		if d.unsent += int64(n); d.unsent >= maxUnsent {
			d.unsent = 0
			number := d.send()
			if err := d.await(context.Background(), func() bool { return d.done() >= number }); err != nil {
				return err
			}
		}
	}
	return nil
}

// send submits commands and returns the submission's number.
func (h *handle) send(commands ...*wgpu.CommandBuffer) uint64 {
	h.queue.Submit(commands...)
	h.progress.notify(h.queue)
	h.sent++
	h.unsent = 0
	return h.sent
}

// mapDeviceLost is WGPUBufferMapAsyncStatus_DeviceLost.
const mapDeviceLost = 3

func (d *Device) readback(ctx context.Context, b *deviceBuffer, offset int64, data []byte) error {
	encoder, err := d.device.CreateCommandEncoder(nil)
	if err != nil {
		return err
	}
	defer encoder.Release()
	if err := encoder.CopyBufferToBuffer(b.buffer, uint64(offset), d.staging.buffer, 0, uint64(len(data))); err != nil {
		return err
	}
	commands, err := encoder.Finish(nil)
	if err != nil {
		return err
	}
	d.send(commands)
	commands.Release()
	d.handle.progress.mapRead(d.staging.buffer, len(data))
	err = d.await(ctx, func() bool {
		d.retire()
		return d.handle.progress.mapped() >= 0
	})
	if err != nil {
		return err
	}
	switch status := d.handle.progress.mapped(); status {
	case 0:
	case mapDeviceLost:
		d.report(fmt.Errorf("%w while reading %s", ErrLost, b.label))
		return d.usable()
	default:
		return fmt.Errorf("mapping failed with status %d", status)
	}
	copy(data, d.staging.buffer.GetMappedRange(0, uint(len(data))))
	return d.staging.buffer.Unmap()
}
