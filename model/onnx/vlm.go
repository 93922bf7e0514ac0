package onnx

import "duet/model"

// vlm adds the whole model.
func (b *builder) vlm(m *model.VLM) {
	var visual, words value
	if m.Visual != nil {
		visual = b.resnet(m.Visual, pixelValues)
	}
	if m.Text != nil {
		words = b.roberta(m.Text, m.Shape.Text)
		b.in("text.pooling", func() { words = b.pool(m, words) })
	}
	var fused value
	b.in("fusion", func() {
		if m.Shape.Fusion == model.CrossAttention {
			fused = b.linear(m.Fusion.Linear, b.cross(m, visual, words))
			return
		}
		if m.Visual != nil {
			visual = b.linear(m.VisualProj, b.one("Flatten", b.one("GlobalAveragePool", visual)))
		}
		if m.Text != nil {
			words = b.linear(m.TextProj, words)
		}
		fused = b.fuse(m.Fusion, visual, words)
	})
	b.in("classifier", func() {
		c := m.Classifier
		b.put("Gemm", []value{fused, b.param(c.Weight), b.param(c.Bias)}, logits, []attribute{intAttribute("transB", 1)})
	})
}

// pool makes one vector [batch Hidden] of the states [batch tokens Hidden]: the
// first, or the mean over the tokens.
func (b *builder) pool(m *model.VLM, states value) value {
	if !m.Shape.MeanPoolText || m.Shape.Fusion == model.CrossAttention {
		return b.first(states)
	}
	mask := b.two("Unsqueeze", b.one("Cast", attentionMask, intAttribute("to", elementFloat)), b.integers(2))
	overTokens, drop := b.integers(1), intAttribute("keepdims", 0)
	sum := b.two("ReduceSum", b.two("Mul", states, mask), overTokens, drop)
	return b.two("Div", sum, b.two("ReduceSum", mask, overTokens, drop))
}

// fuse makes the fused vector [batch Dim] of the two projections; the one that
// a model lacks is "".
func (b *builder) fuse(f *model.Fusion, v, t value) value {
	both := func(x ...value) value { return b.op("Concat", x, intAttribute("axis", 1)) }
	switch f.Kind {
	case model.ImageOnly:
		return b.linear(f.Linear, v)
	case model.TextOnly:
		return b.linear(f.Linear, t)
	case model.Concat:
		return b.linear(f.Linear, both(v, t))
	case model.ConcatGELU:
		return b.gelu(b.linear(f.Linear, both(v, t)))
	case model.ConcatProduct:
		return b.gelu(b.linear(f.Linear, both(v, t, b.two("Mul", v, t))))
	case model.Gated:
		z := both(v, t)
		return b.linear(f.Linear, b.two("Mul", b.one("Softmax", z, intAttribute("axis", 1)), z))
	case model.Hadamard:
		return b.linear(f.Linear, b.two("Mul", v, t))
	}
	panic("onnx: fusion " + string(f.Kind) + " is not written")
}

// cross is the first state [batch Hidden] after its attention over the feature
// map [batch C h w].
func (b *builder) cross(m *model.VLM, visual, first value) value {
	c, width := m.Fusion.Cross, m.Shape.Text.Hidden
	batch := b.one("Shape", visual, intAttribute("start", 0), intAttribute("end", 1))
	one := b.op("Concat", []value{batch, b.integers(1)}, intAttribute("axis", 0))
	rest := b.op("Concat", []value{batch, b.integers(-1)}, intAttribute("axis", 0))
	tokens := b.linear(m.VisualProj, b.rows(b.transpose(visual, 0, 2, 3, 1), m.Visual.Out))
	a := b.attention(c.Heads, width, "",
		b.split(b.linear(c.Query, first), one, c.Heads, width, query),
		b.split(b.linear(c.Key, tokens), rest, c.Heads, width, key),
		b.split(b.linear(c.Value, tokens), rest, c.Heads, width, query))
	return b.layerNorm(c.Norm, b.two("Add", b.linear(c.Output, a), first))
}
