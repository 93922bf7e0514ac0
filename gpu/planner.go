package gpu

import (
	"context"
	"errors"
	"fmt"

	"duet/gpu/adapter"
)

// A Planner is a backend that plans and counts and computes nothing: what a
// device would be asked for is known before one byte is. Buffers remember their
// size, reads give zeros, programs are planned and refuse to run. It implements
// [Backend].
type Planner struct {
	info  Info
	bytes int64
	most  int64
}

// NewPlanner returns a planner with the limits of an adapter.
func NewPlanner(info Info) *Planner { return &Planner{info: info} }

// Info describes the adapter that is planned for.
func (p *Planner) Info() Info { return p.info }

// Most is the largest number of bytes that was held at once, those of programs
// included.
func (p *Planner) Most() int64 { return p.most }

// Close has nothing to release.
func (p *Planner) Close() {}

func (p *Planner) add(bytes int64) {
	p.bytes += bytes
	p.most = max(p.most, p.bytes)
}

type plannedBuffer struct {
	p    *Planner
	size int64
}

// NewBuffer returns a buffer without memory.
func (p *Planner) NewBuffer(label string, size int64) (Buffer, error) {
	if size > p.info.Limits.BufferSize {
		return nil, fmt.Errorf("gpu: allocating %s (%s): %w: more than the adapter's largest buffer, %s", label, Size(size), adapter.ErrMemory, Size(p.info.Limits.BufferSize))
	}
	p.add(size)
	return &plannedBuffer{p, size}, nil
}

func (b *plannedBuffer) Size() int64               { return b.size }
func (b *plannedBuffer) Write(int64, []byte) error { return nil }
func (b *plannedBuffer) Read(_ int64, data []byte) error {
	clear(data)
	return nil
}
func (b *plannedBuffer) Release() {
	b.p.add(-b.size)
	b.size = 0
}

type plannedExecutable struct {
	p        *Planner
	plan     *Plan
	released bool
}

// Compile plans the program's memory.
func (p *Planner) Compile(program *Program, externals map[string]Buffer) (Executable, error) {
	plan, err := NewPlan(program)
	if err == nil {
		err = program.fits(p.info.Limits)
	}
	if err == nil {
		err = program.clash(externals)
	}
	if err != nil {
		return nil, fmt.Errorf("gpu: planning %s for %s: %w", program.Name, p.info.Name, err)
	}
	p.add(plan.Peak())
	return &plannedExecutable{p: p, plan: plan}, nil
}

var errPlanned = errors.New("gpu: a planner runs nothing")

func (e *plannedExecutable) Setup(context.Context) error { return nil }
func (e *plannedExecutable) Run(context.Context) error   { return errPlanned }
func (e *plannedExecutable) Plan() *Plan                 { return e.plan }
func (e *plannedExecutable) Stats() Stats                { return Stats{Dispatches: len(e.plan.Program.Dispatch)} }
func (e *plannedExecutable) Release() {
	if !e.released {
		e.released = true
		e.p.add(-e.plan.Peak())
	}
}
