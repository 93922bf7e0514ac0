//go:build !js

package gpu

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/cogentcore/webgpu/wgpu"
)

// maxTimed is the number of dispatches timed in one submit; WebGPU allows 4,096
// timestamps a query set.
const maxTimed = 4095

// timeDispatches times each dispatch by the device's clock: a pass of its own
// between two timestamps, since the library has none inside passes.
func (d *Device) timeDispatches(ctx context.Context, s *sequence) ([]time.Duration, string, error) {
	if !d.timing {
		return d.timeOneByOne(ctx, s)
	}
	set, err := d.device.CreateQuerySet(&wgpu.QuerySetDescriptor{Type: wgpu.QueryTypeTimestamp, Count: maxTimed + 1})
	if err != nil {
		return nil, "", err
	}
	defer set.Release()
	resolved, err := d.allocate("timestamps", 8*(maxTimed+1), forQueries)
	if err != nil {
		return nil, "", err
	}
	defer d.release(resolved)
	for i := range s.expected {
		s.expected[i] = s.nominal[i] * *s.factors[i]
	}
	times := make([]time.Duration, 0, len(s.list))
	from := 0
	for _, end := range split(nil, s.expected, d.limit.Seconds()) {
		for from < end {
			to := min(end, from+maxTimed)
			ticks, wall, err := d.timeChunk(ctx, s, set, resolved, from, to)
			if err != nil {
				return nil, "", err
			}
			nanoseconds := tick(ticks[len(ticks)-1]-ticks[0], wall)
			for i := range to - from {
				times = append(times, time.Duration(float64(ticks[i+1]-ticks[i])*nanoseconds))
			}
			from = to
		}
	}
	return times, "device timestamps", nil
}

// timeChunk replays some dispatches and returns the clock before each and after
// the last, and the time it all took.
func (d *Device) timeChunk(ctx context.Context, s *sequence, set *wgpu.QuerySet, resolved *deviceBuffer, from, to int) ([]uint64, time.Duration, error) {
	if err := d.drain(ctx, 0); err != nil {
		return nil, 0, err
	}
	encoder, err := d.device.CreateCommandEncoder(nil)
	if err != nil {
		return nil, 0, err
	}
	defer encoder.Release()
	for i := from; i < to; i++ {
		if err := encoder.WriteTimestamp(set, uint32(i-from)); err != nil {
			return nil, 0, err
		}
		if err := s.encode(encoder, i, i+1); err != nil {
			return nil, 0, err
		}
	}
	n := to - from + 1
	if err := encoder.WriteTimestamp(set, uint32(n-1)); err != nil {
		return nil, 0, err
	}
	if err := encoder.ResolveQuerySet(set, 0, uint32(n), resolved.buffer, 0); err != nil {
		return nil, 0, err
	}
	commands, err := encoder.Finish(nil)
	if err != nil {
		return nil, 0, err
	}
	defer commands.Release()
	begun := time.Now()
	number := d.send(commands)
	if err := d.await(ctx, func() bool { return d.done() >= number }); err != nil {
		return nil, 0, err
	}
	wall := time.Since(begun)
	data := make([]byte, 8*n)
	if err := d.readStaged(resolved, 0, data); err != nil {
		return nil, 0, err
	}
	ticks := make([]uint64, n)
	for i := range ticks {
		ticks[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return ticks, wall, nil
}

// tick returns the nanoseconds of a tick of the device's clock. The library does
// not tell it; on most devices it is one, elsewhere the whole replay's time tells.
func tick(ticks uint64, wall time.Duration) float64 {
	ratio := float64(wall.Nanoseconds()) / max(float64(ticks), 1)
	if ratio < 2 || wall < 5*time.Millisecond {
		return 1
	}
	return ratio
}
