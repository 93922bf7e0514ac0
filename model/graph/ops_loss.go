package graph

import "slices"

// crossEntropy is the mean cross-entropy over rows. Operands: logits [M C],
// targets; [class weights [C]]. Outputs: the loss [], per-row log-sum-exp and
// the normaliser.
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
	return [][]int{{}, {in[0][0]}, {1}}
}
func (o crossEntropy) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	in := append([]Tensor{dy[0], n.out[1], n.out[2]}, n.in...)
	return append(n.in[0].g.apply(crossEntropyGrad{crossEntropy: o}, in...), make([]Tensor, len(n.in)-1)...)
}

// crossEntropyGrad computes dlogits. Operands: dloss, log-sum-exp, normaliser, logits, targets, [weights].
type crossEntropyGrad struct {
	noGrad
	crossEntropy crossEntropy
}

func (o crossEntropyGrad) name() string             { return "cross_entropy_grad" }
func (o crossEntropyGrad) infer(in [][]int) [][]int { return [][]int{in[3]} }

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
func (bce) grad(n *node, dy []Tensor, _ []bool) []Tensor {
	return append(n.in[0].g.apply(bceGrad{}, dy[0], n.in[0], n.in[1]), Tensor{})
}

// bceGrad computes dlogits. Operands: dloss, logits, targets.
type bceGrad struct{ noGrad }

func (bceGrad) name() string             { return "bce_with_logits_grad" }
func (bceGrad) infer(in [][]int) [][]int { return [][]int{in[1]} }
