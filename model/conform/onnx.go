package conform

import (
	"slices"

	"duet/model/graph"
)

// onnxOperators maps ONNX operators (of the default domain, onnx.ai/onnx/operators)
// to the graph's. Every attribute is the case's or ONNX's default.
func onnxOperators() map[string]func(*node) []graph.Tensor {
	table := map[string]func(*node) []graph.Tensor{
		"ArgMax":             onnxArgMax,
		"Attention":          onnxAttention,
		"AveragePool":        onnxAveragePool,
		"BatchNormalization": onnxBatchNormalization,
		"Clip":               onnxClip,
		"Concat":             onnxConcat,
		"Conv":               onnxConv,
		"Dropout":            onnxDropout,
		"Flatten":            onnxFlatten,
		"Gather":             onnxGather,
		"Gelu":               one(func(n *node) graph.Tensor { return gelu(n.in(0), n.attrs.string("approximate", "none") == "tanh") }),
		"Gemm":               onnxGemm,
		"GlobalAveragePool":  onnxGlobalAveragePool,
		"GlobalMaxPool":      one(func(n *node) graph.Tensor { x := n.in(0); return reduce(x, "max", allAxes(len(x.Shape()))[2:], true) }),
		"InstanceNormalization": one(func(n *node) graph.Tensor {
			return instanceNorm(n.in(0), n.in(1), n.in(2), n.attrs.float("epsilon", 1e-5))
		}),
		"LayerNormalization":        onnxLayerNormalization,
		"LogSoftmax":                onnxSoftmax,
		"LpNormalization":           onnxLpNormalization,
		"MatMul":                    one(func(n *node) graph.Tensor { return matmul(n.in(0), n.in(1)) }),
		"MaxPool":                   onnxMaxPool,
		"NegativeLogLikelihoodLoss": onnxNegativeLogLikelihood,
		"Reshape":                   onnxReshape,
		"Softmax":                   onnxSoftmax,
		"SoftmaxCrossEntropyLoss":   onnxSoftmaxCrossEntropy,
		"Split":                     onnxSplit,
		"Squeeze":                   onnxSqueeze,
		"Transpose":                 onnxTranspose,
		"Unsqueeze":                 onnxUnsqueeze,
	}
	for name, f := range map[string]string{
		"Abs": "abs", "Ceil": "ceil", "Erf": "erf", "Exp": "exp", "Floor": "floor", "Identity": "identity",
		"Log": "log", "Neg": "neg", "Reciprocal": "reciprocal", "Relu": "relu", "Sigmoid": "sigmoid",
		"Sign": "sign", "Softplus": "softplus", "Sqrt": "sqrt", "Tanh": "tanh",
	} {
		table[name] = one(func(n *node) graph.Tensor { return n.in(0).Unary(f) })
	}
	for name, f := range map[string]struct {
		f           string
		alpha, beta float64
	}{
		"Elu": {"elu", 1, 0}, "LeakyRelu": {"leaky_relu", 0.01, 0}, "HardSigmoid": {"hard_sigmoid", 0.2, 0.5},
	} {
		table[name] = one(func(n *node) graph.Tensor {
			return n.in(0).UnaryWith(f.f, float32(n.attrs.float("alpha", f.alpha)), float32(n.attrs.float("beta", f.beta)))
		})
	}
	table["HardSwish"] = one(func(n *node) graph.Tensor { return n.in(0).UnaryWith("hard_swish", 1.0/6, 0.5) })
	for name, f := range map[string]string{
		"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Equal": "equal",
		"Greater": "greater", "GreaterOrEqual": "greater_or_equal", "Less": "lesser", "LessOrEqual": "lesser_or_equal",
	} {
		table[name] = func(n *node) []graph.Tensor { return onnxBinary(n, f) }
	}
	for name, f := range map[string]string{"Max": "max", "Min": "min", "Sum": "add", "Mean": "add"} {
		table[name] = func(n *node) []graph.Tensor { return onnxVariadic(n, f) }
	}
	for name, f := range map[string]string{
		"ReduceSum": "sum", "ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "product",
		"ReduceSumSquare": "sumsquare", "ReduceL1": "l1", "ReduceL2": "l2", "ReduceLogSum": "logsum", "ReduceLogSumExp": "logsumexp",
	} {
		table[name] = func(n *node) []graph.Tensor { return onnxReduce(n, f) }
	}
	return table
}

// one makes a builder of one output.
func one(f func(*node) graph.Tensor) func(*node) []graph.Tensor {
	return func(n *node) []graph.Tensor { return []graph.Tensor{f(n)} }
}

// onnxBinary broadcasts as NumPy does. Before version 7 the second operand was
// aligned at an axis where the attributes said so.
func onnxBinary(n *node, f string) []graph.Tensor {
	a, b := n.in(0), n.in(1)
	if n.c.opset < 7 && n.attrs.bool("broadcast") {
		if at, rank := n.attrs.int("axis", -1), len(b.Shape()); at >= 0 && at+rank < len(a.Shape()) {
			shape := slices.Clone(b.Shape())
			for range len(a.Shape()) - at - rank {
				shape = append(shape, 1)
			}
			b = b.Reshape(shape...)
		}
	}
	return []graph.Tensor{a.Binary(f, b)}
}

func onnxVariadic(n *node, f string) []graph.Tensor {
	y := n.in(0)
	for i := 1; i < len(n.In); i++ {
		y = y.Binary(f, n.in(i))
	}
	if n.Op == "Mean" {
		y = y.Scale(1/float32(len(n.In)), 0)
	}
	return []graph.Tensor{y}
}

// onnxReduce takes its axes from an input, or from an attribute in older versions.
func onnxReduce(n *node, f string) []graph.Tensor {
	x := n.in(0)
	axes := n.attrs.ints("axes")
	if v := n.stated(1); v != nil {
		axes = v.ints()
	}
	noop := n.attrs.bool("noop_with_empty_axes")
	axes = axesOf(axes, len(x.Shape()))
	if len(axes) == 0 && !noop {
		axes = allAxes(len(x.Shape()))
	}
	return []graph.Tensor{reduce(x, f, axes, n.attrs.int("keepdims", 1) != 0)}
}

func onnxArgMax(n *node) []graph.Tensor {
	x := n.in(0)
	n.integer = true
	axis := normal(n.attrs.int("axis", 0), len(x.Shape()))
	return []graph.Tensor{x.ArgMax(axis, n.attrs.int("keepdims", 1) != 0, n.attrs.bool("select_last_index"))}
}

// onnxClip takes its bounds from inputs, or from attributes before version 11.
func onnxClip(n *node) []graph.Tensor {
	bounds := [2]float64{n.attrs.float("min", nan()), n.attrs.float("max", nan())}
	for i := range bounds {
		if v := n.stated(1 + i); v != nil {
			bounds[i] = v.at(0)
		}
	}
	return []graph.Tensor{clamp(n.in(0), bounds[0], bounds[1])}
}

func onnxConcat(n *node) []graph.Tensor {
	var parts []graph.Tensor
	for i := range n.In {
		parts = append(parts, n.in(i))
	}
	if len(parts) == 0 {
		mismatch("Concat of nothing")
	}
	return []graph.Tensor{n.g.Concat(normal(n.attrs.int("axis", 0), len(parts[0].Shape())), parts...)}
}

// onnxDropout is the identity outside training.
func onnxDropout(n *node) []graph.Tensor {
	if n.attrs.ignore("seed", "ratio", "is_test"); n.operand(2) != nil && n.stated(2).at(0) != 0 {
		unsupported("Dropout with attribute training_mode")
	}
	n.operand(1) // the ratio
	x := n.in(0)
	return []graph.Tensor{x, n.g.Constant(1, x.Shape()...)}
}

func onnxFlatten(n *node) []graph.Tensor {
	x := n.in(0)
	s, axis := x.Shape(), n.attrs.int("axis", 1)
	if axis < 0 {
		axis += len(s)
	}
	if axis < 0 || axis > len(s) {
		mismatch("Flatten at axis %d of shape %v", axis, s)
	}
	return []graph.Tensor{x.Reshape(product(s[:axis]), product(s[axis:]))}
}

// onnxReshape takes 0 for a dimension to keep.
func onnxReshape(n *node) []graph.Tensor {
	x, shape := n.in(0), n.attrs.ints("shape")
	if v := n.stated(1); v != nil {
		shape = v.ints()
	}
	shape = slices.Clone(shape)
	allowZero := n.attrs.bool("allowzero")
	for i, d := range shape {
		if d == 0 && !allowZero && i < len(x.Shape()) {
			shape[i] = x.Dim(i)
		}
	}
	return []graph.Tensor{x.Reshape(shape...)}
}

// onnxAxes returns the axes that an input or, in older versions, an attribute names.
func (n *node) onnxAxes() []int {
	if v := n.stated(1); v != nil {
		return v.ints()
	}
	return n.attrs.ints("axes")
}

func onnxSqueeze(n *node) []graph.Tensor {
	x := n.in(0)
	axes := axesOf(n.onnxAxes(), len(x.Shape()))
	shape := []int{}
	for i, d := range x.Shape() {
		if slices.Contains(axes, i) || len(axes) == 0 && d == 1 {
			if d != 1 {
				mismatch("Squeeze of dimension %d of %v", i, x.Shape())
			}
			continue
		}
		shape = append(shape, d)
	}
	return []graph.Tensor{x.Reshape(shape...)}
}

func onnxUnsqueeze(n *node) []graph.Tensor {
	x := n.in(0)
	axes := n.onnxAxes()
	shape := slices.Clone(x.Shape())
	for _, a := range axesOf(axes, len(shape)+len(axes)) {
		shape = slices.Insert(shape, a, 1)
	}
	return []graph.Tensor{x.Reshape(shape...)}
}

func onnxSplit(n *node) []graph.Tensor {
	x := n.in(0)
	axis := normal(n.attrs.int("axis", 0), len(x.Shape()))
	sizes := n.attrs.ints("split")
	if v := n.stated(1); v != nil {
		sizes = v.ints()
	}
	if parts := n.attrs.int("num_outputs", len(n.Out)); sizes == nil && parts > 0 {
		each := (x.Dim(axis) + parts - 1) / parts
		for rest := x.Dim(axis); rest > 0; rest -= each {
			sizes = append(sizes, min(each, rest))
		}
	}
	return split(x, axis, sizes)
}

func onnxTranspose(n *node) []graph.Tensor {
	x := n.in(0)
	perm := n.attrs.ints("perm")
	if perm == nil {
		perm = allAxes(len(x.Shape()))
		slices.Reverse(perm)
	}
	return []graph.Tensor{x.Transpose(perm...)}
}

func onnxGather(n *node) []graph.Tensor {
	x, ids := n.in(0), n.stated(1)
	if ids == nil {
		mismatch("Gather without indices")
	}
	axis := normal(n.attrs.int("axis", 0), len(x.Shape()))
	return []graph.Tensor{gather(x, axis, n.indices(ids, x.Dim(axis)), ids.Shape)}
}

func onnxGemm(n *node) []graph.Tensor {
	n.attrs.ignore("broadcast") // before version 7: that the addend broadcasts, as it does anyway
	var addend *graph.Tensor
	if c, ok := n.optional(2); ok {
		addend = &c
	}
	a := n.attrs
	return []graph.Tensor{gemm(n.in(0), n.in(1), addend, a.float("alpha", 1), a.float("beta", 1), a.bool("transA"), a.bool("transB"))}
}

// onnxSoftmax works along one axis; before version 13 it worked over all
// dimensions from an axis on.
func onnxSoftmax(n *node) []graph.Tensor {
	x := n.in(0)
	shape, otherwise := x.Shape(), -1
	if n.c.opset < 13 {
		otherwise = 1
	}
	axis := normal(n.attrs.int("axis", otherwise), len(shape))
	if n.c.opset < 13 {
		x, axis = x.Reshape(product(shape[:axis]), product(shape[axis:])), 1
	}
	y := graph.Tensor{}
	if n.Op == "LogSoftmax" {
		y = x.LogSoftmax(axis)
	} else {
		y = x.Softmax(axis)
	}
	return []graph.Tensor{y.Reshape(shape...)}
}
