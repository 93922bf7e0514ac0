package conform

import (
	"slices"

	"duet/model/graph"
)

// onnxConv convolves [N C …] with [O C …]; without groups.
func onnxConv(n *node) []graph.Tensor {
	if group := n.attrs.int("group", 1); group != 1 {
		unsupported("Conv with attribute group ≠ 1")
	}
	x, f := n.in(0), n.in(1)
	if len(x.Shape()) < 3 || len(f.Shape()) != len(x.Shape()) {
		mismatch("Conv of %v with %v", x.Shape(), f.Shape())
	}
	kernel := f.Shape()[2:]
	if k := n.attrs.ints("kernel_shape"); k != nil && !slices.Equal(k, kernel) {
		mismatch("Conv with kernel_shape %v and weights %v", k, f.Shape())
	}
	y := convolve(channelsLast(x), channelsLast(f), n.onnxWindow(kernel, x.Shape()[2:]))
	if bias, ok := n.optional(2); ok {
		y = y.Add(bias)
	}
	return []graph.Tensor{channelsFirst(y)}
}

func (n *node) onnxPool(f pooling2D) []graph.Tensor {
	x := n.in(0)
	if len(x.Shape()) < 3 {
		mismatch("%s of %v", n.Op, x.Shape())
	}
	w := n.onnxWindow(n.attrs.ints("kernel_shape"), x.Shape()[2:])
	return []graph.Tensor{channelsFirst(pool(channelsLast(x), w, f))}
}

func onnxMaxPool(n *node) []graph.Tensor {
	n.attrs.ignore("storage_order") // concerns the second output
	return n.onnxPool(maxPool2D)
}

func onnxAveragePool(n *node) []graph.Tensor {
	return n.onnxPool(averagePool2D(n.attrs.bool("count_include_pad")))
}

func onnxGlobalAveragePool(n *node) []graph.Tensor {
	x := n.in(0)
	shape := slices.Clone(x.Shape())
	for i := 2; i < len(shape); i++ {
		shape[i] = 1
	}
	return []graph.Tensor{channelsLast(x).MeanPool().Reshape(shape...)}
}

// onnxBatchNormalization normalises [N C …], in training with the batch's
// statistics; the running ones then move by 1 − momentum, the variance being
// that of the population.
func onnxBatchNormalization(n *node) []graph.Tensor {
	if n.attrs.int("spatial", 1) != 1 {
		unsupported("BatchNormalization with attribute spatial 0")
	}
	x, scale, bias, mean, variance := n.in(0), n.in(1), n.in(2), n.in(3), n.in(4)
	eps, momentum := n.attrs.float("epsilon", 1e-5), float32(n.attrs.float("momentum", 0.9))
	training := n.attrs.bool("training_mode")
	if n.c.opset < 7 {
		training = !n.attrs.bool("is_test")
	}
	if !training {
		return []graph.Tensor{batchNorm(x, scale, bias, mean, variance, 1, eps)}
	}
	last := channelsLast(x)
	y := last.BatchNorm(scale, bias, mean, variance, float32(eps), 0)
	batchMean := last.Reshape(-1, last.Dim(-1)).Reduce("mean", 0)
	centred := last.Sub(batchMean)
	batchVariance := centred.Mul(centred).Reshape(-1, last.Dim(-1)).Reduce("mean", 0)
	move := func(running, batch graph.Tensor) graph.Tensor {
		return running.Scale(momentum, 0).Add(batch.Scale(1-momentum, 0))
	}
	return []graph.Tensor{channelsFirst(y), move(mean, batchMean), move(variance, batchVariance)}
}

// onnxLayerNormalization normalises the dimensions from axis on.
func onnxLayerNormalization(n *node) []graph.Tensor {
	n.attrs.ignore("stash_type") // the precision of the statistics: float32 here
	x, scale := n.in(0), n.in(1)
	bias, _ := n.optional(2)
	s := x.Shape()
	axis := normal(n.attrs.int("axis", -1), len(s))
	whole := product(s[axis:])
	eps := n.attrs.float("epsilon", 1e-5)
	if scale.Len() == whole && (bias.Graph() == nil || bias.Len() == whole) {
		y, mean, rstd := layerNorm(x, scale, bias, allAxes(len(s))[axis:], eps)
		return []graph.Tensor{y, mean, rstd}
	}
	y, mean, rstd := layerNorm(x, graph.Tensor{}, graph.Tensor{}, allAxes(len(s))[axis:], eps)
	y = y.Mul(scale)
	if bias.Graph() != nil {
		y = y.Add(bias)
	}
	return []graph.Tensor{y, mean, rstd}
}

// onnxLpNormalization divides by the 1- or 2-norm along an axis.
func onnxLpNormalization(n *node) []graph.Tensor {
	x := n.in(0)
	rank := len(x.Shape())
	axis := normal(n.attrs.int("axis", -1), rank)
	switch p := n.attrs.int("p", 2); p {
	case 1:
		return []graph.Tensor{x.Binary("div", reduce(x, "l1", []int{axis}, true))}
	case 2:
		perm := allAxes(rank)
		perm[axis], perm[rank-1] = rank-1, axis
		return []graph.Tensor{transpose(transpose(x, perm).L2Normalize(1e-12), perm)}
	default:
		unsupported("LpNormalization with p = %d", p)
	}
	return nil
}

// onnxNegativeLogLikelihood is the loss of log-probabilities [N C …] against
// class indices [N …].
func onnxNegativeLogLikelihood(n *node) []graph.Tensor {
	return []graph.Tensor{n.classLoss(n.in(0))}
}

// onnxSoftmaxCrossEntropy is the loss of logits [N C …]; its mean over rows is
// the engine's own loss.
func onnxSoftmaxCrossEntropy(n *node) []graph.Tensor {
	x := n.in(0)
	logProbabilities := x.LogSoftmax(1)
	// The engine's loss cannot ignore class 0: there, 0 stands for the default.
	if n.attrs.string("reduction", "mean") != "mean" || n.attrs.int("ignore_index", -1) == 0 {
		return []graph.Tensor{n.classLoss(logProbabilities), logProbabilities}
	}
	targets := n.stated(1)
	last := channelsLast(x)
	loss := graph.CrossEntropy{IgnoreIndex: n.attrs.int("ignore_index", -100)}
	loss.Weights, _ = n.optional(2)
	y := loss.Loss(last.Reshape(-1, last.Dim(-1)), n.constant(intBytes(targets.ints()), targets.Len()))
	return []graph.Tensor{y, logProbabilities}
}

// classLoss picks the negative log-probability of each target by a one-hot
// product, weighs it, and reduces as the attribute says.
func (n *node) classLoss(logProbabilities graph.Tensor) graph.Tensor {
	targets := n.stated(1)
	if targets == nil || targets.isFloat() || len(logProbabilities.Shape()) < 2 {
		mismatch("%s without class indices", n.Op)
	}
	classes := logProbabilities.Dim(1)
	rank := len(logProbabilities.Shape())
	shape := slices.Insert(slices.Clone(targets.Shape), 1, 1)
	target := n.constant(targets.floats(), shape...)
	names := &Value{DType: "float32", Shape: []int{classes}}
	for i := range classes {
		names.Data = append(names.Data, float64(i))
	}
	hot := target.Binary("equal", alongAxis(n.constant(names.floats(), classes), 1, rank)) // [N C …]
	if n.attrs.has("ignore_index") {
		ignored := target.Binary("equal", n.g.Constant(float32(n.attrs.int("ignore_index", 0))))
		hot = hot.Mul(ignored.Scale(-1, 1))
	}
	if weight, ok := n.optional(2); ok {
		hot = hot.Mul(alongAxis(weight, 1, rank))
	}
	loss := reduce(logProbabilities.Mul(hot).Scale(-1, 0), "sum", []int{1}, false)
	switch reduction := n.attrs.string("reduction", "mean"); reduction {
	case "none":
		return loss
	case "sum":
		return loss.Sum()
	case "mean":
		return loss.Sum().Binary("div", hot.Sum())
	default:
		mismatch("reduction %s", reduction)
	}
	return graph.Tensor{}
}
