package gpu

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"duet/shaders"
)

// A Reference runs programs on the CPU through the kernels' twins: slow, plain,
// and what every device is compared with. It implements [Backend].
type Reference struct {
	// Observe, when set, is called after every dispatch with the words of its
	// arguments, which it must not keep or change.
	Observe func(d *Dispatch, args []shaders.Words)

	bytes int64 // of buffers not released
}

// NewReference returns the backend that runs the CPU twins.
func NewReference() *Reference { return new(Reference) }

// Info describes the reference as a software adapter with WebGPU's default
// limits, but for the sizes of buffers, which only memory bounds.
func (r *Reference) Info() Info {
	l := DefaultLimits()
	l.StorageBinding, l.BufferSize = 1<<40, 1<<40
	return Info{Backend: "reference", Name: "CPU twins", Vendor: "Duet", Driver: "Go", Class: Software, Limits: l}
}

// Close has nothing to release.
func (r *Reference) Close() {}

// Allocated is the number of bytes of the buffers not yet released.
func (r *Reference) Allocated() int64 { return r.bytes }

type referenceBuffer struct {
	r     *Reference
	label string
	words shaders.Words
}

// NewBuffer returns a zeroed buffer of size bytes, a multiple of 16.
func (r *Reference) NewBuffer(label string, size int64) (Buffer, error) {
	if size <= 0 || size%16 != 0 {
		return nil, fmt.Errorf("gpu: allocating %s: size %d is not a positive multiple of 16", label, size)
	}
	r.bytes += size
	return &referenceBuffer{r, label, make(shaders.Words, size/4)}, nil
}

func (b *referenceBuffer) Size() int64 { return int64(4 * len(b.words)) }

func (b *referenceBuffer) Write(offset int64, data []byte) error {
	if err := b.check(offset, len(data)); err != nil {
		return fmt.Errorf("gpu: writing %s: %w", b.label, err)
	}
	copy(wordBytes(b.words)[offset:], data)
	return nil
}

func (b *referenceBuffer) Read(offset int64, data []byte) error {
	if err := b.check(offset, len(data)); err != nil {
		return fmt.Errorf("gpu: reading %s: %w", b.label, err)
	}
	copy(data, wordBytes(b.words)[offset:])
	return nil
}

func (b *referenceBuffer) check(offset int64, n int) error {
	switch {
	case b.words == nil:
		return errors.New("the buffer was released")
	case offset < 0 || offset%4 != 0 || n%4 != 0 || offset+int64(n) > b.Size():
		return fmt.Errorf("bytes %d to %d of %d are out of range or not whole words", offset, offset+int64(n), b.Size())
	}
	return nil
}

func (b *referenceBuffer) Release() {
	b.r.bytes -= b.Size()
	b.words = nil
}

// A referenceExecutable runs a program. Every temporary buffer gets memory of
// its own, filled with NaN, from its first use to its last: what a plan's
// sharing of slots or a missing write would do to a device shows as a difference.
type referenceExecutable struct {
	r      *Reference
	plan   *Plan
	stats  Stats
	memory []shaders.Words // by buffer; temporary ones nil outside their span
	free   map[int][]shaders.Words
}

// Compile plans the program and checks its externals.
func (r *Reference) Compile(p *Program, externals map[string]Buffer) (Executable, error) {
	begun := time.Now()
	plan, err := NewPlan(p)
	if err != nil {
		return nil, err
	}
	err = p.fits(r.Info().Limits)
	if err == nil {
		err = p.clash(externals)
	}
	if err != nil {
		return nil, fmt.Errorf("gpu: compiling %s for the reference: %w", p.Name, err)
	}
	e := &referenceExecutable{r: r, plan: plan, memory: make([]shaders.Words, len(p.Buffers)), free: map[int][]shaders.Words{}}
	for i, b := range p.Buffers {
		switch {
		case !plan.Spans[i].Used() || b.Kind == Temp:
		case b.Kind == Persistent:
			e.memory[i] = unwritten(make(shaders.Words, b.Size/4))
		default:
			m, ok := externals[b.Name].(*referenceBuffer)
			if !ok || m == nil || m.Size() < b.Size {
				return nil, fmt.Errorf("gpu: compiling %s: external buffer %s was not given as a buffer of this backend with at least %d bytes", p.Name, b.Name, b.Size)
			}
			e.memory[i] = m.words
		}
	}
	kernels := map[string]bool{}
	for t := range len(p.Setup) + len(p.Dispatch) {
		kernels[p.at(t).Kernel.Source] = true
	}
	e.stats = Stats{Dispatches: len(p.Dispatch), Kernels: len(kernels), Submits: 1, Compile: time.Since(begun)}
	return e, nil
}

// unwritten fills words with a NaN that no kernel makes.
func unwritten(w shaders.Words) shaders.Words {
	for i := range w {
		w[i] = 0x7fe0dead
	}
	return w
}

func (e *referenceExecutable) Plan() *Plan  { return e.plan }
func (e *referenceExecutable) Stats() Stats { return e.stats }
func (e *referenceExecutable) Release()     { e.memory, e.free = nil, nil }

func (e *referenceExecutable) Setup(ctx context.Context) error {
	return e.replay(ctx, 0, len(e.plan.Program.Setup))
}

func (e *referenceExecutable) Run(ctx context.Context) error {
	n := len(e.plan.Program.Setup)
	return e.replay(ctx, n, n+len(e.plan.Program.Dispatch))
}

func (e *referenceExecutable) replay(ctx context.Context, from, to int) error {
	p := e.plan.Program
	if e.memory == nil {
		return fmt.Errorf("gpu: running %s on the reference: the executable was released", p.Name)
	}
	for t := from; t < to; t++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("gpu: running %s on the reference: after dispatch %s: %w", p.Name, p.place(t), err)
		}
		if err := e.dispatch(t); err != nil {
			return fmt.Errorf("gpu: running %s on the reference: %w", p.Name, err)
		}
		for _, a := range p.at(t).Args {
			if p.Buffers[a.Buffer].Kind == Temp && e.plan.Spans[a.Buffer].Last == t {
				e.drop(a.Buffer)
			}
		}
	}
	// A temporary buffer of both lists is given up at the end of each.
	for i, b := range p.Buffers {
		if b.Kind == Temp {
			e.drop(i)
		}
	}
	return nil
}

func (e *referenceExecutable) drop(buffer int) {
	if w := e.memory[buffer]; w != nil {
		e.free[len(w)] = append(e.free[len(w)], w)
		e.memory[buffer] = nil
	}
}

// take returns memory full of NaN for a temporary buffer.
func (e *referenceExecutable) take(words int) shaders.Words {
	if list := e.free[words]; len(list) > 0 {
		e.free[words] = list[:len(list)-1]
		return unwritten(list[len(list)-1])
	}
	return unwritten(make(shaders.Words, words))
}

func (e *referenceExecutable) dispatch(t int) (err error) {
	d := e.plan.Program.at(t)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("dispatch %s: twin of kernel %s: %v", e.plan.Program.place(t), d.Kernel.Name, r)
		}
	}()
	if d.Kernel.Reference == nil {
		return fmt.Errorf("dispatch %s: kernel %s has no twin", e.plan.Program.place(t), d.Kernel.Name)
	}
	args := make([]shaders.Words, len(d.Args))
	for i, a := range d.Args {
		if e.memory[a.Buffer] == nil {
			e.memory[a.Buffer] = e.take(int(e.plan.Program.Buffers[a.Buffer].Size / 4))
		}
		args[i] = e.memory[a.Buffer][a.Offset/4 : (a.Offset+a.Size)/4 : (a.Offset+a.Size)/4]
	}
	d.Kernel.Reference(shaders.Call{Groups: d.Groups, Params: d.Params, Buffers: args})
	if e.r.Observe != nil {
		e.r.Observe(d, args)
	}
	return nil
}

// Floats returns values as the bytes of a buffer, padded to whole vec4s.
func Floats(values []float32) []byte {
	data := make([]byte, Bytes(len(values)))
	copy(data, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values)))
	return data
}

// ReadFloats reads n float32 values from the start of a buffer.
func ReadFloats(b Buffer, n int) ([]float32, error) {
	values := make([]float32, n)
	err := b.Read(0, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*n))
	return values, err
}
