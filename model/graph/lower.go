package graph

import (
	"fmt"
	"slices"
	"strings"

	"duet/gpu"
	"duet/shaders"
)

// Lower fuses kernels and returns the program that computes everything stored,
// with kernels for the processor that is to run it. Operations that depend on
// untrained parameters only go to the set-up list.
func (g *Graph) Lower(name string, target shaders.Target) (p *gpu.Program, err error) {
	defer recoverShape(&err)
	nodes := g.reachable(g.nodes)
	if !g.unfused {
		nodes = fuse(g, nodes)
	}
	l := &lowering{
		Program: &gpu.Program{Name: name},
		g:       g,
		target:  target,
		views:   make([]gpu.View, len(g.values)),
		known:   make([]bool, len(g.values)),
		slots:   map[int]Slot{},
		buffers: map[string]gpu.View{},
	}
	l.constant = constants(g, nodes)
	l.persistent = persistents(nodes, l.constant, g.stores)
	l.placeStores(nodes)
	for _, n := range nodes {
		l.setup = l.constant[n.out[0].id]
		n.op.lower(l, n)
	}
	l.setup = false
	l.copyStores()
	return l.Program, nil
}

// reachable returns the nodes that the stores depend on or that update state,
// in order.
func (g *Graph) reachable(nodes []*node) []*node {
	live := make([]bool, len(g.values))
	for _, s := range g.stores {
		live[s.t.id] = true
	}
	keep := make([]bool, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		used := false
		for _, y := range n.out {
			used = used || live[y.id]
		}
		if !used {
			continue
		}
		keep[i] = true
		for _, x := range n.in {
			live[x.id] = true
		}
	}
	var out []*node
	for i, n := range nodes {
		if keep[i] {
			out = append(out, n)
		}
	}
	return out
}

// constants marks the values that depend on untrained parameters only.
func constants(g *Graph, nodes []*node) []bool {
	constant := make([]bool, len(g.values))
	for i, v := range g.values {
		constant[i] = v.kind == param && !v.trainable
	}
	for _, n := range nodes {
		all := true
		for _, x := range n.in {
			all = all && constant[x.id]
		}
		for _, y := range n.out {
			constant[y.id] = all
		}
	}
	return constant
}

// persistents marks the constant values that nodes run at every replay read.
func persistents(nodes []*node, constant []bool, stores []store) []bool {
	persistent := make([]bool, len(constant))
	for _, n := range nodes {
		if constant[n.out[0].id] {
			continue
		}
		for _, x := range n.in {
			persistent[x.id] = persistent[x.id] || constant[x.id]
		}
	}
	for _, s := range stores {
		persistent[s.t.id] = persistent[s.t.id] || constant[s.t.id]
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if _, alias := n.op.(aliaser); alias && persistent[n.out[0].id] {
			persistent[n.in[0].id] = true
		}
	}
	return persistent
}

// lowering is the state of one Lower.
type lowering struct {
	*gpu.Program
	g          *Graph
	target     shaders.Target
	views      []gpu.View // by value
	known      []bool
	slots      map[int]Slot // values computed straight into external memory
	buffers    map[string]gpu.View
	constant   []bool
	persistent []bool
	setup      bool
}

// external returns the view of a slot, declaring its buffer at first use.
func (l *lowering) external(s Slot, words int) gpu.View {
	b, ok := l.buffers[s.Buffer]
	if !ok {
		b = l.External(s.Buffer, s.Words)
		l.buffers[s.Buffer] = b
	}
	if need := gpu.Bytes(s.Offset + words); b.Size < need {
		// A later slot of the same buffer may be declared longer than the first.
		spec := &l.Buffers[b.Buffer]
		spec.Size = max(spec.Size, gpu.Bytes(s.Words), need)
		b.Size = spec.Size
		l.buffers[s.Buffer] = b
	}
	return gpu.View{Buffer: b.Buffer, Offset: int64(s.Offset) * 4, Size: gpu.Bytes(words)}
}

// placeStores lets a stored value that no operation reads be written straight
// to its slot. (One that is read would put a buffer on both sides of a dispatch
// that writes another slot of it.)
func (l *lowering) placeStores(nodes []*node) {
	read := make([]bool, len(l.g.values))
	for _, n := range nodes {
		for _, x := range n.in {
			read[x.id] = true
		}
	}
	written := map[*node][]string{} // buffers that a node already writes
	for _, s := range l.g.stores {
		v := s.t.value()
		if _, taken := l.slots[s.t.id]; taken || read[s.t.id] || v.kind != computed || l.constant[s.t.id] {
			continue
		}
		if _, alias := v.producer.op.(aliaser); alias || slices.Contains(written[v.producer], s.slot.Buffer) {
			continue
		}
		l.slots[s.t.id] = s.slot
		written[v.producer] = append(written[v.producer], s.slot.Buffer)
	}
}

// copyStores copies the stored values that were not computed in place.
func (l *lowering) copyStores() {
	for _, s := range l.g.stores {
		if slot, ok := l.slots[s.t.id]; ok && slot == s.slot {
			continue
		}
		l.add("store "+s.slot.Buffer, shaders.Unary("identity", s.t.Len()), l.in(s.t), l.external(s.slot, s.t.Len()))
	}
}

// in returns the memory of an operand.
func (l *lowering) in(t Tensor) gpu.View {
	if l.known[t.id] {
		return l.views[t.id]
	}
	v := t.value()
	if v.kind == computed {
		panic(fmt.Sprintf("graph: %s is read before it is computed", v.producer.label))
	}
	l.bind(t, l.external(v.slot, v.format.Words(t.Len())))
	return l.views[t.id]
}

// ins returns the memory of a node's operands.
func (l *lowering) ins(n *node) []gpu.View {
	views := make([]gpu.View, len(n.in), len(n.in)+2)
	for i, t := range n.in {
		views[i] = l.in(t)
	}
	return views
}

// out returns the memory that the current node writes t to.
func (l *lowering) out(t Tensor) gpu.View {
	if l.known[t.id] {
		return l.views[t.id]
	}
	n := t.value().producer
	name := fmt.Sprintf("%s#%d", n.label, t.id)
	switch slot, stored := l.slots[t.id]; {
	case stored:
		l.bind(t, l.external(slot, t.Len()))
	case l.persistent[t.id]:
		l.bind(t, l.Persistent(name, t.Len()))
	default:
		l.bind(t, l.Temp(name, t.Len()))
	}
	return l.views[t.id]
}

func (l *lowering) bind(t Tensor, v gpu.View) {
	l.views[t.id], l.known[t.id] = v, true
}

// temp returns scratch memory of the current node.
func (l *lowering) temp(n *node, what string, words int) gpu.View {
	return l.Temp(n.label+" "+what, words)
}

func (l *lowering) add(label string, launch shaders.Launch, args ...gpu.View) {
	if l.setup {
		l.AddSetup(label, launch, args...)
		return
	}
	l.Add(label, launch, args...)
}

// passes adds launches that each read the result of the one before.
func (l *lowering) passes(label string, passes []shaders.Pass, from, to gpu.View) {
	for i, p := range passes {
		next := to
		if i < len(passes)-1 {
			next = l.Temp(label+" pass", p.Words)
		}
		l.add(label, p.Launch, from, next)
		from = next
	}
}

// An aliaser is an op whose output is its input's memory.
type aliaser interface{ alias() }

// String prints the graph, a line per node.
func (g *Graph) String() string {
	var s strings.Builder
	for _, n := range g.nodes {
		for _, y := range n.out {
			fmt.Fprintf(&s, "%%%d%v ", y.id, y.Shape())
		}
		fmt.Fprintf(&s, "= %s(", n.label)
		for i, x := range n.in {
			if i > 0 {
				s.WriteString(", ")
			}
			if v := x.value(); v.kind != computed {
				s.WriteString(v.name)
			} else {
				fmt.Fprintf(&s, "%%%d", x.id)
			}
		}
		s.WriteString(")\n")
	}
	return s.String()
}
