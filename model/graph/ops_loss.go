package graph

import (
	"slices"

	"duet/gpu"
	"duet/shaders"
)

// crossEntropy is the mean cross-entropy over rows. Operands: logits [M C],
// targets; [class weights [C]]. Outputs: the loss [], what each row keeps for
// the gradient, and the normaliser.
type crossEntropy struct {
	smoothing float32
	ignore    int
	soft      bool
	weighted  bool
}

// CrossEntropy holds the attributes of the loss; see PyTorch's CrossEntropyLoss.
type CrossEntropy struct {
	Smoothing   float32
	IgnoreIndex int    // rows with this target do not count; zero means −100
	Weights     Tensor // [C], optional class weights
}

// Loss returns the mean cross-entropy of logits [M C] against targets [M]
// (int32), or against target distributions [M C] (float32).
func (c CrossEntropy) Loss(logits, targets Tensor) Tensor {
	o := crossEntropy{smoothing: c.Smoothing, ignore: c.IgnoreIndex, soft: len(targets.Shape()) == 2, weighted: c.Weights.ok()}
	if o.ignore == 0 {
		o.ignore = -100
	}
	in := []Tensor{logits, targets}
	if o.weighted {
		in = append(in, c.Weights)
	}
	return logits.g.apply(o, in...)[0]
}

func (o crossEntropy) name() string { return "cross_entropy" }
func (o crossEntropy) infer(in [][]int) [][]int {
	if len(in[0]) != 2 || in[1][0] != in[0][0] || (o.soft && !slices.Equal(in[0], in[1])) {
		fail("cross_entropy: logits %v and targets %v do not fit", in[0], in[1])
	}
	return [][]int{{}, {in[0][0], 2}, {1}}
}

func (o crossEntropy) shape(logits []int) shaders.CrossEntropyShape {
	return shaders.CrossEntropyShape{Rows: logits[0], Classes: logits[1], Smoothing: o.smoothing, IgnoreIndex: o.ignore, Soft: o.soft, Weighted: o.weighted}
}

func (o crossEntropy) lower(l *lowering, n *node) {
	s := o.shape(n.in[0].Shape())
	in := l.ins(n)
	losses, weights := l.temp(n, "losses", s.Rows), l.temp(n, "weights", s.Rows)
	args := slices.Clone(in)
	splits := shaders.CrossEntropySplits(s)
	if splits > 1 {
		parts := l.temp(n, "parts", s.Rows*splits*4)
		scan := []gpu.View{in[0]}
		if o.soft {
			scan = append(scan, in[1])
		}
		l.add(n.label+" partial", shaders.CrossEntropyPartial(s, splits), append(append(scan, in[2:]...), parts)...)
		args = append(args, parts)
	}
	l.add(n.label, shaders.CrossEntropy(s, splits), append(args, losses, weights, l.out(n.out[1]))...)
	l.add(n.label+" mean", shaders.MeanLoss(s.Rows), losses, weights, l.out(n.out[0]), l.out(n.out[2]))
}
func (o crossEntropy) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	in := append([]Tensor{dy[0], n.out[1], n.out[2]}, n.in...)
	return append(n.in[0].g.apply(crossEntropyGrad{crossEntropy: o}, in...), make([]Tensor, len(n.in)-1)...)
}

// crossEntropyGrad computes dlogits. Operands: dloss, what the rows kept,
// normaliser, logits, targets, [weights].
type crossEntropyGrad struct {
	noGrad
	crossEntropy crossEntropy
}

func (o crossEntropyGrad) name() string             { return "cross_entropy_grad" }
func (o crossEntropyGrad) infer(in [][]int) [][]int { return [][]int{in[3]} }
func (o crossEntropyGrad) lower(l *lowering, n *node) {
	s := o.crossEntropy.shape(n.in[3].Shape())
	l.add(n.label, shaders.CrossEntropyGrad(s), append(l.ins(n), l.out(n.out[0]))...)
}

// bce is the mean binary cross-entropy with logits.
type bce struct{}

// BCEWithLogits returns the mean binary cross-entropy of logits against
// targets in [0, 1] of the same shape.
func (t Tensor) BCEWithLogits(targets Tensor) Tensor { return t.g.apply(bce{}, t, targets)[0] }

func (bce) name() string { return "bce_with_logits" }
func (bce) infer(in [][]int) [][]int {
	if !slices.Equal(in[0], in[1]) {
		fail("bce_with_logits: logits %v and targets %v do not fit", in[0], in[1])
	}
	return [][]int{{}}
}
func (bce) lower(l *lowering, n *node) {
	count := n.in[0].Len()
	losses := l.temp(n, "losses", count)
	l.add(n.label, shaders.BCE(count), append(l.ins(n), losses)...)
	l.passes(n.label+" mean", shaders.Reduce("mean", []int{count}, []int{0}, l.target), losses, l.out(n.out[0]))
}
func (bce) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return append(n.in[0].g.apply(bceGrad{}, dy[0], n.in[0], n.in[1]), Tensor{})
}

// bceGrad computes dlogits. Operands: dloss, logits, targets.
type bceGrad struct{ noGrad }

func (bceGrad) name() string             { return "bce_with_logits_grad" }
func (bceGrad) infer(in [][]int) [][]int { return [][]int{in[1]} }
func (bceGrad) lower(l *lowering, n *node) {
	l.add(n.label, shaders.BCEGrad(n.in[1].Len()), append(l.ins(n), l.out(n.out[0]))...)
}
