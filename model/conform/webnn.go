package conform

import (
	"slices"
	"strings"

	"duet/model/graph"
)

// webNNOperators maps WebNN operators (www.w3.org/TR/webnn) to the graph's.
// Arguments and options share one list of names.
func webNNOperators() map[string]func(*node) []graph.Tensor {
	table := map[string]func(*node) []graph.Tensor{
		"batchNormalization":    webNNBatchNormalization,
		"clamp":                 one(webNNClamp),
		"concat":                webNNConcat,
		"conv2d":                webNNConv2D,
		"expand":                one(func(n *node) graph.Tensor { return n.arg("input").Expand(n.shape("newShape")...) }),
		"gather":                webNNGather,
		"gelu":                  one(func(n *node) graph.Tensor { return n.arg("input").GELU() }),
		"gemm":                  webNNGemm,
		"instanceNormalization": webNNInstanceNormalization,
		"layerNormalization":    webNNLayerNormalization,
		"matmul":                one(func(n *node) graph.Tensor { return matmul(n.arg("a"), n.arg("b")) }),
		"averagePool2d":         webNNPool(averagePool2D(false)),
		"maxPool2d":             webNNPool(maxPool2D),
		"notEqual":              one(func(n *node) graph.Tensor { return n.arg("a").Binary("equal", n.arg("b")).Scale(-1, 1) }),
		"prelu":                 one(webNNPReLU),
		"reshape":               one(func(n *node) graph.Tensor { return n.arg("input").Reshape(n.shape("newShape")...) }),
		"slice":                 one(webNNSlice),
		"softmax":               one(webNNSoftmax),
		"split":                 webNNSplit,
		"transpose":             one(webNNTranspose),
	}
	for _, name := range strings.Fields("abs ceil erf exp floor identity log neg reciprocal relu sigmoid sign softplus sqrt tanh") {
		table[name] = one(func(n *node) graph.Tensor { return n.arg("input").Unary(name) })
	}
	for name, f := range map[string]struct {
		f           string
		alpha, beta float64
	}{
		"elu": {"elu", 1, 0}, "leakyRelu": {"leaky_relu", 0.01, 0}, "hardSigmoid": {"hard_sigmoid", 0.2, 0.5}, "linear": {"affine", 1, 0},
	} {
		table[name] = one(func(n *node) graph.Tensor {
			return n.arg("input").UnaryWith(f.f, float32(n.attrs.float("alpha", f.alpha)), float32(n.attrs.float("beta", f.beta)))
		})
	}
	table["hardSwish"] = one(func(n *node) graph.Tensor { return n.arg("input").UnaryWith("hard_swish", 1.0/6, 0.5) })
	for name, f := range map[string]string{
		"add": "add", "sub": "sub", "mul": "mul", "div": "div", "max": "max", "min": "min", "pow": "pow", "equal": "equal",
		"greater": "greater", "greaterOrEqual": "greater_or_equal", "lesser": "lesser", "lesserOrEqual": "lesser_or_equal",
	} {
		table[name] = one(func(n *node) graph.Tensor { return n.arg("a").Binary(f, n.arg("b")) })
	}
	for name, f := range map[string]string{
		"reduceSum": "sum", "reduceMean": "mean", "reduceMax": "max", "reduceMin": "min", "reduceProduct": "product",
		"reduceSumSquare": "sumsquare", "reduceL1": "l1", "reduceL2": "l2", "reduceLogSum": "logsum", "reduceLogSumExp": "logsumexp",
	} {
		table[name] = one(func(n *node) graph.Tensor {
			x := n.arg("input")
			axes := allAxes(len(x.Shape()))
			if n.attrs.has("axes") {
				axes = axesOf(n.attrs.ints("axes"), len(axes))
			}
			return reduce(x, f, axes, n.attrs.bool("keepDimensions"))
		})
	}
	return table
}

// arg returns the operand that an argument names, which must be there.
func (n *node) arg(name string) graph.Tensor {
	t := n.option(name)
	if t.Graph() == nil {
		mismatch("%s lacks argument %s", n.Op, name)
	}
	return t
}

// option returns the operand that an option names, the zero Tensor where there
// is none.
func (n *node) option(name string) graph.Tensor {
	if operand := n.attrs.string(name, ""); operand != "" {
		return n.tensor(n.named(operand))
	}
	return graph.Tensor{}
}

// shape returns a list of integers that may be empty.
func (n *node) shape(name string) []int {
	if !n.attrs.has(name) {
		mismatch("%s lacks %s", n.Op, name)
	}
	return n.attrs.ints(name)
}

func webNNBatchNormalization(n *node) []graph.Tensor {
	x := n.arg("input")
	axis := normal(n.attrs.int("axis", 1), len(x.Shape()))
	return []graph.Tensor{batchNorm(x, n.option("scale"), n.option("bias"), n.arg("mean"), n.arg("variance"), axis, n.attrs.float("epsilon", 1e-5))}
}

func webNNClamp(n *node) graph.Tensor {
	return clamp(n.arg("input"), n.attrs.float("minValue", nan()), n.attrs.float("maxValue", nan()))
}

func webNNConcat(n *node) []graph.Tensor {
	names, _ := n.attrs.get("inputs").([]any)
	var parts []graph.Tensor
	for _, name := range names {
		s, _ := name.(string)
		parts = append(parts, n.tensor(n.named(s)))
	}
	if len(parts) == 0 {
		mismatch("concat of nothing")
	}
	return []graph.Tensor{n.g.Concat(normal(n.attrs.int("axis", 0), len(parts[0].Shape())), parts...)}
}

// webNNConv2D converts the layouts of input and filter to the engine's and the
// result back.
func webNNConv2D(n *node) []graph.Tensor {
	if n.attrs.int("groups", 1) != 1 {
		unsupported("conv2d with option groups ≠ 1")
	}
	x, f := n.layout(n.arg("input"), "inputLayout"), n.arg("filter")
	layout := n.attrs.string("filterLayout", "oihw")
	perm := make([]int, 4)
	for i, dimension := range "ohwi" {
		if perm[i] = strings.IndexRune(layout, dimension); perm[i] < 0 || len(layout) != 4 {
			mismatch("conv2d with filterLayout %s", layout)
		}
	}
	f = transpose(f, perm)
	y := convolve(x, f, n.webNNWindow(f.Shape()[1:3]))
	if bias := n.option("bias"); bias.Graph() != nil {
		y = y.Add(bias)
	}
	return []graph.Tensor{n.layoutBack(y, "inputLayout")}
}

// layout returns t, laid out as an option says, as [N H W C].
func (n *node) layout(t graph.Tensor, option string) graph.Tensor {
	if len(t.Shape()) != 4 {
		mismatch("%s of shape %v", n.Op, t.Shape())
	}
	switch layout := n.attrs.string(option, "nchw"); layout {
	case "nchw":
		return channelsLast(t)
	case "nhwc":
		return t
	default:
		mismatch("%s with %s %s", n.Op, option, layout)
	}
	return t
}

// layoutBack is the inverse of layout.
func (n *node) layoutBack(t graph.Tensor, option string) graph.Tensor {
	if n.attrs.string(option, "nchw") == "nchw" {
		return channelsFirst(t)
	}
	return t
}

func webNNPool(f pooling2D) func(n *node) []graph.Tensor {
	return func(n *node) []graph.Tensor {
		x := n.layout(n.arg("input"), "layout")
		kernel := n.attrs.ints("windowDimensions")
		if kernel == nil {
			kernel = slices.Clone(x.Shape()[1:3])
		}
		if len(kernel) != 2 {
			mismatch("%s with windowDimensions %v", n.Op, kernel)
		}
		w := n.webNNWindow(kernel)
		for _, name := range []string{"roundingType", "outputShapeRounding"} {
			w.ceil = w.ceil || n.attrs.string(name, "floor") == "ceil"
		}
		// Explicit sizes are one of the two roundings, and override them.
		if sizes := n.attrs.ints("outputSizes"); sizes != nil {
			w.ceil = false
			if y := pool(x, w, f); !slices.Equal(y.Shape()[1:3], sizes) {
				w.ceil = true
			}
		}
		return []graph.Tensor{n.layoutBack(pool(x, w, f), "layout")}
	}
}

func webNNGather(n *node) []graph.Tensor {
	x, ids := n.arg("input"), n.named(n.attrs.string("indices", ""))
	if ids.value == nil {
		unsupported("gather with computed indices")
	}
	axis := normal(n.attrs.int("axis", 0), len(x.Shape()))
	return []graph.Tensor{gather(x, axis, n.indices(ids.value, x.Dim(axis)), ids.value.Shape)}
}

func webNNGemm(n *node) []graph.Tensor {
	var addend *graph.Tensor
	if c := n.option("c"); c.Graph() != nil {
		addend = &c
	}
	a := n.attrs
	return []graph.Tensor{gemm(n.arg("a"), n.arg("b"), addend, a.float("alpha", 1), a.float("beta", 1), a.bool("aTranspose"), a.bool("bTranspose"))}
}

func webNNInstanceNormalization(n *node) []graph.Tensor {
	x, nhwc := n.arg("input"), n.attrs.string("layout", "nchw") == "nhwc"
	if nhwc {
		x = channelsFirst(x)
	}
	y := instanceNorm(x, n.option("scale"), n.option("bias"), n.attrs.float("epsilon", 1e-5))
	if nhwc {
		y = channelsLast(y)
	}
	return []graph.Tensor{y}
}

// webNNLayerNormalization normalises all dimensions but the first unless axes
// are given; scale and bias have the order of the axes.
func webNNLayerNormalization(n *node) []graph.Tensor {
	x := n.arg("input")
	rank := len(x.Shape())
	axes := allAxes(rank)[min(1, rank):]
	if n.attrs.has("axes") {
		axes = n.attrs.ints("axes")
		for i, a := range axes {
			axes[i] = normal(a, rank)
		}
	}
	y, _, _ := layerNorm(x, n.option("scale"), n.option("bias"), axes, n.attrs.float("epsilon", 1e-5))
	return []graph.Tensor{y}
}

// webNNPReLU is max(x, 0) + slope·min(x, 0).
func webNNPReLU(n *node) graph.Tensor {
	x, zero := n.arg("input"), n.g.Constant(0)
	return x.ReLU().Add(x.Binary("min", zero).Mul(n.arg("slope")))
}

func webNNSlice(n *node) graph.Tensor {
	x := n.arg("input")
	start, size := n.shape("starts"), n.shape("sizes")
	step := n.list("strides", len(start), 1)
	if len(start) != len(x.Shape()) || len(size) != len(start) {
		mismatch("slice from %v of sizes %v of shape %v", start, size, x.Shape())
	}
	taken := make([]int, len(size))
	for i, d := range size {
		if step[i] < 1 {
			mismatch("slice with strides %v", step)
		}
		taken[i] = (d + step[i] - 1) / step[i]
	}
	return x.SliceStep(start, taken, step)
}

func webNNSoftmax(n *node) graph.Tensor {
	x := n.arg("input")
	return x.Softmax(normal(n.attrs.int("axis", len(x.Shape())-1), len(x.Shape())))
}

// webNNSplit cuts into a number of equal parts, or into parts of given sizes.
func webNNSplit(n *node) []graph.Tensor {
	x := n.arg("input")
	axis := normal(n.attrs.int("axis", 0), len(x.Shape()))
	var sizes []int
	if _, list := n.attrs.get("splits").([]any); list {
		sizes = n.attrs.ints("splits")
	} else {
		parts := n.attrs.int("splits", 1)
		if parts < 1 || x.Dim(axis)%parts != 0 {
			mismatch("split of %v into %d", x.Shape(), parts)
		}
		for range parts {
			sizes = append(sizes, x.Dim(axis)/parts)
		}
	}
	return split(x, axis, sizes)
}

func webNNTranspose(n *node) graph.Tensor {
	x := n.arg("input")
	perm := allAxes(len(x.Shape()))
	slices.Reverse(perm)
	if n.attrs.has("permutation") {
		perm = n.attrs.ints("permutation")
	}
	return x.Transpose(perm...)
}
