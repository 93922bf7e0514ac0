package graph

// Gradients adds the operations that compute d loss / d t for every t in with
// respect to, and returns them in that order. loss must be a single number. A
// tensor that the loss does not depend on has the zero Tensor.
func (g *Graph) Gradients(loss Tensor, respectTo ...Tensor) []Tensor {
	if loss.Len() != 1 {
		fail("gradients: the loss has shape %v, want one number", loss.Shape())
	}
	return g.backward(loss, g.Constant(1, loss.Shape()...), respectTo)
}

// GradientsFrom is Gradients for Σ t·dt, dt being given.
func (g *Graph) GradientsFrom(t, dt Tensor, respectTo ...Tensor) []Tensor {
	return g.backward(t, dt, respectTo)
}

func (g *Graph) backward(t, dt Tensor, respectTo []Tensor) []Tensor {
	// Only nodes between the wanted tensors and t take part.
	needs := make([]bool, len(g.values))
	for _, w := range respectTo {
		needs[w.id] = true
	}
	nodes := append([]*node(nil), g.nodes...)
	for _, n := range nodes {
		for _, x := range n.in {
			if needs[x.id] {
				for _, y := range n.out {
					needs[y.id] = true
				}
			}
		}
	}
	grads := map[int]Tensor{t.id: dt}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		dy := make([]Tensor, len(n.out))
		any := false
		for j, y := range n.out {
			if d, ok := grads[y.id]; ok && needs[y.id] {
				dy[j], any = d, true
			}
		}
		if !any {
			continue
		}
		g.Scope("d "+n.label, func() { g.propagate(n, dy, needs, grads) })
	}
	out := make([]Tensor, len(respectTo))
	for i, w := range respectTo {
		out[i] = grads[w.id]
	}
	return out
}

func (g *Graph) propagate(n *node, dy []Tensor, needs []bool, grads map[int]Tensor) {
	wanted := make([]bool, len(n.in))
	for j, x := range n.in {
		wanted[j] = needs[x.id]
	}
	for j, dx := range n.op.grad(n, dy, wanted) {
		if !dx.ok() || !wanted[j] {
			continue
		}
		x := n.in[j]
		if old, ok := grads[x.id]; ok {
			dx = old.Add(dx)
		}
		grads[x.id] = dx
	}
}
