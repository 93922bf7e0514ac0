package gpu

import (
	"fmt"
	"slices"

	"duet/shaders"
)

// A Span is the part of a program during which a buffer's content matters:
// from its first to its last dispatch, both included. Set-up dispatches come
// first: number len(Setup) is the first dispatch of a replay.
type Span struct{ First, Last int }

// unused is the span of a buffer that no dispatch names.
var unused = Span{First: -1, Last: -1}

// Used reports whether any dispatch names the buffer.
func (s Span) Used() bool { return s.First >= 0 }

func (s Span) meets(o Span) bool { return s.First <= o.Last && o.First <= s.Last }

// lifetimes returns the span of every buffer and refuses programs that read
// what no earlier dispatch has written.
func lifetimes(p *Program) ([]Span, error) {
	spans := make([]Span, len(p.Buffers))
	for i := range spans {
		spans[i] = unused
	}
	written := make([]ranges, len(p.Buffers))
	for t := range len(p.Setup) + len(p.Dispatch) {
		if t == len(p.Setup) {
			// A replay does not run the set-up again, and the one before it has used
			// the slots since: nothing but persistent content survives.
			for i, b := range p.Buffers {
				if b.Kind == Temp {
					written[i] = nil
				}
			}
		}
		d := p.at(t)
		storage := d.Kernel.Storage()
		for j, a := range d.Args {
			if spans[a.Buffer].First < 0 {
				spans[a.Buffer].First = t
			}
			spans[a.Buffer].Last = t
			b := p.Buffers[a.Buffer]
			if storage[j].Access == shaders.Read && b.Kind != External && !written[a.Buffer].cover(a.Offset, a.Offset+a.Size) {
				return nil, fmt.Errorf("dispatch %s (kernel %s) reads %s as %s before it is written",
					p.place(t), d.Kernel.Name, p.view(a), storage[j].Name)
			}
		}
		for j, a := range d.Args {
			if storage[j].Access == shaders.ReadWrite {
				written[a.Buffer] = written[a.Buffer].add(a.Offset, a.Offset+a.Size)
			}
		}
	}
	return spans, nil
}

// at returns dispatch t of set-up and replay counted as one list.
func (p *Program) at(t int) *Dispatch {
	if t < len(p.Setup) {
		return &p.Setup[t]
	}
	return &p.Dispatch[t-len(p.Setup)]
}

// place names dispatch t for people.
func (p *Program) place(t int) string {
	if t < len(p.Setup) {
		return fmt.Sprintf("setup %d %q", t, p.Setup[t].Label)
	}
	t -= len(p.Setup)
	return fmt.Sprintf("%d %q", t, p.Dispatch[t].Label)
}

// ranges are disjoint half-open ranges of bytes in ascending order.
type ranges []struct{ lo, hi int64 }

func (r ranges) add(lo, hi int64) ranges {
	i := 0
	for i < len(r) && r[i].hi < lo {
		i++
	}
	j := i
	for j < len(r) && r[j].lo <= hi {
		lo, hi = min(lo, r[j].lo), max(hi, r[j].hi)
		j++
	}
	return slices.Replace(r, i, j, struct{ lo, hi int64 }{lo, hi})
}

func (r ranges) cover(lo, hi int64) bool {
	for _, x := range r {
		if x.lo <= lo && hi <= x.hi {
			return true
		}
	}
	return false
}
