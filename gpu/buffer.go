package gpu

import (
	"context"
	"errors"
	"fmt"

	"duet/gpu/adapter"
)

// A deviceBuffer is memory of a Device.
type deviceBuffer struct {
	d     *Device
	label string
	size  int64
	memory
	released bool
}

// NewBuffer returns a zeroed buffer of size bytes, a multiple of 16.
func (d *Device) NewBuffer(label string, size int64) (Buffer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return nil, fmt.Errorf("gpu: allocating %s: %w", label, err)
	}
	var b *deviceBuffer
	err := d.guarded(func() (err error) {
		b, err = d.allocate(label, size, forParameters)
		return err
	})
	if err != nil {
		if b != nil {
			d.release(b)
		}
		return nil, fmt.Errorf("gpu: allocating %s (%s): %w", label, Size(size), err)
	}
	return b, nil
}

// guarded runs f and returns its error, or that of the device where the
// platform reports errors later (in the browser).
func (d *Device) guarded(f func() error) error {
	d.guard()
	err := f()
	if late := d.settle(); late != nil {
		return late
	}
	return err
}

// allocate asks the device for a buffer and counts it; call it inside guarded.
func (d *Device) allocate(label string, size int64, f purpose) (*deviceBuffer, error) {
	if size <= 0 || size%16 != 0 {
		return nil, fmt.Errorf("size %d is not a positive multiple of 16", size)
	}
	if size > d.info.Limits.BufferSize {
		return nil, fmt.Errorf("%w: more than the adapter's largest buffer, %s", adapter.ErrMemory, Size(d.info.Limits.BufferSize))
	}
	m, err := d.newMemory(label, size, f)
	if err != nil {
		return nil, err
	}
	b := &deviceBuffer{d: d, label: label, size: size, memory: m}
	d.ledger.add(b, f)
	return b, nil
}

func (d *Device) release(b *deviceBuffer) {
	if !b.released {
		b.released = true
		d.ledger.remove(b)
		b.memory.free()
	}
}

// Size returns the size in bytes.
func (b *deviceBuffer) Size() int64 { return b.size }

// Release frees the buffer once the work that uses it is done.
func (b *deviceBuffer) Release() {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if !b.d.closed {
		b.d.release(b)
	}
}

// Write copies data to offset; both are multiples of 4 bytes. Work submitted
// before still sees the old content.
func (b *deviceBuffer) Write(offset int64, data []byte) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	err := b.check(offset, len(data))
	if err == nil && len(data) > 0 {
		err = b.d.write(b, offset, data)
	}
	if err != nil {
		return fmt.Errorf("gpu: writing %s: %w", b.label, err)
	}
	return nil
}

// Read waits for all work submitted before and copies len(data) bytes from
// offset; both are multiples of 4.
func (b *deviceBuffer) Read(offset int64, data []byte) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	err := b.check(offset, len(data))
	for len(data) > 0 && err == nil {
		n := min(len(data), maxStaging)
		err = b.d.readStaged(b, offset, data[:n])
		offset, data = offset+int64(n), data[n:]
	}
	if err != nil {
		return fmt.Errorf("gpu: reading %s: %w", b.label, err)
	}
	return nil
}

func (b *deviceBuffer) check(offset int64, n int) error {
	err := b.d.usable()
	switch {
	case err != nil:
		return err
	case b.released:
		return errors.New("the buffer was released")
	case offset < 0 || offset%4 != 0 || n%4 != 0 || offset+int64(n) > b.size:
		return fmt.Errorf("bytes %d to %d of %d are out of range or not whole words", offset, offset+int64(n), b.size)
	}
	return nil
}

// The staging buffer grows to what is read, up to maxStaging; longer reads go
// in pieces.
const (
	minStaging = 64 << 10
	maxStaging = 32 << 20
)

// readStaged copies one piece through the staging buffer. It is the only place
// where the device's memory is mapped.
func (d *Device) readStaged(b *deviceBuffer, offset int64, data []byte) error {
	if d.staging == nil || d.staging.size < int64(len(data)) {
		size := int64(minStaging)
		for size < int64(len(data)) {
			size *= 2
		}
		if d.staging != nil {
			d.release(d.staging)
			d.staging = nil
		}
		s, err := d.allocate("staging", size, forStaging)
		if err != nil {
			return err
		}
		d.staging = s
	}
	if err := d.readback(context.Background(), b, offset, data); err != nil {
		return err
	}
	return d.usable()
}
