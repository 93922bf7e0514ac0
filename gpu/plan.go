package gpu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// A Plan is the memory of a program, decided before any is allocated.
type Plan struct {
	Program *Program
	Spans   []Span // by buffer: when its content matters
	Slots   []Slot // the memory of the temporary buffers
	SlotOf  []int  // by buffer: its slot, or -1 for other kinds and unused buffers

	Temps      int64 // bytes of all slots
	Persistent int64 // bytes of persistent buffers
	External   int64 // bytes of the buffers the caller provides
	Uniforms   int64 // bytes of the buffer that holds every dispatch's parameters
	Floor      int64 // most bytes of temporary content alive at once: no plan needs less

	uniform []int64 // by dispatch, set-up first: offset of its parameters, or -1
}

// A Slot is one buffer of the device that several temporary buffers use in turn.
type Slot struct {
	Size    int64 // bytes
	Buffers []int // indexes into Program.Buffers, in order of use
}

// Peak is the number of bytes the device is asked for when the program is
// compiled: slots, persistent buffers and uniforms, not the externals.
func (p *Plan) Peak() int64 { return p.Temps + p.Persistent + p.Uniforms }

// NewPlan plans the memory of a program. It fails when the program reads a
// temporary or persistent buffer before writing it.
func NewPlan(p *Program) (*Plan, error) {
	spans, err := lifetimes(p)
	if err != nil {
		return nil, fmt.Errorf("gpu: planning %s: %w", p.Name, err)
	}
	plan := &Plan{Program: p, Spans: spans, SlotOf: make([]int, len(p.Buffers))}
	var temps []tenant
	for i, b := range p.Buffers {
		plan.SlotOf[i] = -1
		if !spans[i].Used() {
			continue
		}
		switch b.Kind {
		case Temp:
			temps = append(temps, tenant{buffer: i, size: b.Size, Span: spans[i]})
		case Persistent:
			plan.Persistent += b.Size
		case External:
			plan.External += b.Size
		}
	}
	plan.Slots = share(temps)
	for s, slot := range plan.Slots {
		plan.Temps += slot.Size
		for _, b := range slot.Buffers {
			plan.SlotOf[b] = s
		}
	}
	plan.Floor = floor(temps, len(p.Setup)+len(p.Dispatch))
	plan.packUniforms()
	return plan, nil
}

// A tenant is a temporary buffer looking for a slot.
type tenant struct {
	buffer int
	size   int64
	Span
}

// share assigns every tenant to a slot so that no two tenants of a slot are
// alive at the same dispatch. Finding the least memory is NP-hard; the better
// of two greedy orders is within a few percent of the floor on real programs.
func share(tenants []tenant) []Slot {
	bySize := func(a, b tenant) int { return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.First, b.First)) }
	byTime := func(a, b tenant) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.size, a.size)) }
	best, least := []Slot(nil), int64(0)
	for i, order := range []func(a, b tenant) int{bySize, byTime} {
		slots, total := bestFit(slices.SortedFunc(slices.Values(tenants), order))
		if i == 0 || total < least {
			best, least = slots, total
		}
	}
	return best
}

// bestFit gives every tenant the smallest free slot that holds it, else the
// largest free one, which grows, else a new one.
func bestFit(tenants []tenant) (slots []Slot, total int64) {
	var guests [][]tenant // by slot
	for _, t := range tenants {
		best := -1
		for s := range slots {
			if slices.ContainsFunc(guests[s], func(g tenant) bool { return g.meets(t.Span) }) {
				continue
			}
			if best < 0 || better(slots[s].Size, slots[best].Size, t.size) {
				best = s
			}
		}
		if best < 0 {
			best = len(slots)
			slots, guests = append(slots, Slot{}), append(guests, nil)
		}
		slots[best].Size = max(slots[best].Size, t.size)
		guests[best] = append(guests[best], t)
	}
	for s, list := range guests {
		slices.SortFunc(list, func(a, b tenant) int { return cmp.Compare(a.First, b.First) })
		for _, t := range list {
			slots[s].Buffers = append(slots[s].Buffers, t.buffer)
		}
		total += slots[s].Size
	}
	return slots, total
}

// better reports whether a slot of size a suits a tenant better than one of size b.
func better(a, b, need int64) bool {
	if (a >= need) != (b >= need) {
		return a >= need
	}
	return (a < b) == (a >= need) && a != b
}

func floor(tenants []tenant, dispatches int) int64 {
	change := make([]int64, dispatches+1)
	for _, t := range tenants {
		change[t.First] += t.size
		change[t.Last+1] -= t.size
	}
	var live, most int64
	for _, c := range change {
		live += c
		most = max(most, live)
	}
	return most
}

// uniformAlign is WebGPU's default alignment of uniform offsets.
const uniformAlign = 256

// packUniforms gives the parameters of every dispatch a place in one buffer;
// dispatches with equal parameters share one.
func (p *Plan) packUniforms() {
	places := map[string]int64{}
	for t := range len(p.Program.Setup) + len(p.Program.Dispatch) {
		d := p.Program.at(t)
		if !d.Kernel.HasParams() {
			p.uniform = append(p.uniform, -1)
			continue
		}
		key := string(wordBytes(d.Params))
		at, ok := places[key]
		if !ok {
			at = p.Uniforms
			places[key] = at
			p.Uniforms += max(uniformAlign, (uniformSize(d)+uniformAlign-1)/uniformAlign*uniformAlign)
		}
		p.uniform = append(p.uniform, at)
	}
}

// uniformSize is the size of a dispatch's uniform binding in bytes.
func uniformSize(d *Dispatch) int64 { return max(Bytes(len(d.Params)), 16) }

// uniformData returns the content of the uniform buffer.
func (p *Plan) uniformData() []byte {
	data := make([]byte, p.Uniforms)
	for t, at := range p.uniform {
		if at >= 0 {
			copy(data[at:], wordBytes(p.Program.at(t).Params))
		}
	}
	return data
}

// wordBytes returns the bytes of words, sharing their memory. Every platform
// Duet runs on is little-endian, as WebGPU requires.
func wordBytes(words []uint32) []byte {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 4*len(words))
}

// String prints the plan as a table: one line a slot, then the sums.
func (p *Plan) String() string {
	var s strings.Builder
	temps := 0
	for _, slot := range p.Slots {
		temps += len(slot.Buffers)
	}
	fmt.Fprintf(&s, "plan of %s: %d temporary buffers in %d slots\n", p.Program.Name, temps, len(p.Slots))
	for i, slot := range p.Slots {
		fmt.Fprintf(&s, "slot %3d %12s ", i, Size(slot.Size))
		for _, b := range slot.Buffers {
			fmt.Fprintf(&s, " %s[%d:%d]", p.Program.Buffers[b].Name, p.Spans[b].First, p.Spans[b].Last)
		}
		s.WriteByte('\n')
	}
	for _, line := range []struct {
		name  string
		bytes int64
	}{{"temporary", p.Temps}, {"(at least)", p.Floor}, {"persistent", p.Persistent}, {"uniforms", p.Uniforms}, {"peak", p.Peak()}, {"external", p.External}} {
		fmt.Fprintf(&s, "%-10s %10s\n", line.name, Size(line.bytes))
	}
	return s.String()
}

// Size is a number of bytes that prints itself in binary units.
type Size int64

// String prints the size with three significant digits, for example "1.50 MiB".
func (n Size) String() string {
	v, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	switch {
	case unit == "B":
		return fmt.Sprintf("%d B", int64(n))
	case v < 9.995:
		return fmt.Sprintf("%.2f %s", v, unit)
	case v < 99.95:
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}
