package conform

import (
	"slices"

	"duet/model/graph"
)

// gradientOperators maps the operators of torch-gradients, whose layouts are
// PyTorch's, to the graph's.
func gradientOperators() map[string]func(*node) []graph.Tensor {
	table := map[string]func(*node) []graph.Tensor{
		"attention":          torchAttention,
		"batch_norm":         torchBatchNorm,
		"bce_with_logits":    one(func(n *node) graph.Tensor { n.meanOnly(); return n.in(0).BCEWithLogits(n.in(1)) }),
		"concat":             onnxConcat,
		"conv2d":             torchConv2D,
		"cross_entropy":      torchCrossEntropy,
		"cross_entropy_soft": torchCrossEntropy,
		"embedding":          torchEmbedding,
		"gelu_erf":           one(func(n *node) graph.Tensor { return n.in(0).GELU() }),
		"global_mean_pool":   one(func(n *node) graph.Tensor { return channelsLast(n.in(0)).MeanPool() }),
		"l2_normalize":       one(func(n *node) graph.Tensor { return n.in(0).L2Normalize(float32(n.attrs.float("eps", 1e-12))) }),
		"layer_norm": one(func(n *node) graph.Tensor {
			return n.in(0).LayerNorm(n.in(1), n.in(2), float32(n.attrs.float("eps", 1e-5)))
		}),
		"linear":      torchLinear,
		"log_softmax": one(func(n *node) graph.Tensor { return n.in(0).LogSoftmax(n.attrs.int("axis", -1)) }),
		"matmul": one(func(n *node) graph.Tensor {
			return n.in(0).MatMul(n.in(1), n.attrs.bool("transpose_a"), n.attrs.bool("transpose_b"))
		}),
		"max_pool2d": torchMaxPool2D,
		"softmax":    one(func(n *node) graph.Tensor { return n.in(0).Softmax(n.attrs.int("axis", -1)) }),
	}
	for _, f := range []string{"exp", "relu", "sigmoid", "silu", "softplus", "tanh"} {
		table[f] = one(func(n *node) graph.Tensor { return n.in(0).Unary(f) })
	}
	for _, f := range []string{"add", "sub", "mul"} {
		table[f] = one(func(n *node) graph.Tensor { return n.in(0).Binary(f, n.in(1)) })
	}
	return table
}

// meanOnly refuses losses that are not the mean.
func (n *node) meanOnly() {
	if n.attrs.string("reduction", "mean") != "mean" {
		unsupported("%s with attribute reduction ≠ mean", n.Op)
	}
}

// torchAttention takes q, k, v [B T H Dh] and a mask [B Tk], true where a key is
// seen: the keys beyond a length are hidden.
func torchAttention(n *node) []graph.Tensor {
	n.attrs.ignore("layout", "mask") // notes for the reader
	q, k, v := n.in(0), n.in(1), n.in(2)
	flat := func(t graph.Tensor) graph.Tensor { return t.Reshape(t.Dim(0), t.Dim(1), t.Dim(2)*t.Dim(3)) }
	a := graph.Attention{Heads: q.Dim(2), KVHeads: k.Dim(2), Scale: float32(n.attrs.float("scale", 0))}
	if mask := n.stated(3); mask != nil {
		keys := k.Dim(1)
		lengths := make([]int, q.Dim(0))
		for i, seen := range mask.ints() {
			if seen != 0 {
				if lengths[i/keys]++; lengths[i/keys] != i%keys+1 {
					unsupported("attention with a mask that is no length")
				}
			}
		}
		a.Lengths = n.constant(intBytes(lengths), len(lengths))
	}
	y := a.Attend(flat(q), flat(k), flat(v))
	return []graph.Tensor{y.Reshape(q.Dim(0), q.Dim(1), q.Dim(2), v.Dim(3))}
}

func torchBatchNorm(n *node) []graph.Tensor {
	n.attrs.ignore("momentum") // of the running statistics, which the files do not state after the step
	x, weight, bias, mean, variance := n.in(0), n.in(1), n.in(2), n.in(3), n.in(4)
	eps := n.attrs.float("eps", 1e-5)
	if !n.attrs.bool("training") {
		return []graph.Tensor{batchNorm(x, weight, bias, mean, variance, 1, eps)}
	}
	return []graph.Tensor{channelsFirst(channelsLast(x).BatchNorm(weight, bias, mean, variance, float32(eps), 0))}
}

// pair returns an attribute that is one number for both directions, or two.
func (n *node) pair(name string, otherwise int) []int {
	v := n.attrs.ints(name)
	switch len(v) {
	case 0:
		return []int{otherwise, otherwise}
	case 1:
		return []int{v[0], v[0]}
	}
	return n.list(name, 2, otherwise)
}

func torchConv2D(n *node) []graph.Tensor {
	x, f := n.in(0), n.in(1)
	pad := n.pair("padding", 0)
	w := window{kernel: f.Shape()[2:], stride: n.pair("stride", 1), before: pad, behind: pad, dilation: n.pair("dilation", 1)}
	y := convolve(channelsLast(x), channelsLast(f), w)
	if bias, ok := n.optional(2); ok {
		y = y.Add(bias)
	}
	return []graph.Tensor{channelsFirst(y)}
}

func torchMaxPool2D(n *node) []graph.Tensor {
	kernel, pad := n.pair("kernel", 1), n.pair("padding", 0)
	w := window{kernel: kernel, stride: slices.Clone(kernel), before: pad, behind: pad, dilation: n.pair("dilation", 1)}
	if n.attrs.has("stride") {
		w.stride = n.pair("stride", 1)
	}
	return []graph.Tensor{channelsFirst(pool(channelsLast(n.in(0)), w, maxPool2D))}
}

func torchLinear(n *node) []graph.Tensor {
	y := n.in(0).Linear(n.in(1))
	if bias, ok := n.optional(2); ok {
		y = y.Add(bias)
	}
	return []graph.Tensor{y}
}

func torchEmbedding(n *node) []graph.Tensor {
	table, ids := n.in(0), n.stated(1)
	if ids == nil || ids.isFloat() {
		mismatch("embedding without ids")
	}
	return []graph.Tensor{table.Graph().Embedding(n.constant(intBytes(ids.ints()), ids.Shape...), table)}
}

// torchCrossEntropy takes class indices or, where they are real numbers,
// distributions.
func torchCrossEntropy(n *node) []graph.Tensor {
	n.meanOnly()
	loss := graph.CrossEntropy{Smoothing: float32(n.attrs.float("label_smoothing", 0)), IgnoreIndex: n.attrs.int("ignore_index", -100)}
	if loss.IgnoreIndex == 0 {
		unsupported("%s with attribute ignore_index 0", n.Op)
	}
	loss.Weights, _ = n.optional(2)
	targets := n.stated(1)
	if targets == nil {
		mismatch("%s without targets", n.Op)
	}
	content := targets.floats()
	if !targets.isFloat() {
		content = intBytes(targets.ints())
	}
	return []graph.Tensor{loss.Loss(n.in(0), n.constant(content, targets.Shape...))}
}
