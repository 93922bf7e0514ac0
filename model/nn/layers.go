package nn

import (
	"duet/model/graph"
	"duet/shaders"
)

// A Mode is what a forward pass is built for.
type Mode struct {
	Train       bool         // parameters are trainable, dropout is on
	BatchStats  bool         // batch-norm uses the batch's statistics and updates the running ones
	Momentum    float32      // of that update; 0 leaves the running statistics alone
	Dropout     float32      // probability where a model has dropout
	RNG         graph.Tensor // state of dropout, see graph.Tensor.Dropout
	dropoutSalt uint32
}

// Drop applies dropout in training; every call has its own random stream.
func (m *Mode) Drop(x graph.Tensor) graph.Tensor {
	if !m.Train || m.Dropout == 0 {
		return x
	}
	m.dropoutSalt++
	return x.Dropout(m.RNG, m.Dropout, m.dropoutSalt)
}

// Linear is y = x·Wᵀ + b over the last dimension.
type Linear struct {
	Weight *Param // [out in]
	Bias   *Param // [out]
	LoRA   *LoRA  // beside the weight, or nil
}

// NewLinear defines a linear layer with PyTorch's initialisation.
func NewLinear(ps *Params, name string, in, out int) *Linear {
	return NewLinearInit(ps, name, in, out, linearInit(in), linearInit(in))
}

// NewLinearInit defines a linear layer.
func NewLinearInit(ps *Params, name string, in, out int, weight, bias Init) *Linear {
	l := &Linear{Weight: ps.Add(name+".weight", weight, out, in), Bias: ps.Add(name+".bias", bias, out)}
	l.Bias.NoDecay = true
	return l
}

// Forward maps x [… in] to [… out].
func (l *Linear) Forward(x graph.Tensor, m *Mode) graph.Tensor {
	g := x.Graph()
	shape := append([]int{}, x.Shape()...)
	shape[len(shape)-1] = l.Weight.Shape[0]
	x = x.Reshape(-1, x.Dim(-1))
	y := linear(x, l.Weight, m).Add(l.Bias.Tensor(g, m.Train))
	if l.LoRA != nil {
		y = y.Add(l.LoRA.Forward(linear(x, l.LoRA.A, m), m))
	}
	return y.Reshape(shape...)
}

// linear is x·wᵀ for a weight in any format.
func linear(x graph.Tensor, w *Param, m *Mode) graph.Tensor {
	g := x.Graph()
	if w.Format == shaders.F32 {
		return x.Linear(w.Tensor(g, m.Train))
	}
	return x.LinearPacked(w.Tensor(g, false), w.scale(g))
}

// scale returns the scales of the rows of a packed weight, or the zero Tensor.
func (p *Param) scale(g *graph.Graph) graph.Tensor {
	if s := p.Scales(g); len(s) > 0 {
		return s[0]
	}
	return graph.Tensor{}
}

// Conv2D is a convolution without bias, as ResNets have it.
type Conv2D struct {
	Weight      *Param // [O I K K]
	Stride, Pad int
}

// NewConv2D defines a convolution with torchvision's initialisation.
func NewConv2D(ps *Params, name string, in, out, kernel, stride, pad int) *Conv2D {
	return &Conv2D{Weight: ps.Add(name+".weight", kaimingFanOut(out, kernel), out, in, kernel, kernel), Stride: stride, Pad: pad}
}

// BatchNorm normalises the channels of a feature map.
type BatchNorm struct {
	Gamma, Beta    *Param // weight and bias of the checkpoint
	Mean, Variance *Param // running statistics
	Eps            float32
}

// NewBatchNorm defines a batch-norm layer of c channels.
func NewBatchNorm(ps *Params, name string, c int) *BatchNorm {
	b := &BatchNorm{
		Gamma:    ps.Add(name+".weight", Init{Bound: 1}, c),
		Beta:     ps.Add(name+".bias", Init{}, c),
		Mean:     ps.Add(name+".running_mean", Init{}, c),
		Variance: ps.Add(name+".running_var", Init{Bound: 1}, c),
		Eps:      1e-5,
	}
	b.Gamma.NoDecay, b.Beta.NoDecay = true, true
	b.Mean.State, b.Variance.State = true, true
	b.Mean.Trainable, b.Variance.Trainable = false, false
	return b
}

// ConvNorm applies a convolution followed by batch-norm. With frozen statistics
// the two are one convolution with weights w·s and bias β − mean·s, where
// s = γ/√(variance + eps): folded by plain graph arithmetic, so that training
// still reaches w, γ and β, and inference folds once at set-up. A layer that is
// not trained keeps its statistics, too. Packed weights stay as they are, and s
// multiplies what comes out.
func ConvNorm(c *Conv2D, b *BatchNorm, x graph.Tensor, m *Mode) graph.Tensor {
	g := x.Graph()
	w, gamma, beta := c.Weight.Tensor(g, m.Train), b.Gamma.Tensor(g, m.Train), b.Beta.Tensor(g, m.Train)
	if m.BatchStats && (!m.Train || c.Weight.Trainable || b.Gamma.Trainable || b.Beta.Trainable) {
		mean := g.State(b.Mean.Name, b.Mean.Shape, b.Mean.Places()[0].Slot)
		variance := g.State(b.Variance.Name, b.Variance.Shape, b.Variance.Places()[0].Slot)
		return x.Conv2D(w, c.Stride, c.Pad).BatchNorm(gamma, beta, mean, variance, b.Eps, m.Momentum)
	}
	mean, variance := b.Mean.Tensor(g, false), b.Variance.Tensor(g, false)
	s := gamma.Mul(variance.Scale(1, b.Eps).Unary("sqrt").Unary("reciprocal"))
	if c.Weight.Format != shaders.F32 {
		scale := s
		if rows := c.Weight.scale(g); rows.Graph() != nil {
			scale = s.Mul(rows)
		}
		return x.Conv2DPacked(w, scale, c.Stride, c.Pad).Add(beta.Sub(mean.Mul(s)))
	}
	folded := w.Mul(s.Reshape(s.Len(), 1, 1, 1))
	return x.Conv2D(folded, c.Stride, c.Pad).Add(beta.Sub(mean.Mul(s)))
}

// LayerNorm normalises the last dimension.
type LayerNorm struct {
	Gamma, Beta *Param
	Eps         float32
}

// NewLayerNorm defines a layer-norm of width d.
func NewLayerNorm(ps *Params, name string, d int, eps float32) *LayerNorm {
	l := &LayerNorm{Gamma: ps.Add(name+".weight", Init{Bound: 1}, d), Beta: ps.Add(name+".bias", Init{}, d), Eps: eps}
	l.Gamma.NoDecay, l.Beta.NoDecay = true, true
	return l
}

// Forward normalises x [… d].
func (l *LayerNorm) Forward(x graph.Tensor, m *Mode) graph.Tensor {
	g := x.Graph()
	return x.LayerNorm(l.Gamma.Tensor(g, m.Train), l.Beta.Tensor(g, m.Train), l.Eps)
}

// Embedding is a table of vectors.
type Embedding struct {
	Weight *Param // [V D]
}

// NewEmbedding defines a table with normal entries; row zero stays zero when ≥ 0.
func NewEmbedding(ps *Params, name string, v, d int, std float32, zero int) *Embedding {
	e := &Embedding{Weight: ps.Add(name+".weight", Init{Kind: Normal, Bound: std, Zero: zero}, v, d)}
	e.Weight.ByRows = true
	return e
}

// Forward looks up ids.
func (e *Embedding) Forward(ids graph.Tensor, m *Mode) graph.Tensor {
	g := ids.Graph()
	return g.EmbeddingPacked(ids, e.Weight.Tensors(g, m.Train), e.Weight.Scales(g))
}
