package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Profile is the time of every dispatch of a program.
type Profile struct {
	Program    string
	Adapter    string
	Timer      string // how the times were taken
	Runs       int    // replays; times are medians over them
	Dispatches []Timing
}

// A Timing is the time of one dispatch, or of all of a kernel.
type Timing struct {
	Label  string
	Kernel string
	Count  int
	Time   time.Duration
	Flops  float64 // useful floating-point operations
	Bytes  int64   // sizes of the arguments, an upper bound of the bytes moved
}

// GFLOPS is the rate of useful arithmetic in GFLOP/s.
func (t Timing) GFLOPS() float64 { return t.Flops / max(t.Time.Seconds(), 1e-9) / 1e9 }

// GBS is the rate at which the arguments pass, in GB/s.
func (t Timing) GBS() float64 { return float64(t.Bytes) / max(t.Time.Seconds(), 1e-9) / 1e9 }

// Profile replays a program of this device a few times, timing every dispatch:
// by the device's clock where it has one, else by submitting them one by one.
// The replays change the program's externals as Run does.
func (d *Device) Profile(ctx context.Context, x Executable, runs int) (*Profile, error) {
	e, ok := x.(*executable)
	if !ok || e.d != d {
		return nil, errors.New("gpu: profiling: the program was compiled by another backend")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := e.plan.Program.Name
	if err := e.usable(); err != nil {
		return nil, fmt.Errorf("gpu: profiling %s: %w", name, err)
	}
	p := &Profile{Program: name, Adapter: d.info.Name, Runs: max(runs, 1)}
	samples := make([][]time.Duration, len(e.run.list))
	for range p.Runs {
		times, timer, err := d.timeDispatches(ctx, &e.run)
		if err != nil {
			return nil, fmt.Errorf("gpu: profiling %s: %w", name, err)
		}
		if err := d.usable(); err != nil { // what came up while timing
			return nil, fmt.Errorf("gpu: profiling %s: %w", name, err)
		}
		p.Timer = timer
		for i, t := range times {
			samples[i] = append(samples[i], t)
		}
	}
	for i := range e.run.list {
		x := &e.run.list[i]
		slices.Sort(samples[i])
		p.Dispatches = append(p.Dispatches, Timing{
			Label: x.Label, Kernel: x.Kernel.Name, Count: 1, Time: samples[i][len(samples[i])/2], Flops: x.Flops, Bytes: x.Bytes(),
		})
	}
	return p, nil
}

// timeOneByOne times each dispatch as a submit of its own.
func (d *Device) timeOneByOne(ctx context.Context, s *sequence) ([]time.Duration, string, error) {
	times := make([]time.Duration, len(s.list))
	if err := d.drain(ctx, 0); err != nil {
		return nil, "", err
	}
	for i := range s.list {
		begun := time.Now()
		if err := d.launch(s, i, i+1); err != nil {
			return nil, "", err
		}
		if err := d.drain(ctx, 0); err != nil {
			return nil, "", err
		}
		times[i] = time.Since(begun)
	}
	return times, "one submit a dispatch, its overhead included", nil
}

// Total is the time of all dispatches.
func (p *Profile) Total() Timing {
	t := Timing{Label: "total"}
	for _, d := range p.Dispatches {
		t.add(d)
	}
	return t
}

func (t *Timing) add(d Timing) {
	t.Count += d.Count
	t.Time += d.Time
	t.Flops += d.Flops
	t.Bytes += d.Bytes
}

// Kernels sums the dispatches by kernel, the slowest kernel first.
func (p *Profile) Kernels() []Timing {
	var kernels []Timing
	index := map[string]int{}
	for _, d := range p.Dispatches {
		i, ok := index[d.Kernel]
		if !ok {
			i = len(kernels)
			index[d.Kernel] = i
			kernels = append(kernels, Timing{Kernel: d.Kernel})
		}
		kernels[i].add(d)
	}
	slices.SortStableFunc(kernels, func(a, b Timing) int { return cmp.Compare(b.Time, a.Time) })
	return kernels
}

// String prints a table of kernels, the slowest first, then of all dispatches.
func (p *Profile) String() string {
	var s strings.Builder
	total := p.Total()
	fmt.Fprintf(&s, "profile of %s on %s: %d dispatches, median of %d, %s\n", p.Program, p.Adapter, total.Count, p.Runs, p.Timer)
	row := func(t Timing, count, name string) {
		fmt.Fprintf(&s, "%10.3f ms %5.1f%% %9.2f GFLOP/s %8.2f GB/s %5s  %s\n",
			float64(t.Time.Nanoseconds())/1e6, 100*t.Time.Seconds()/max(total.Time.Seconds(), 1e-12), t.GFLOPS(), t.GBS(), count, name)
	}
	row(total, fmt.Sprint("×", total.Count), "total")
	for _, k := range p.Kernels() {
		row(k, fmt.Sprint("×", k.Count), k.Kernel)
	}
	s.WriteString("by dispatch\n")
	for i, d := range p.Dispatches {
		row(d, fmt.Sprint(i), d.Label+" ("+d.Kernel+")")
	}
	return s.String()
}
