package conform

import (
	"math"
	"slices"

	"duet/model/graph"
)

// onnxAttention maps the operator of versions 23 and 24: queries, keys and
// values [B T H·D] or [B H T D], a mask, cached keys and values, and the number
// of keys that are no padding. The attention kernel computes the first output
// unless scores are capped; the scores of the fourth are a product of their own.
func onnxAttention(n *node) []graph.Tensor {
	a := n.readAttention()
	out := make([]graph.Tensor, 4)
	if n.wants(1) || n.wants(2) {
		out[1], out[2] = a.k, a.v
	}
	if a.softcap != 0 || n.wants(3) {
		var y graph.Tensor
		y, out[3] = a.compose(n)
		if a.softcap != 0 {
			out[0] = a.shaped(y)
			return out
		}
	}
	out[0] = a.shaped(a.attend())
	return out
}

// attentionOperands are the operands of attention as [B H T D].
type attentionOperands struct {
	q, k, v graph.Tensor
	mask    graph.Tensor // [B|1 H|1 Tq Tk], added to the scores
	lengths graph.Tensor
	scale   float64
	softcap float64
	flat    bool // the output is [B T H·D]
}

func (n *node) readAttention() *attentionOperands {
	n.attrs.ignore("softmax_precision") // a precision of float32 at least, which is ours
	a := &attentionOperands{q: n.in(0), k: n.in(1), v: n.in(2), softcap: n.attrs.float("softcap", 0)}
	heads, kvHeads := n.attrs.int("q_num_heads", 0), n.attrs.int("kv_num_heads", 0)
	if a.flat = len(a.q.Shape()) == 3; a.flat {
		a.q, a.k, a.v = splitHeads(a.q, heads), splitHeads(a.k, kvHeads), splitHeads(a.v, kvHeads)
	}
	a.scale = n.attrs.float("scale", 1/math.Sqrt(float64(a.q.Dim(3))))
	past := 0
	if k, ok := n.optional(4); ok {
		past = k.Dim(2)
		a.k, a.v = n.g.Concat(2, k, a.k), n.g.Concat(2, n.in(5), a.v)
	}
	if v := n.stated(6); v != nil {
		if n.attrs.bool("is_causal") {
			unsupported("Attention with attribute is_causal and input 6")
		}
		a.lengths = n.constant(intBytes(v.ints()), v.Len())
	}
	a.mask = n.attentionMask(a.q.Dim(2), a.k.Dim(2))
	if n.attrs.bool("is_causal") {
		causal := n.causalMask(a.q.Dim(2), a.k.Dim(2), past)
		if a.mask.Graph() != nil {
			causal = a.mask.Add(causal)
		}
		a.mask = causal
	}
	return a
}

// splitHeads turns [B T H·D] into [B H T D].
func splitHeads(t graph.Tensor, heads int) graph.Tensor {
	if heads < 1 || t.Dim(2)%heads != 0 {
		mismatch("%d heads of shape %v", heads, t.Shape())
	}
	return t.Reshape(t.Dim(0), t.Dim(1), heads, t.Dim(2)/heads).Transpose(0, 2, 1, 3)
}

// joinHeads is the inverse of splitHeads.
func joinHeads(t graph.Tensor) graph.Tensor {
	s := t.Shape()
	return t.Transpose(0, 2, 1, 3).Reshape(s[0], s[2], s[1]*s[3])
}

// attentionMask returns input 3 as an addend of the scores, or the zero Tensor.
// From version 24 on, a mask that is shorter than the keys hides the rest.
func (n *node) attentionMask(queries, keys int) graph.Tensor {
	o := n.operand(3)
	if o == nil {
		return graph.Tensor{}
	}
	var mask graph.Tensor
	if o.value != nil && o.value.DType == "bool" {
		addend := &Value{DType: "float32", Shape: o.value.Shape}
		for i := range o.value.Len() {
			addend.Data = append(addend.Data, math.Log(o.value.at(i))) // 0 or −∞
		}
		mask = n.constant(addend.floats(), addend.Shape...)
	} else {
		mask = n.in(3)
	}
	shape := slices.Clone(mask.Shape())
	for len(shape) < 4 {
		shape = slices.Insert(shape, 0, 1)
	}
	mask = mask.Reshape(shape...)
	if short := keys - shape[3]; short > 0 && n.c.opset >= 24 {
		hidden := n.g.Constant(float32(math.Inf(-1)), shape[0], shape[1], shape[2], short)
		mask = n.g.Concat(3, mask, hidden)
	}
	return mask.Expand(shape[0], shape[1], queries, keys)
}

// causalMask hides from query i the keys behind i + past.
func (n *node) causalMask(queries, keys, past int) graph.Tensor {
	v := &Value{DType: "float32", Shape: []int{1, 1, queries, keys}, Data: make(data, queries*keys)}
	for i := range v.Data {
		if i%keys > i/keys+past {
			v.Data[i] = math.Inf(-1)
		}
	}
	return n.constant(v.floats(), v.Shape...)
}

// attend runs the attention kernel, as [B H Tq Dv].
func (a *attentionOperands) attend() graph.Tensor {
	kernel := graph.Attention{Heads: a.q.Dim(1), KVHeads: a.k.Dim(1), Scale: float32(a.scale), Lengths: a.lengths, Mask: a.mask}
	return splitHeads(kernel.Attend(joinHeads(a.q), joinHeads(a.k), joinHeads(a.v)), a.q.Dim(1))
}

// compose computes attention step by step, and the scores that the attribute
// qk_matmul_output_mode names: 0 the products, 1 capped, 2 masked, 3 the softmax.
func (a *attentionOperands) compose(n *node) (y, scores graph.Tensor) {
	mode := n.attrs.int("qk_matmul_output_mode", 0)
	if a.lengths.Graph() != nil {
		unsupported("Attention with input 6 and softcap or output 3")
	}
	group := a.q.Dim(1) / a.k.Dim(1)
	var steps [4]graph.Tensor
	steps[0] = scaled(a.q.MatMul(repeatHeads(a.k, group), false, true), a.scale)
	steps[1] = steps[0]
	if a.softcap != 0 {
		if mode == 0 && n.wants(3) {
			unsupported("Attention with softcap and qk_matmul_output_mode 0")
		}
		steps[1] = steps[0].Scale(float32(1/a.softcap), 0).Tanh().Scale(float32(a.softcap), 0)
	}
	steps[2] = steps[1]
	if a.mask.Graph() != nil {
		steps[2] = steps[1].Add(a.mask)
	}
	steps[3] = steps[2].Softmax(-1)
	if mode < 0 || mode >= len(steps) {
		mismatch("qk_matmul_output_mode %d", mode)
	}
	return steps[3].MatMul(repeatHeads(a.v, group), false, false), steps[mode]
}

// repeatHeads repeats each head of t [B H T D] group times.
func repeatHeads(t graph.Tensor, group int) graph.Tensor {
	if group == 1 {
		return t
	}
	s := t.Shape()
	return t.Reshape(s[0], s[1], 1, s[2], s[3]).Expand(s[0], s[1], group, s[2], s[3]).Reshape(s[0], s[1]*group, s[2], s[3])
}

// shaped gives the result [B H T D] the layout of the operands.
func (a *attentionOperands) shaped(y graph.Tensor) graph.Tensor {
	if a.flat {
		return joinHeads(y)
	}
	return y
}
