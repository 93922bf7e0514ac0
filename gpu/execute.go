package gpu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"duet/shaders"
)

// An executable is a program compiled for a Device.
type executable struct {
	d        *Device
	plan     *Plan
	stats    Stats
	owned    []*deviceBuffer
	given    []*deviceBuffer // the externals
	setup    sequence
	run      sequence
	released bool
}

// A sequence is a list of dispatches ready to be replayed.
type sequence struct {
	title    string
	list     []Dispatch
	nominal  []float64  // by dispatch: seconds at the adapter's assumed rate
	factors  []*float64 // by dispatch: what its kernel was measured to take of that
	expected []float64  // scratch: nominal times factor
	ends     []int      // scratch: where the replay is split
	encoded             // the platform's pipelines and bind groups
}

// A bound is one buffer of a bind group.
type bound struct {
	index  int
	buffer *deviceBuffer
	offset int64
	size   int64
}

// Compile plans the program's memory, allocates it, and builds pipelines and
// bind groups. Pipelines are cached by source for the life of the device.
func (d *Device) Compile(p *Program, externals map[string]Buffer) (Executable, error) {
	begun := time.Now()
	plan, err := NewPlan(p)
	if err != nil {
		return nil, err
	}
	e := &executable{d: d, plan: plan}
	err = p.fits(d.info.Limits)
	if err == nil {
		err = d.compile(e, externals)
	}
	if err != nil {
		return nil, fmt.Errorf("gpu: compiling %s for %s: %w", p.Name, d.info.Name, err)
	}
	e.stats.Dispatches = len(p.Dispatch)
	e.stats.Compile = time.Since(begun)
	return e, nil
}

func (d *Device) compile(e *executable, externals map[string]Buffer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return err
	}
	p := e.plan.Program
	memory, err := d.externals(e.plan, externals)
	if err == nil {
		err = p.clash(externals)
	}
	if err != nil {
		return err
	}
	for _, m := range memory {
		if m != nil {
			e.given = append(e.given, m)
		}
	}
	if err := d.build(e); err != nil {
		return err
	}
	e.setup = d.sequence("setting up "+p.Name, p.Setup)
	e.run = d.sequence("running "+p.Name, p.Dispatch)
	err = d.guarded(func() error {
		if err := e.allocate(memory); err != nil {
			return err
		}
		return e.bind(memory)
	})
	if err != nil {
		e.free()
		return err
	}
	d.programs[e] = true
	return nil
}

// usable reports why the program cannot run. Memory that was released under it
// would end the process natively.
func (e *executable) usable() error {
	if err := e.d.usable(); err != nil {
		return err
	}
	if e.released {
		return errors.New("the executable was released")
	}
	for _, b := range e.given {
		if b.released {
			return fmt.Errorf("its external buffer %s was released", b.label)
		}
	}
	return nil
}

// build makes the pipelines that the program needs and the device lacks.
func (d *Device) build(e *executable) error {
	p := e.plan.Program
	known := map[string]bool{}
	var kernels []shaders.Kernel
	for t := range len(p.Setup) + len(p.Dispatch) {
		if k := p.at(t).Kernel; !known[k.Source] {
			known[k.Source] = true
			kernels = append(kernels, k)
		}
	}
	var err error
	e.stats.Kernels = len(kernels)
	e.stats.Compiled, err = d.prepare(kernels)
	return err
}

// Prepare builds the pipelines of kernels, so that compiling a program that
// uses them takes no time for it. The error names the kernel and, for a mistake
// in its WGSL, the line.
func (d *Device) Prepare(kernels []shaders.Kernel) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.usable()
	if err == nil {
		_, err = d.prepare(kernels)
	}
	if err != nil {
		return fmt.Errorf("gpu: building pipelines for %s: %w", d.info.Name, err)
	}
	return nil
}

// prepare returns how many pipelines the device lacked.
func (d *Device) prepare(kernels []shaders.Kernel) (int, error) {
	var missing []shaders.Kernel
	for _, k := range kernels {
		if d.pipelines[k.Source] == nil {
			missing = append(missing, k)
		}
	}
	return len(missing), d.buildPipelines(missing, func(i int, pipe *pipeline) {
		d.pipelines[missing[i].Source] = pipe
		if d.progress != nil {
			d.progress(i+1, len(missing), missing[i].Name)
		}
	})
}

// externals returns the memory of each external buffer of the program by its
// index, the others nil.
func (d *Device) externals(plan *Plan, given map[string]Buffer) ([]*deviceBuffer, error) {
	p := plan.Program
	memory := make([]*deviceBuffer, len(p.Buffers))
	for i, b := range p.Buffers {
		if b.Kind != External || !plan.Spans[i].Used() {
			continue
		}
		m, ok := given[b.Name].(*deviceBuffer)
		switch {
		case !ok || m == nil:
			return nil, fmt.Errorf("external buffer %s was not given as a buffer of this backend", b.Name)
		case m.d != d:
			return nil, fmt.Errorf("external buffer %s belongs to another device", b.Name)
		case m.released:
			return nil, fmt.Errorf("external buffer %s was released", b.Name)
		case m.size < b.Size:
			return nil, fmt.Errorf("external buffer %s has %d bytes, needs %d", b.Name, m.size, b.Size)
		}
		memory[i] = m
	}
	return memory, nil
}

func (d *Device) sequence(title string, list []Dispatch) sequence {
	s := sequence{title: title, list: list, expected: make([]float64, len(list))}
	for i := range list {
		s.nominal = append(s.nominal, d.estimator.rate.seconds(&list[i]))
		s.factors = append(s.factors, d.estimator.factor(list[i].Kernel.Name))
	}
	return s
}

// allocate asks for the memory of the plan and completes the table of memory
// by buffer.
func (e *executable) allocate(memory []*deviceBuffer) error {
	p := e.plan.Program
	get := func(label string, size int64, f purpose) (*deviceBuffer, error) {
		b, err := e.d.allocate(label, size, f)
		if err != nil {
			return nil, fmt.Errorf("allocating %s (%s): %w", label, Size(size), err)
		}
		e.owned = append(e.owned, b)
		return b, nil
	}
	for i, slot := range e.plan.Slots {
		b, err := get(fmt.Sprintf("slot %d of %s", i, p.Name), slot.Size, forTemps)
		if err != nil {
			return err
		}
		for _, t := range slot.Buffers {
			memory[t] = b
		}
	}
	for i, spec := range p.Buffers {
		if spec.Kind == Persistent && e.plan.Spans[i].Used() {
			b, err := get(spec.Name, spec.Size, forPersistent)
			if err != nil {
				return err
			}
			memory[i] = b
		}
	}
	return nil
}

// bind writes the uniforms and builds the bind group of every dispatch.
func (e *executable) bind(memory []*deviceBuffer) error {
	p := e.plan.Program
	var uniforms *deviceBuffer
	if e.plan.Uniforms > 0 {
		var err error
		if uniforms, err = e.d.allocate("uniforms of "+p.Name, e.plan.Uniforms, forUniforms); err != nil {
			return err
		}
		e.owned = append(e.owned, uniforms)
		if err := e.d.write(uniforms, 0, e.plan.uniformData()); err != nil {
			return err
		}
	}
	for t := range len(p.Setup) + len(p.Dispatch) {
		d := p.at(t)
		bounds := make([]bound, 0, len(d.Kernel.Bindings))
		next := 0
		for _, b := range d.Kernel.Bindings {
			if b.Access == shaders.Uniform {
				bounds = append(bounds, bound{b.Index, uniforms, e.plan.uniform[t], uniformSize(d)})
				continue
			}
			a := d.Args[next]
			next++
			bounds = append(bounds, bound{b.Index, memory[a.Buffer], a.Offset, a.Size})
		}
		s := &e.run
		if t < len(p.Setup) {
			s = &e.setup
		}
		if err := e.d.addBindGroup(s, e.d.pipelines[d.Kernel.Source], d.Groups, bounds); err != nil {
			return fmt.Errorf("dispatch %s (kernel %s): %w", p.place(t), d.Kernel.Name, err)
		}
	}
	e.d.finish(&e.setup)
	e.d.finish(&e.run)
	return nil
}

// Setup replays the set-up list.
func (e *executable) Setup(ctx context.Context) error { return e.replay(ctx, &e.setup) }

// Run replays the program.
func (e *executable) Run(ctx context.Context) error { return e.replay(ctx, &e.run) }

// Plan tells the memory the program uses.
func (e *executable) Plan() *Plan { return e.plan }

// Stats tells what compilation and the last replay took.
func (e *executable) Stats() Stats { return e.stats }

// Release frees the program's memory once the work that uses it is done.
func (e *executable) Release() {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	if !e.released && !e.d.closed {
		e.free()
	}
	e.released = true
}

func (e *executable) free() {
	e.setup.encoded.release()
	e.run.encoded.release()
	for _, b := range e.owned {
		e.d.release(b)
	}
	e.owned = nil
	delete(e.d.programs, e)
}

// maxPending bounds the submits the device may lag behind: enough to keep it
// busy, few enough that cancelling takes effect soon.
const maxPending = 3

func (e *executable) replay(ctx context.Context, s *sequence) error {
	d := e.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := e.usable(); err != nil {
		return fmt.Errorf("gpu: %s: %w", s.title, err)
	}
	for i := range s.expected {
		s.expected[i] = s.nominal[i] * *s.factors[i]
	}
	s.ends = split(s.ends[:0], s.expected, d.limit.Seconds())
	from := 0
	for _, to := range s.ends {
		err := d.drain(ctx, maxPending-1)
		if err == nil {
			err = d.launch(s, from, to)
		}
		if err != nil {
			return fmt.Errorf("gpu: %s: after dispatch %d of %d: %w", s.title, from, len(s.list), err)
		}
		from = to
	}
	e.stats.Submits = len(s.ends)
	return nil
}

// A submission is work the device was given.
type submission struct {
	number uint64 // counted from 1
	at     time.Time
	seen   time.Time // when it was last seen unfinished
	cost
}

// launch submits the dispatches from, …, to-1.
func (d *Device) launch(s *sequence, from, to int) error {
	number, err := d.submit(s, from, to)
	if err != nil {
		return err
	}
	d.pending = append(d.pending, submission{number: number, at: time.Now(), cost: cost{s.nominal[from:to], s.factors[from:to]}})
	return nil
}

// drain waits until at most n submissions are pending. It returns the context's
// error when cancelled, also when there is nothing to wait for.
func (d *Device) drain(ctx context.Context, n int) error {
	d.retire()
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(d.pending) <= n {
		return nil
	}
	return d.await(ctx, func() bool {
		d.retire()
		return len(d.pending) <= n
	})
}

// retire takes finished submissions off the list and learns from those whose
// end is known closely; a platform's await calls it again and again.
func (d *Device) retire() {
	done, now := d.done(), time.Now()
	n := 0
	for n < len(d.pending) && d.pending[n].number <= done {
		p := d.pending[n]
		began := p.at
		if d.finished.After(began) {
			began = d.finished
		}
		d.estimator.observe(p.cost, now.Sub(began), now.Sub(p.seen))
		d.finished = now
		n++
	}
	d.pending = append(d.pending[:0], d.pending[n:]...)
	if len(d.pending) > 0 {
		d.pending[0].seen = now
	}
}
