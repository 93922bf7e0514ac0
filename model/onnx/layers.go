package onnx

import (
	"math"
	"strconv"

	"duet/model"
	"duet/model/nn"
)

// linear maps x [rows in] to [rows out]. Gemm takes the weight as it lies in
// the checkpoint, transposed, which MatMul does not.
func (b *builder) linear(l *nn.Linear, x value) value {
	return b.op("Gemm", []value{x, b.param(l.Weight), b.param(l.Bias)}, intAttribute("transB", 1))
}

func (b *builder) layerNorm(l *nn.LayerNorm, x value) value {
	return b.op("LayerNormalization", []value{x, b.param(l.Gamma), b.param(l.Beta)}, intAttribute("axis", -1), floatAttribute("epsilon", l.Eps))
}

// gelu is the exact form, by the error function; opset 17 has no Gelu.
func (b *builder) gelu(x value) value {
	erf := b.one("Erf", b.two("Div", x, b.number(math.Sqrt2)))
	return b.two("Mul", b.two("Mul", x, b.two("Add", erf, b.number(1))), b.number(0.5))
}

// convNorm is a convolution with batch-norm behind it.
func (b *builder) convNorm(c *nn.Conv2D, n *nn.BatchNorm, x value) value {
	k, s, p := int64(c.Weight.Shape[2]), int64(c.Stride), int64(c.Pad)
	y := b.two("Conv", x, b.param(c.Weight), intsAttribute("kernel_shape", k, k), intsAttribute("strides", s, s), intsAttribute("pads", p, p, p, p))
	return b.op("BatchNormalization", []value{y, b.param(n.Gamma), b.param(n.Beta), b.param(n.Mean), b.param(n.Variance)}, floatAttribute("epsilon", n.Eps))
}

// resnet maps pictures [batch 3 H W] to the last feature map [batch C h w].
func (b *builder) resnet(r *model.ResNet, x value) value {
	b.in("visual", func() {
		x = b.one("Relu", b.convNorm(r.Conv1, r.BN1, x))
		if r.Pool {
			x = b.one("MaxPool", x, intsAttribute("kernel_shape", 3, 3), intsAttribute("strides", 2, 2), intsAttribute("pads", 1, 1, 1, 1))
		}
	})
	for i, layer := range r.Layers {
		for j, block := range layer {
			b.in("visual.layer"+strconv.Itoa(i+1)+"."+strconv.Itoa(j), func() { x = b.basicBlock(block, x) })
		}
	}
	return x
}

func (b *builder) basicBlock(k *model.BasicBlock, x value) value {
	shortcut := b.shortcut(k, x)
	y := b.one("Relu", b.convNorm(k.Conv1, k.BN1, x))
	return b.one("Relu", b.two("Add", b.convNorm(k.Conv2, k.BN2, y), shortcut))
}

func (b *builder) shortcut(k *model.BasicBlock, x value) value {
	if k.Down != nil {
		return b.convNorm(k.Down, k.DownBN, x)
	}
	if s := int64(k.Stride); s > 1 {
		x = b.op("Slice", []value{x, b.integers(0, 0), b.integers(math.MaxInt64, math.MaxInt64), b.integers(2, 3), b.integers(s, s)})
	}
	if c := int64(k.Pad); c > 0 {
		x = b.two("Pad", x, b.integers(0, c, 0, 0, 0, c, 0, 0))
	}
	return x
}

// roberta maps the ids to the last hidden states [batch tokens Hidden]. As in
// the engine the states are rows [batch·tokens Hidden] between layers.
func (b *builder) roberta(r *model.RoBERTa, s model.TextShape) (x value) {
	var size, bias value
	b.in("text.embeddings", func() {
		size = b.one("Shape", inputIDs)
		word := b.two("Gather", b.param(r.Word.Weight), inputIDs)
		position := b.two("Gather", b.param(r.Position.Weight), b.positions(int64(s.Pad)))
		x = b.two("Add", b.two("Add", word, position), b.param(r.Type.Weight))
		x = b.layerNorm(r.Norm, b.rows(x, s.Hidden))
	})
	b.in("text.mask", func() {
		// 0 at tokens, the lowest float32 at the filling, [batch 1 1 tokens].
		off := b.two("Sub", b.number(1), b.one("Cast", attentionMask, intAttribute("to", elementFloat)))
		bias = b.two("Unsqueeze", b.two("Mul", off, b.number(-math.MaxFloat32)), b.integers(1, 2))
	})
	for i, l := range r.Layers {
		b.in("text.encoder.layer."+strconv.Itoa(i), func() { x = b.encoderLayer(l, x, size, bias, s) })
	}
	b.in("text", func() { x = b.reshape(x, size, int64(s.Hidden)) })
	return x
}

// positions are RoBERTa's: padding id + 1, + 2, …, and the padding id at padding.
func (b *builder) positions(pad int64) value {
	real := b.one("Cast", b.one("Not", b.two("Equal", inputIDs, b.integer(pad))), intAttribute("to", elementInt64))
	count := b.two("CumSum", real, b.integer(1))
	return b.two("Add", b.two("Mul", count, real), b.integer(pad))
}

func (b *builder) encoderLayer(l *model.EncoderLayer, x, size, bias value, s model.TextShape) value {
	a := b.attention(s.Heads, s.Hidden, bias,
		b.split(b.linear(l.Query, x), size, s.Heads, s.Hidden, query),
		b.split(b.linear(l.Key, x), size, s.Heads, s.Hidden, key),
		b.split(b.linear(l.Value, x), size, s.Heads, s.Hidden, query))
	x = b.layerNorm(l.AttentionNorm, b.two("Add", b.linear(l.Output, a), x))
	f := b.linear(l.Down, b.gelu(b.linear(l.Up, x)))
	return b.layerNorm(l.OutputNorm, b.two("Add", f, x))
}

// The orders of dimensions that attention multiplies, from [batch n heads d].
var (
	query = []int64{0, 2, 1, 3} // [batch heads n d]; of values, too
	key   = []int64{0, 2, 3, 1} // [batch heads d n]
)

// split makes heads of rows x [batch·n width]; size is batch and n.
func (b *builder) split(x, size value, heads, width int, order []int64) value {
	return b.transpose(b.reshape(x, size, int64(heads), int64(width/heads)), order...)
}

// attention is softmax(q·k/√d + bias)·v as rows [batch·n width]; bias may be "".
func (b *builder) attention(heads, width int, bias, q, k, v value) value {
	scores := b.two("Mul", b.two("MatMul", q, k), b.number(float32(1/math.Sqrt(float64(width/heads)))))
	if bias != "" {
		scores = b.two("Add", scores, bias)
	}
	y := b.two("MatMul", b.one("Softmax", scores, intAttribute("axis", -1)), v)
	return b.rows(b.transpose(y, query...), width)
}
