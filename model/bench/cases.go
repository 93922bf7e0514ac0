package bench

import (
	"math"
	"slices"

	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
	"duet/shaders"
)

// conv is a convolution with bias, as in a ResNet whose batch-norm is folded.
type conv struct {
	w, b        *nn.Param
	stride, pad int
}

func (c conv) forward(x graph.Tensor, train bool) graph.Tensor {
	g := x.Graph()
	return x.Conv2D(c.w.Tensor(g, train), c.stride, c.pad).Add(c.b.Tensor(g, train))
}

type block struct {
	a, b conv
	down *conv
}

// plainResNet is ResNet-18 without batch-norm, weights drawn in the order of
// the peers' model files; scale is 6 for inference and 3 for training.
type plainResNet struct {
	stem   conv
	blocks []block
	fcW    *nn.Param
	fcB    *nn.Param
}

func newPlainResNet(b *builder, d *draw, scale float64, classes int) *plainResNet {
	next := func(in, out, k, stride, pad int) conv {
		return conv{
			b.param(d.uniform(out*in*k*k, math.Sqrt(scale/float64(in*k*k))), out, in, k, k),
			b.param(d.uniform(out, 0.1), out), stride, pad,
		}
	}
	r := &plainResNet{stem: next(3, 64, 7, 2, 3)}
	in := 64
	for i, out := range []int{64, 128, 256, 512} {
		for j := range 2 {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			x := block{a: next(in, out, 3, stride, 1), b: next(out, out, 3, 1, 1)}
			if stride != 1 || in != out {
				down := next(in, out, 1, stride, 0)
				x.down = &down
			}
			r.blocks = append(r.blocks, x)
			in = out
		}
	}
	r.fcW = b.param(d.uniform(classes*512, 0.05), classes, 512)
	r.fcB = b.param(d.uniform(classes, 0.05), classes)
	return r
}

func (r *plainResNet) features(x graph.Tensor, train bool) graph.Tensor {
	x = r.stem.forward(x, train).ReLU().MaxPool(3, 2, 1)
	for _, b := range r.blocks {
		shortcut := x
		if b.down != nil {
			shortcut = b.down.forward(x, train)
		}
		x = b.b.forward(b.a.forward(x, train).ReLU(), train).Add(shortcut).ReLU()
	}
	return x.MeanPool()
}

func (r *plainResNet) forward(x graph.Tensor, train bool) graph.Tensor {
	g := x.Graph()
	return r.features(x, train).Linear(r.fcW.Tensor(g, train)).Add(r.fcB.Tensor(g, train))
}

// pictures returns b pictures of side px in our layout from values in NCHW.
func pictures(values func(i int) float32, b, side int) []float32 {
	out := make([]float32, b*side*side*4)
	for n := range b {
		for c := range 3 {
			for p := range side * side {
				out[(n*side*side+p)*4+c] = values((n*3+c)*side*side + p)
			}
		}
	}
	return out
}

// resnet18 is n pictures of 224 px through ResNet-18; the output of one equals
// that of the peers' resnet18.onnx.
func resnet18(t shaders.Target, n int) (*Work, error) {
	b := newBuilder(t)
	r := newPlainResNet(b, newDraw(), 6, 1000)
	freeze(b)
	b.work.Content["x"] = pictures(func(i int) float32 { return float32(math.Sin(float64(i) * 0.37)) }, n, 224)
	return b.forward("resnet18", func(g *graph.Graph) graph.Tensor { return r.forward(g.Input("x", n, 224, 224, 4), false) })
}

func freeze(b *builder) {
	for _, p := range b.params.All() {
		p.Trainable = false
	}
}

// roberta is n texts of 64 tokens through an encoder of l layers, with a table of
// 8,192 rows.
func roberta(t shaders.Target, n, l, h, heads int) (*Work, error) {
	b := newBuilder(t)
	d := newDraw()
	shape := model.TextShape{Vocab: 8192, Positions: 66, Hidden: h, Layers: l, Heads: heads, Intermediate: 4 * h, Pad: 1, Eps: 1e-5, Std: 0.02}
	tower := model.NewRoBERTa(b.params, "", shape)
	for _, p := range b.params.All() {
		values := p.Initial(1)
		if len(p.Shape) == 2 {
			values = d.uniform(p.Len(), 1.7/math.Sqrt(float64(p.Shape[1])))
		}
		b.values[p] = values
	}
	freeze(b)
	ids, positions := make([]uint32, n*64), make([]uint32, n*64)
	for i := range ids {
		ids[i], positions[i] = uint32(i*37%8000), uint32(i%64+2)
	}
	b.work.Words["ids"], b.work.Words["positions"], b.work.Words["lengths"] = ids, positions, slices.Repeat([]uint32{64}, n)
	return b.forward("roberta", func(g *graph.Graph) graph.Tensor {
		in := model.TextBatch{IDs: g.Input("ids", n, 64), Positions: g.Input("positions", n, 64), Lengths: g.Input("lengths", n)}
		return tower.Forward(in, &nn.Mode{})
	})
}

// matmul512 multiplies two matrices of 512 × 512.
func matmul512(t shaders.Target) (*Work, error) {
	b, d := newBuilder(t), newDraw()
	b.work.Content["a"], b.work.Content["b"] = d.uniform(512*512, 1), d.uniform(512*512, 1)
	return b.forward("matmul512", func(g *graph.Graph) graph.Tensor {
		return g.Input("a", 512, 512).MatMul(g.Input("b", 512, 512), false, false)
	})
}

// loss adds cross-entropy against the classes 0, 1, 2, …
func (b *builder) loss(g *graph.Graph, logits graph.Tensor) graph.Tensor {
	n, classes := logits.Dim(0), logits.Dim(1)
	targets := make([]uint32, n)
	for i := range targets {
		targets[i] = uint32(i % classes)
	}
	b.work.Words["targets"] = targets
	return graph.CrossEntropy{}.Loss(logits, g.Input("targets", n))
}

// trainResNet18 is a training step of all of ResNet-18: batch 8 at 64 px.
func trainResNet18(t shaders.Target) (*Work, error) {
	b, d := newBuilder(t), newDraw()
	r := newPlainResNet(b, d, 3, 10)
	x := d.uniform(8*3*64*64, 1)
	b.work.Content["x"] = pictures(func(i int) float32 { return x[i] }, 8, 64)
	return b.training("train resnet18", 1e-4, func(g *graph.Graph) graph.Tensor {
		return b.loss(g, r.forward(g.Input("x", 8, 64, 64, 4), true))
	})
}

// trainLayer is a training step of one encoder layer, width 384, batch 4, 64 tokens.
func trainLayer(t shaders.Target) (*Work, error) {
	b, d := newBuilder(t), newDraw()
	tower := model.NewRoBERTa(b.params, "", model.TextShape{Vocab: 8, Positions: 8, Hidden: 384, Layers: 1, Heads: 6, Intermediate: 1536, Pad: 1, Eps: 1e-5, Std: 0.05})
	for _, p := range b.params.All() {
		b.values[p] = p.Initial(1)
	}
	// The embeddings are not part of the case.
	for _, p := range []*nn.Param{tower.Word.Weight, tower.Position.Weight, tower.Type.Weight, tower.Norm.Gamma, tower.Norm.Beta} {
		p.Trainable = false
	}
	b.work.Content["x"], b.work.Content["t"] = d.uniform(4*64*384, 1), d.uniform(4*64*384, 1)
	b.work.Words["lengths"] = []uint32{64, 64, 64, 64}
	return b.training("train layer", 1e-4, func(g *graph.Graph) graph.Tensor {
		y := tower.Layers[0].Forward(g.Input("x", 4*64, 384), 4, 64, 6, g.Input("lengths", 4), &nn.Mode{Train: true})
		e := y.Sub(g.Input("t", 4*64, 384))
		return e.Mul(e).Reshape(-1).Reduce("mean", 0)
	})
}

// trainTransfer is a forward pass of a frozen ResNet-18 and a training step of
// a linear head: batch 8 at 64 px.
func trainTransfer(t shaders.Target) (*Work, error) {
	b, d := newBuilder(t), newDraw()
	r := newPlainResNet(b, d, 6, 512)
	freeze(b)
	w, bias := b.param(d.uniform(10*512, 0.05), 10, 512), b.param(make([]float32, 10), 10)
	x := d.uniform(8*3*64*64, 1)
	b.work.Content["x"] = pictures(func(i int) float32 { return x[i] }, 8, 64)
	return b.training("train transfer", 1e-3, func(g *graph.Graph) graph.Tensor {
		f := r.forward(g.Input("x", 8, 64, 64, 4), false)
		return b.loss(g, f.Linear(w.Tensor(g, true)).Add(bias.Tensor(g, true)))
	})
}

// trainHead is a training step of 1280 → 512 → ReLU → 10 on cached features: batch 32.
func trainHead(t shaders.Target) (*Work, error) {
	b, d := newBuilder(t), newDraw()
	w1, b1 := b.param(d.uniform(512*1280, 0.03), 512, 1280), b.param(make([]float32, 512), 512)
	w2, b2 := b.param(d.uniform(10*512, 0.05), 10, 512), b.param(make([]float32, 10), 10)
	b.work.Content["x"] = d.uniform(32*1280, 1)
	return b.training("train head", 1e-3, func(g *graph.Graph) graph.Tensor {
		h := g.Input("x", 32, 1280).Linear(w1.Tensor(g, true)).Add(b1.Tensor(g, true)).ReLU()
		return b.loss(g, h.Linear(w2.Tensor(g, true)).Add(b2.Tensor(g, true)))
	})
}
