package bench

import (
	"context"
	"fmt"
	"time"

	"duet/gpu"
	"duet/shaders"
)

// Peak returns the best float32 GFLOP/s that the probes reach on a backend.
func Peak(ctx context.Context, backend gpu.Backend) (float64, error) {
	best := 0.0
	threads := shaders.ProbeThreads(backend.Info().Target)
	for _, l := range shaders.Probes(threads) {
		work := &Work{Program: &gpu.Program{Name: l.Kernel.Name}, Output: "c", Length: 1,
			Content: map[string][]float32{"a": constant(1024, 0.999), "b": constant(1024, 0.001)}}
		p := work.Program
		p.Add(l.Kernel.Name, l, p.External("a", 1024), p.External("b", 1024), p.External("c", 4*threads))
		b, err := Prepare(ctx, backend, Case{Name: l.Kernel.Name, Build: func(shaders.Target) (*Work, error) { return work, nil }})
		if err != nil {
			return 0, fmt.Errorf("bench: probing the peak: %w", err)
		}
		t, err := b.Median(ctx, 5, 200*time.Millisecond)
		b.Release()
		if err != nil {
			return 0, fmt.Errorf("bench: probing the peak: %w", err)
		}
		best = max(best, l.Flops/t.Seconds()/1e9)
	}
	return best, nil
}

func constant(n int, v float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// A Figure is the outcome of a case, in the command line's JSON.
type Figure struct {
	Case         string  `json:"case"`
	Adapter      string  `json:"adapter"`
	MS           float64 `json:"ms"` // median of a run with its read-back
	GFLOPS       float64 `json:"gflops"`
	PeakFraction float64 `json:"peak_fraction"` // of the best probe of the same run
	GBS          float64 `json:"gb_s"`          // bytes that the dispatches bind
	ColdMS       float64 `json:"cold_ms"`       // building, compiling and the first run
}

// Measure runs a case; peak is what [Peak] returned.
func Measure(ctx context.Context, backend gpu.Backend, c Case, peak float64) (Figure, error) {
	b, err := Prepare(ctx, backend, c)
	if err != nil {
		return Figure{}, err
	}
	defer b.Release()
	t, err := b.Median(ctx, 9, 3*time.Second)
	if err != nil {
		return Figure{}, fmt.Errorf("bench: %s: %w", c.Name, err)
	}
	gflops := b.Work.Flops() / t.Seconds() / 1e9
	return Figure{
		Case: c.Name, Adapter: backend.Info().Name, MS: t.Seconds() * 1e3, GFLOPS: gflops, PeakFraction: gflops / peak,
		GBS: b.Work.Bytes() / t.Seconds() / 1e9, ColdMS: b.Cold.Seconds() * 1e3,
	}, nil
}
