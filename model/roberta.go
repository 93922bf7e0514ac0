package model

import (
	"fmt"

	"duet/model/graph"
	"duet/model/nn"
)

// A RoBERTa is the text tower: a post-norm transformer encoder with Hugging
// Face's keys. Positions start at the padding id + 1.
type RoBERTa struct {
	Word, Position, Type *nn.Embedding
	Norm                 *nn.LayerNorm
	Layers               []*EncoderLayer
	Heads                int
}

// An EncoderLayer is attention and a feed-forward network, each with a
// residual and a layer-norm behind it.
type EncoderLayer struct {
	Query, Key, Value, Output *nn.Linear
	AttentionNorm             *nn.LayerNorm
	Up, Down                  *nn.Linear
	OutputNorm                *nn.LayerNorm
}

// TextShape is the size of a RoBERTa.
type TextShape struct {
	Vocab, Positions, Hidden, Layers, Heads, Intermediate int
	Pad                                                   int     // id of the padding token
	Eps                                                   float32 // of the layer-norms
	Std                                                   float32 // of the initial weights
}

// NewRoBERTa defines a text tower under the key prefix ("text.").
func NewRoBERTa(ps *nn.Params, prefix string, s TextShape) *RoBERTa {
	normal, zero := nn.Init{Kind: nn.Normal, Bound: s.Std, Zero: -1}, nn.Init{}
	linear := func(name string, in, out int) *nn.Linear {
		return nn.NewLinearInit(ps, name, in, out, normal, zero)
	}
	e := prefix + "embeddings."
	r := &RoBERTa{
		Word:     nn.NewEmbedding(ps, e+"word_embeddings", s.Vocab, s.Hidden, s.Std, s.Pad),
		Position: nn.NewEmbedding(ps, e+"position_embeddings", s.Positions, s.Hidden, s.Std, s.Pad),
		Type:     nn.NewEmbedding(ps, e+"token_type_embeddings", 1, s.Hidden, s.Std, -1),
		Norm:     nn.NewLayerNorm(ps, e+"LayerNorm", s.Hidden, s.Eps),
		Heads:    s.Heads,
	}
	for i := range s.Layers {
		p := fmt.Sprintf("%sencoder.layer.%d.", prefix, i)
		r.Layers = append(r.Layers, &EncoderLayer{
			Query:         linear(p+"attention.self.query", s.Hidden, s.Hidden),
			Key:           linear(p+"attention.self.key", s.Hidden, s.Hidden),
			Value:         linear(p+"attention.self.value", s.Hidden, s.Hidden),
			Output:        linear(p+"attention.output.dense", s.Hidden, s.Hidden),
			AttentionNorm: nn.NewLayerNorm(ps, p+"attention.output.LayerNorm", s.Hidden, s.Eps),
			Up:            linear(p+"intermediate.dense", s.Hidden, s.Intermediate),
			Down:          linear(p+"output.dense", s.Intermediate, s.Hidden),
			OutputNorm:    nn.NewLayerNorm(ps, p+"output.LayerNorm", s.Hidden, s.Eps),
		})
	}
	return r
}

// A TextBatch is tokenised text as graph inputs.
type TextBatch struct {
	IDs       graph.Tensor // [B T] uint32
	Positions graph.Tensor // [B T] uint32: padding id + 1, + 2, … ; the padding id at padding
	Lengths   graph.Tensor // [B] uint32: tokens before the padding
}

// Forward returns the last hidden states [B T Hidden]. The states are kept as
// [B·T Hidden] between layers, so that every linear layer is one matrix product
// with its bias, residual and activation.
func (r *RoBERTa) Forward(in TextBatch, m *nn.Mode) graph.Tensor {
	b, t := in.IDs.Dim(0), in.IDs.Dim(1)
	x := r.Word.Forward(in.IDs.Reshape(b*t), m).
		Add(r.Position.Forward(in.Positions.Reshape(b*t), m)).
		Add(r.Type.Weight.Tensor(in.IDs.Graph(), m.Train).Reshape(-1))
	x = m.Drop(r.Norm.Forward(x, m))
	for _, l := range r.Layers {
		x = l.Forward(x, b, t, r.Heads, in.Lengths, m)
	}
	return x.Reshape(b, t, -1)
}

// Forward maps states x [B·T Hidden] to the same shape.
func (l *EncoderLayer) Forward(x graph.Tensor, b, t, heads int, lengths graph.Tensor, m *nn.Mode) graph.Tensor {
	split := func(y graph.Tensor) graph.Tensor { return y.Reshape(b, t, -1) }
	a := graph.Attention{Heads: heads, Lengths: lengths}.Attend(
		split(l.Query.Forward(x, m)), split(l.Key.Forward(x, m)), split(l.Value.Forward(x, m)))
	a = m.Drop(l.Output.Forward(a.Reshape(b*t, -1), m))
	x = l.AttentionNorm.Forward(a.Add(x), m)
	f := l.Up.Forward(x, m).GELU()
	f = m.Drop(l.Down.Forward(f, m))
	return l.OutputNorm.Forward(f.Add(x), m)
}

// Positions returns RoBERTa's position ids for ids: padding id + 1 + the number
// of earlier tokens that are not padding, and the padding id at padding.
func Positions(ids []uint32, pad uint32) []uint32 {
	out := make([]uint32, len(ids))
	next := pad + 1
	for i, id := range ids {
		out[i] = pad
		if id != pad {
			out[i] = next
			next++
		}
	}
	return out
}
