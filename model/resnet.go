package model

import (
	"fmt"

	"duet/model/graph"
	"duet/model/nn"
)

// A ResNet is the image tower: a residual network of basic blocks (He et al.,
// 2015) with torchvision's topology and keys, without its fc, or with those that
// the same paper has for small pictures.
type ResNet struct {
	Conv1  *nn.Conv2D
	BN1    *nn.BatchNorm
	Pool   bool // a max-pool ends the stem
	Layers [][]*BasicBlock
	Out    int // channels of the last feature map
}

// A BasicBlock is two 3×3 convolutions and a shortcut. Where the block changes
// the shape, the shortcut does so by Down or, without weights, by taking every
// Stride-th pixel and Pad channels of zeros on either side.
type BasicBlock struct {
	Conv1, Conv2 *nn.Conv2D
	BN1, BN2     *nn.BatchNorm
	Down         *nn.Conv2D // 1×1, or nil
	DownBN       *nn.BatchNorm
	Stride, Pad  int
}

// ResNetShape is the size and the variant of a ResNet.
type ResNetShape struct {
	Width    int    // channels of the stem; each layer after the first has twice those before it
	Blocks   []int  // of each layer; [2 2 2 2] is ResNet-18, [3 4 6 3] ResNet-34
	Stem     string // "" is StemLarge
	Shortcut string // "" is ShortcutProjection
}

// The variants of a ResNet. Those for large pictures are torchvision's.
const (
	StemLarge = "conv7" // 7×7 of stride 2, then a max-pool of stride 2
	StemSmall = "conv3" // 3×3 of stride 1: for pictures of about 32 pixels

	ShortcutProjection = "projection" // 1×1 convolutions (option B of the paper)
	ShortcutPadding    = "padding"    // channels of zeros (option A)
)

// NewResNet defines a ResNet under the key prefix ("visual.").
func NewResNet(ps *nn.Params, prefix string, s ResNetShape) *ResNet {
	r := &ResNet{Pool: s.Stem != StemSmall}
	if r.Pool {
		r.Conv1 = nn.NewConv2D(ps, prefix+"conv1", 3, s.Width, 7, 2, 3)
	} else {
		r.Conv1 = nn.NewConv2D(ps, prefix+"conv1", 3, s.Width, 3, 1, 1)
	}
	r.BN1 = nn.NewBatchNorm(ps, prefix+"bn1", s.Width)
	in := s.Width
	for i, n := range s.Blocks {
		out := s.Width << i
		var layer []*BasicBlock
		for j := range n {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			layer = append(layer, newBasicBlock(ps, fmt.Sprintf("%slayer%d.%d.", prefix, i+1, j), in, out, stride, s.Shortcut != ShortcutPadding))
			in = out
		}
		r.Layers = append(r.Layers, layer)
	}
	r.Out = in
	return r
}

func newBasicBlock(ps *nn.Params, prefix string, in, out, stride int, project bool) *BasicBlock {
	b := &BasicBlock{
		Conv1: nn.NewConv2D(ps, prefix+"conv1", in, out, 3, stride, 1),
		BN1:   nn.NewBatchNorm(ps, prefix+"bn1", out),
		Conv2: nn.NewConv2D(ps, prefix+"conv2", out, out, 3, 1, 1),
		BN2:   nn.NewBatchNorm(ps, prefix+"bn2", out),

		Stride: stride, Pad: (out - in) / 2,
	}
	if project && (stride != 1 || in != out) {
		b.Down = nn.NewConv2D(ps, prefix+"downsample.0", in, out, 1, stride, 0)
		b.DownBN = nn.NewBatchNorm(ps, prefix+"downsample.1", out)
	}
	return b
}

// Forward maps pictures [N H W 4], the fourth channel zero, to the last feature
// map [N H/32 W/32 Out], or with a small stem [N H/2ⁿ W/2ⁿ Out] for n+1 layers.
func (r *ResNet) Forward(x graph.Tensor, m *nn.Mode) graph.Tensor {
	stages := r.Stages(x, m)
	return stages[len(stages)-1]
}

// Stages returns the feature map after the stem and after each layer.
func (r *ResNet) Stages(x graph.Tensor, m *nn.Mode) []graph.Tensor {
	x = nn.ConvNorm(r.Conv1, r.BN1, x, m).ReLU()
	if r.Pool {
		x = x.MaxPool(3, 2, 1)
	}
	stages := []graph.Tensor{x}
	for _, layer := range r.Layers {
		for _, block := range layer {
			x = block.Forward(x, m)
		}
		stages = append(stages, x)
	}
	return stages
}

// Forward maps x [N H W in] to [N H/stride W/stride out].
func (b *BasicBlock) Forward(x graph.Tensor, m *nn.Mode) graph.Tensor {
	y := nn.ConvNorm(b.Conv1, b.BN1, x, m).ReLU()
	return nn.ConvNorm(b.Conv2, b.BN2, y, m).Add(b.shortcut(x, m)).ReLU()
}

func (b *BasicBlock) shortcut(x graph.Tensor, m *nn.Mode) graph.Tensor {
	if b.Down != nil {
		return nn.ConvNorm(b.Down, b.DownBN, x, m)
	}
	if b.Stride > 1 {
		n, h, w, c := x.Dim(0), x.Dim(1), x.Dim(2), x.Dim(3)
		size := []int{n, (h + b.Stride - 1) / b.Stride, (w + b.Stride - 1) / b.Stride, c}
		x = x.SliceStep(make([]int, 4), size, []int{1, b.Stride, b.Stride, 1})
	}
	if b.Pad > 0 {
		zeros := x.Graph().Constant(0, x.Dim(0), x.Dim(1), x.Dim(2), b.Pad)
		x = x.Graph().Concat(3, zeros, x, zeros)
	}
	return x
}
