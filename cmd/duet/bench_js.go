package main

import (
	"context"
	"fmt"
	"sync"

	"duet/gpu"
	"duet/model/bench"
)

// benches are the prepared cases of bench.html.
type benches struct {
	mu       sync.Mutex
	prepared map[string]*bench.Bench
}

// benchList lists the cases for the adapter.
func (e *engine) benchList(request) (any, error) {
	var names []string
	for _, c := range bench.For(e.device.Info().Class) {
		names = append(names, c.Name)
	}
	return names, nil
}

// benchPrepare builds, compiles and first runs a case.
func (e *engine) benchPrepare(r request) (any, error) {
	c, err := bench.Find(r.arg(0).String())
	if err != nil {
		return nil, err
	}
	e.device.SetSubmitCap(gpu.DefaultSubmitCap) // nothing else is drawn meanwhile
	b, err := bench.Prepare(context.Background(), e.device, c)
	if err != nil {
		return nil, err
	}
	e.benches.mu.Lock()
	defer e.benches.mu.Unlock()
	if e.benches.prepared == nil {
		e.benches.prepared = map[string]*bench.Bench{}
	}
	if old := e.benches.prepared[c.Name]; old != nil {
		old.Release()
	}
	e.benches.prepared[c.Name] = b
	ms := func(s float64) float64 { return s * 1e3 }
	return map[string]any{
		"create_ms": ms(b.Create.Seconds()), "first_ms": ms((b.Cold - b.Create).Seconds()), "y": b.Y,
		"flops": b.Work.Flops(), "bytes": b.Work.Bytes(), "dispatches": len(b.Work.Program.Dispatch),
	}, nil
}

// benchRun runs a prepared case once and returns its milliseconds.
func (e *engine) benchRun(r request) (any, error) {
	e.benches.mu.Lock()
	defer e.benches.mu.Unlock()
	b := e.benches.prepared[r.arg(0).String()]
	if b == nil {
		return nil, fmt.Errorf("bench: %s is not prepared", r.arg(0).String())
	}
	t, err := b.Run(context.Background())
	return t.Seconds() * 1e3, err
}

// benchDispose releases a prepared case.
func (e *engine) benchDispose(r request) (any, error) {
	e.benches.mu.Lock()
	defer e.benches.mu.Unlock()
	name := r.arg(0).String()
	if b := e.benches.prepared[name]; b != nil {
		b.Release()
		delete(e.benches.prepared, name)
	}
	return true, nil
}
