package graph

import "slices"

// fuse applies the kernel-fusion rules to the nodes of a program:
//
//  1. matmul or conv2d + bias + residual + activation become one kernel, so do
//     the fusion layer + activation, and conv2d_grad_input + another gradient of the same tensor;
//  2. batch-norm + residual + ReLU become one kernel, and so do the ReLU's
//     gradient and batch-norm's;
//  3. residual + layer-norm become one kernel.
//
// A rule applies only where nothing else reads the value that it removes. (The
// folding of frozen batch-norm into weights is plain graph arithmetic on
// constants, see nn.ConvNorm.) Fused nodes stand where the last of their parts
// stood, so that their operands are ready.
func fuse(g *Graph, nodes []*node) []*node {
	f := &fuser{g: g, readers: make([][]*node, len(g.values)), stored: make([]bool, len(g.values)), place: map[*node]int{}, gone: map[*node]bool{}, put: map[*node]*node{}}
	for i, n := range nodes {
		f.place[n] = i
		for _, x := range n.in {
			f.readers[x.id] = append(f.readers[x.id], n)
		}
	}
	for _, s := range g.stores {
		f.stored[s.t.id] = true
	}
	for _, n := range nodes {
		if f.gone[n] {
			continue
		}
		switch n.op.(type) {
		case matmul, conv2D, conv2DGradInput, fusion:
			f.epilogue(n)
		case batchNorm:
			f.batchNorm(n)
		case batchNormGrad:
			f.batchNormGrad(n)
		case layerNorm:
			f.layerNorm(n)
		}
	}
	out := make([]*node, 0, len(nodes))
	for _, n := range nodes {
		if fused, ok := f.put[n]; ok {
			n = fused
		} else if f.gone[n] {
			continue
		}
		for _, y := range n.out {
			y.value().producer = n
		}
		out = append(out, n)
	}
	return out
}

type fuser struct {
	g       *Graph
	readers [][]*node // by value, in the order of their places
	stored  []bool
	place   map[*node]int // where a node stands in the program
	gone    map[*node]bool
	put     map[*node]*node // node → the fused node that stands in its place
}

// only returns the node that alone reads t, or nil.
func (f *fuser) only(t Tensor) *node {
	if r := f.readers[t.id]; len(r) == 1 && !f.stored[t.id] && !f.gone[r[0]] && f.put[r[0]] == nil {
		return r[0]
	}
	return nil
}

// addend returns the other operand when n adds t and something of the given shape.
func addend(n *node, t Tensor, shape []int) (Tensor, bool) {
	if n == nil || len(n.in) != 2 {
		return Tensor{}, false
	}
	if o, ok := n.op.(binary); !ok || o.f != "add" {
		return Tensor{}, false
	}
	other := n.in[0]
	if other == t {
		other = n.in[1]
	}
	if other == t || !slices.Equal(other.Shape(), shape) || !slices.Equal(n.out[0].Shape(), t.Shape()) {
		return Tensor{}, false
	}
	return other, true
}

// replace removes parts and lets a node stand in the place of the last.
func (f *fuser) replace(o op, in, out []Tensor, label string, parts ...*node) {
	n := &node{op: o, in: in, out: out, label: label}
	last := parts[len(parts)-1]
	for _, p := range parts {
		f.gone[p] = true
	}
	f.put[last], f.place[n] = n, f.place[last]
	// The fused node reads what its parts read.
	for _, x := range in {
		readers := slices.DeleteFunc(slices.Clone(f.readers[x.id]), func(r *node) bool { return slices.Contains(parts, r) })
		f.readers[x.id] = append(readers, n)
		slices.SortStableFunc(f.readers[x.id], func(a, b *node) int { return f.place[a] - f.place[b] })
	}
}

func (f *fuser) epilogue(n *node) {
	t := n.out[0]
	in := slices.Clone(n.in)
	parts := []*node{n}
	bias, residual, act := false, false, ""
	_, grad := n.op.(conv2DGradInput)
	_, whole := n.op.(fusion) // has its bias already and takes no residual
	shape := t.Shape()
	if b, ok := addend(f.only(t), t, shape[len(shape)-1:]); ok && !grad && !whole && len(shape) > 1 {
		m := f.only(t)
		bias, parts, in, t = true, append(parts, m), append(in, b), m.out[0]
	}
	if r, ok := addend(f.only(t), t, shape); ok && !whole {
		m := f.only(t)
		residual, parts, in, t = true, append(parts, m), append(in, r), m.out[0]
	}
	if m := f.only(t); m != nil && !grad {
		if u, ok := m.op.(unary); ok && (u.f == "relu" || u.f == "gelu") {
			act, parts, t = u.f, append(parts, m), m.out[0]
		}
	}
	if len(parts) == 1 {
		return
	}
	var fused op
	switch o := n.op.(type) {
	case matmul:
		o.Bias, o.Residual, o.Act = bias, residual, act
		fused = o
	case conv2D:
		o.Bias, o.Residual, o.Act = bias, residual, act
		fused = o
	case conv2DGradInput:
		o.residual = residual
		fused = o
	case fusion:
		o.act = act
		fused = o
	}
	f.replace(fused, in, []Tensor{t}, n.label, parts...)
}

func (f *fuser) batchNorm(n *node) {
	o := n.op.(batchNorm)
	t, in, parts := n.out[0], slices.Clone(n.in), []*node{n}
	if r, ok := addend(f.only(t), t, t.Shape()); ok {
		m := f.only(t)
		// Only worth it, and only defined, when a ReLU follows.
		next := f.only(m.out[0])
		if next == nil || next.op != (unary{f: "relu"}) {
			return
		}
		o.residual, parts, in, t = true, append(parts, m), append(in, r), m.out[0]
	}
	m := f.only(t)
	if m == nil || m.op != (unary{f: "relu"}) {
		return
	}
	o.relu = true
	f.replace(o, in, append([]Tensor{m.out[0]}, n.out[1:]...), n.label, append(parts, m)...)
}

// batchNormGrad looks back: its dy may be the gradient of the ReLU behind the
// same batch-norm, with or without a residual in between.
func (f *fuser) batchNormGrad(n *node) {
	dy := n.in[5]
	p := dy.value().producer
	if p == nil || f.gone[p] {
		return
	}
	if o, ok := p.op.(unaryGrad); !ok || o.f != "relu" {
		return
	}
	y := p.in[0] // the ReLU's output
	relu := y.value().producer
	if relu == nil || len(relu.in) != 1 {
		return
	}
	in := append(slices.Clone(n.in[:5]), p.in[1])
	if f.normOf(relu.in[0]) == n.in[0] {
		if f.only(dy) == n {
			f.replace(batchNormGrad{relu: true}, in, n.out, n.label, p, n)
		}
		return
	}
	// With a residual the masked gradient is an output, so n must be its first reader.
	sum := relu.in[0].value().producer
	if sum == nil || f.readers[dy.id][0] != n || f.stored[dy.id] {
		return
	}
	if o, ok := sum.op.(binary); !ok || o.f != "add" || !slices.Equal(sum.in[0].Shape(), sum.in[1].Shape()) {
		return
	}
	if x := n.in[0]; f.normOf(sum.in[0]) == x || f.normOf(sum.in[1]) == x {
		f.replace(batchNormGrad{relu: true, residual: true}, append(in, y), append(slices.Clone(n.out), dy), n.label, p, n)
	}
}

// normOf returns the x that t is the batch-norm of, or the zero Tensor.
func (f *fuser) normOf(t Tensor) Tensor {
	if p := t.value().producer; p != nil {
		if _, ok := p.op.(batchNorm); ok {
			return p.in[0]
		}
	}
	return Tensor{}
}

// layerNorm looks back: its operand may be a sum. The sum itself stays an
// output where the gradient needs it.
func (f *fuser) layerNorm(n *node) {
	x := n.in[0]
	p := x.value().producer
	if p == nil || f.gone[p] || f.put[p] != nil {
		return
	}
	o, ok := p.op.(binary)
	if !ok || o.f != "add" || !slices.Equal(p.in[0].Shape(), p.in[1].Shape()) {
		return
	}
	// Whatever else reads the sum must come later, and it does only when n is its first reader.
	if f.readers[x.id][0] != n {
		return
	}
	ln := n.op.(layerNorm)
	ln.residual = true
	out := slices.Clone(n.out)
	if len(f.readers[x.id]) > 1 || f.stored[x.id] {
		out = append(out, x)
	}
	in := []Tensor{p.in[0], n.in[1], n.in[2], p.in[1]}
	f.replace(ln, in, out, n.label, p, n)
}
