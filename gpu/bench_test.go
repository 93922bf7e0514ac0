package gpu_test

import (
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
)

// BenchmarkReplay replays 500 dispatches of one workgroup each and reports what
// a dispatch costs: the caller (encoding and submitting), and altogether.
func BenchmarkReplay(b *testing.B) {
	d := gputest.Open(b)
	const dispatches = 500
	x := map[string]gpu.Buffer{"x": gputest.Buffer(b, d, "x", make([]float32, 64)), "y": gputest.Buffer(b, d, "y", make([]float32, 64))}
	e, err := d.Compile(chain(dispatches, 64), x)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Release()
	d.SetSubmitCap(time.Minute)
	defer d.SetSubmitCap(gpu.DefaultSubmitCap)
	var calling, all time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := e.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
		calling += time.Since(begun)
		if err := d.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		all += time.Since(begun)
	}
	b.ReportMetric(float64(calling.Nanoseconds())/float64(b.N*dispatches), "call-ns/dispatch")
	b.ReportMetric(float64(all.Nanoseconds())/float64(b.N*dispatches), "ns/dispatch")
}

// BenchmarkRoundTrip reads four words back after an empty replay.
func BenchmarkRoundTrip(b *testing.B) {
	d := gputest.Open(b)
	y := gputest.Buffer(b, d, "y", make([]float32, 64))
	e, err := d.Compile(chain(1, 64), map[string]gpu.Buffer{"x": gputest.Buffer(b, d, "x", make([]float32, 64)), "y": y})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Release()
	data := make([]byte, 16)
	for b.Loop() {
		if err := e.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := y.Read(0, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTransfer(b *testing.B) {
	d := gputest.Open(b)
	const bytes = 64 << 20
	buffer, err := d.NewBuffer("buffer", bytes)
	if err != nil {
		b.Fatal(err)
	}
	defer buffer.Release()
	data := make([]byte, bytes)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			if err := buffer.Write(0, data); err != nil {
				b.Fatal(err)
			}
			if err := d.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			if err := buffer.Read(0, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
