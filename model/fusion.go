package model

import (
	"slices"

	"duet/model/graph"
	"duet/model/nn"
)

// A FusionKind names how the picture's vector v and the words' vector t become one.
type FusionKind string

// The fusions. L is the linear layer named fusion, Dim wide.
const (
	Concat         FusionKind = "concat"          // L([v;t]): purely additive
	ConcatGELU     FusionKind = "concat_gelu"     // GELU(L([v;t]))
	ConcatProduct  FusionKind = "concat_product"  // GELU(L([v;t;v∘t]))
	Gated          FusionKind = "gated"           // L(softmax(z)∘z), z = [v;t]
	Hadamard       FusionKind = "hadamard"        // L(v∘t)
	CrossAttention FusionKind = "cross_attention" // L(first state of LayerNorm(H + attention of the words over the feature map))
	ImageOnly      FusionKind = "image"           // L(v): no text tower
	TextOnly       FusionKind = "text"            // L(t): no image tower
)

// FusionKinds lists all fusions.
var FusionKinds = []FusionKind{Concat, ConcatGELU, ConcatProduct, Gated, Hadamard, CrossAttention, ImageOnly, TextOnly}

func (k FusionKind) known() bool { return slices.Contains(FusionKinds, k) }

// A Fusion is the fusion layer of a model.
type Fusion struct {
	Kind   FusionKind
	Linear *nn.Linear // fusion
	Cross  *Cross     // cross_attention only
}

// A Cross is the attention of words over the feature map.
type Cross struct {
	Query, Key, Value, Output *nn.Linear // cross_attn.*_proj
	Norm                      *nn.LayerNorm
	Heads                     int
}

func newFusion(ps *nn.Params, s Shape) *Fusion {
	f := &Fusion{Kind: s.Fusion}
	in := s.Dim
	switch s.Fusion {
	case Concat, ConcatGELU, Gated:
		in = 2 * s.Dim
	case ConcatProduct:
		in = 3 * s.Dim
	case CrossAttention:
		h := s.Text.Hidden
		in = h
		f.Cross = &Cross{
			Query:  nn.NewLinear(ps, "cross_attn.q_proj", h, h),
			Key:    nn.NewLinear(ps, "cross_attn.k_proj", s.Dim, h),
			Value:  nn.NewLinear(ps, "cross_attn.v_proj", s.Dim, h),
			Output: nn.NewLinear(ps, "cross_attn.out_proj", h, h),
			Norm:   nn.NewLayerNorm(ps, "cross_norm", h, 1e-5),
			Heads:  s.Text.Heads,
		}
	}
	f.Linear = nn.NewLinear(ps, "fusion", in, s.Dim)
	return f
}

// Forward returns the fused vector [B Dim].
func (f *Fusion) Forward(m *VLM, features Features, out Outputs, mode *nn.Mode) graph.Tensor {
	switch f.Kind {
	case ImageOnly:
		return f.Linear.Forward(out.Visual, mode)
	case TextOnly:
		return f.Linear.Forward(out.Words, mode)
	case CrossAttention:
		return f.Linear.Forward(f.Cross.forward(m, features, mode), mode)
	case Gated:
		g := out.Visual.Graph()
		return f.Linear.Forward(g.Concat(1, out.Visual, out.Words).Gate(), mode)
	}
	g := out.Visual.Graph()
	layer := func(weight, bias graph.Tensor) graph.Tensor {
		return g.Fusion(out.Visual, out.Words, weight, bias, f.Kind != Hadamard, f.Kind == Hadamard || f.Kind == ConcatProduct)
	}
	y := layer(f.Linear.Weight.Tensor(g, mode.Train), f.Linear.Bias.Tensor(g, mode.Train))
	if l := f.Linear.LoRA; l != nil {
		y = y.Add(l.Forward(layer(l.A.Tensor(g, mode.Train), g.Constant(0, l.A.Shape[0])), mode))
	}
	if f.Kind == ConcatGELU || f.Kind == ConcatProduct {
		y = y.GELU()
	}
	return y
}

// forward returns the first state after its attention over the feature map,
// [B Hidden]. The other states' would not be looked at.
func (c *Cross) forward(m *VLM, f Features, mode *nn.Mode) graph.Tensor {
	s := f.Visual.Shape()
	tokens := m.VisualProj.Forward(f.Visual.Reshape(s[0], s[1]*s[2], s[3]), mode) // [B h·w Dim]
	h := f.Words.Reshape(s[0], 1, f.Words.Dim(1))
	a := graph.Attention{Heads: c.Heads}.Attend(c.Query.Forward(h, mode), c.Key.Forward(tokens, mode), c.Value.Forward(tokens, mode))
	return c.Norm.Forward(c.Output.Forward(a, mode).Add(h), mode).Select(1, 0)
}
