package gpu

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"

	"duet/shaders"
)

// DiffOptions say what Diff runs over and how close is close enough.
type DiffOptions struct {
	// Inputs are the contents of external buffers by name; the others are zero.
	Inputs map[string][]byte
	// Tolerance gives, for a kernel, the share of the output's largest magnitude
	// and the absolute value that two backends may differ by together. Nil means
	// 1e-5 and 1e-6. Integer outputs must be equal.
	Tolerance func(kernel string) (relative, absolute float64)
	// Free lets each backend go on from its own results. Otherwise the second
	// gets the first one's before each dispatch, so that every dispatch is judged
	// by itself.
	Free bool
}

// A Difference is the largest difference between two backends in one output of
// one dispatch.
type Difference struct {
	Index   int    // of the dispatch; set-up dispatches come first
	Place   string // number and label of the dispatch
	Kernel  string
	Binding string // the output in the kernel
	Buffer  string // the output in the program
	At      int    // the element, in 4-byte words from the start of the output
	A, B    float64
	Excess  float64 // difference over tolerance: above 1 the backends part
}

// String describes the difference in a line.
func (d Difference) String() string {
	return fmt.Sprintf("dispatch %s, kernel %s: %s (%s)[%d] = %g and %g, %.3g times the tolerance",
		d.Place, d.Kernel, d.Buffer, d.Binding, d.At, d.A, d.B, d.Excess)
}

// A Comparison lists every output of a program as two backends compute it.
type Comparison struct {
	A, B    string // the backends
	Outputs []Difference
}

// First returns the first output where the backends part, or nil.
func (c *Comparison) First() *Difference {
	for i := range c.Outputs {
		if !(c.Outputs[i].Excess <= 1) {
			return &c.Outputs[i]
		}
	}
	return nil
}

// String lists the outputs where the backends part.
func (c *Comparison) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s and %s: %d outputs\n", c.A, c.B, len(c.Outputs))
	for _, d := range c.Outputs {
		if !(d.Excess <= 1) {
			fmt.Fprintln(&s, d)
		}
	}
	return s.String()
}

// Diff runs a program dispatch by dispatch on two backends, set-up included,
// and compares every output. Each temporary buffer has memory of its own from
// its first to its last use, so what a plan may do wrong does not show here.
func Diff(ctx context.Context, p *Program, a, b Backend, o DiffOptions) (*Comparison, error) {
	spans, err := lifetimes(p)
	if err == nil {
		err = p.fits(a.Info().Limits)
	}
	if err == nil {
		err = p.fits(b.Info().Limits)
	}
	if err != nil {
		return nil, fmt.Errorf("gpu: comparing %s: %w", p.Name, err)
	}
	if o.Tolerance == nil {
		o.Tolerance = func(string) (float64, float64) { return 1e-5, 1e-6 }
	}
	sides := []*side{newSide(a, p), newSide(b, p)}
	defer sides[0].close()
	defer sides[1].close()
	c := &Comparison{A: a.Info().Name, B: b.Info().Name}
	for t := range len(p.Setup) + len(p.Dispatch) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("gpu: comparing %s: %w", p.Name, err)
		}
		var outputs [2][]shaders.Words
		for i, s := range sides {
			if outputs[i], err = s.step(ctx, t, o.Inputs); err != nil {
				return nil, fmt.Errorf("gpu: comparing %s: dispatch %s on %s: %w", p.Name, p.place(t), s.backend.Info().Name, err)
			}
		}
		n, d := 0, p.at(t)
		for j, binding := range d.Kernel.Storage() {
			if binding.Access != shaders.ReadWrite {
				continue
			}
			v := d.Args[j]
			diff := compare(outputs[0][n], outputs[1][n], binding, d.Kernel.Name, o)
			diff.Index, diff.Place, diff.Kernel, diff.Binding, diff.Buffer = t, p.place(t), d.Kernel.Name, binding.Name, p.view(v)
			c.Outputs = append(c.Outputs, diff)
			if !o.Free {
				if err := sides[1].memory[v.Buffer].Write(v.Offset, wordBytes(outputs[0][n])); err != nil {
					return nil, fmt.Errorf("gpu: comparing %s: %w", p.Name, err)
				}
			}
			n++
		}
		for _, s := range sides {
			s.forget(spans, t)
		}
	}
	return c, nil
}

// compare finds the largest difference between two outputs.
func compare(a, b shaders.Words, binding shaders.Binding, kernel string, o DiffOptions) Difference {
	worst := Difference{At: -1}
	if !strings.Contains(binding.Type, "f32") {
		for i := range a {
			if a[i] != b[i] {
				return Difference{At: i, A: float64(a[i]), B: float64(b[i]), Excess: math.Inf(1)}
			}
		}
		return worst
	}
	relative, absolute := o.Tolerance(kernel)
	largest := 0.0
	for _, v := range a.F() {
		if m := math.Abs(float64(v)); m > largest && !math.IsInf(m, 0) {
			largest = m
		}
	}
	tolerance := relative*largest + absolute
	for i := range a {
		x, y := float64(a.F()[i]), float64(b.F()[i])
		excess := 0.0
		switch {
		case a[i] == b[i], math.IsNaN(x) && math.IsNaN(y):
		case math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0):
			excess = math.Inf(1)
		default:
			excess = math.Abs(x-y) / tolerance
		}
		if excess > worst.Excess || worst.At < 0 {
			worst = Difference{At: i, A: x, B: y, Excess: excess}
		}
	}
	return worst
}

// A side is one backend of a comparison, running one dispatch at a time over
// buffers of its own.
type side struct {
	backend Backend
	program *Program
	memory  []Buffer // by buffer of the program
}

func newSide(b Backend, p *Program) *side {
	return &side{backend: b, program: p, memory: make([]Buffer, len(p.Buffers))}
}

func (s *side) close() {
	for _, m := range s.memory {
		if m != nil {
			m.Release()
		}
	}
}

// step runs dispatch t and returns the data of its outputs.
func (s *side) step(ctx context.Context, t int, inputs map[string][]byte) ([]shaders.Words, error) {
	d := s.program.at(t)
	one := &Program{Name: s.program.place(t)}
	alone := *d
	alone.Args = nil
	externals := map[string]Buffer{}
	places := map[int]int{} // by buffer of the program: its place among those of one
	for _, v := range d.Args {
		spec := s.program.Buffers[v.Buffer]
		if _, ok := places[v.Buffer]; !ok {
			if err := s.provide(v.Buffer, inputs); err != nil {
				return nil, err
			}
			// Names may repeat in a program, places do not.
			spec.Kind, spec.Name = External, fmt.Sprintf("%s (%d)", spec.Name, v.Buffer)
			externals[spec.Name] = s.memory[v.Buffer]
			places[v.Buffer] = len(one.Buffers)
			one.Buffers = append(one.Buffers, spec)
		}
		v.Buffer = places[v.Buffer]
		alone.Args = append(alone.Args, v)
	}
	one.Dispatch = []Dispatch{alone}
	e, err := s.backend.Compile(one, externals)
	if err != nil {
		return nil, err
	}
	defer e.Release()
	if err := e.Run(ctx); err != nil {
		return nil, err
	}
	var outputs []shaders.Words
	for j, binding := range d.Kernel.Storage() {
		if binding.Access != shaders.ReadWrite {
			continue
		}
		v := d.Args[j]
		spec := s.program.Buffers[v.Buffer]
		words := make(shaders.Words, min(v.Size/4, int64(cmp.Or(spec.Words, int(spec.Size/4)))-v.Offset/4))
		if err := s.memory[v.Buffer].Read(v.Offset, wordBytes(words)); err != nil {
			return nil, err
		}
		outputs = append(outputs, words)
	}
	return outputs, nil
}

// provide gives a buffer memory at its first use.
func (s *side) provide(buffer int, inputs map[string][]byte) error {
	if s.memory[buffer] != nil {
		return nil
	}
	spec := s.program.Buffers[buffer]
	m, err := s.backend.NewBuffer(spec.Name, spec.Size)
	if err != nil {
		return err
	}
	s.memory[buffer] = m
	if data := inputs[spec.Name]; spec.Kind == External && len(data) > 0 {
		return m.Write(0, data)
	}
	return nil
}

// forget releases temporary buffers after their last use.
func (s *side) forget(spans []Span, t int) {
	for i, spec := range s.program.Buffers {
		if spec.Kind == Temp && spans[i].Last == t && s.memory[i] != nil {
			s.memory[i].Release()
			s.memory[i] = nil
		}
	}
}
