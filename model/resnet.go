package model

import (
	"fmt"

	"duet/model/graph"
	"duet/model/nn"
)

// A ResNet is the image tower: a residual network of basic blocks (He et al.,
// 2015) with torchvision's topology and keys, without its fc.
type ResNet struct {
	Conv1  *nn.Conv2D
	BN1    *nn.BatchNorm
	Layers [][]*BasicBlock
	Out    int // channels of the last feature map
}

// A BasicBlock is two 3×3 convolutions and a shortcut.
type BasicBlock struct {
	Conv1, Conv2 *nn.Conv2D
	BN1, BN2     *nn.BatchNorm
	Down         *nn.Conv2D // 1×1 on the shortcut where the shape changes, else nil
	DownBN       *nn.BatchNorm
}

// NewResNet defines a ResNet of the given base width (64 in torchvision) and
// numbers of blocks ([2 2 2 2] is ResNet-18) under the key prefix ("visual.").
func NewResNet(ps *nn.Params, prefix string, width int, blocks []int) *ResNet {
	r := &ResNet{
		Conv1: nn.NewConv2D(ps, prefix+"conv1", 3, width, 7, 2, 3),
		BN1:   nn.NewBatchNorm(ps, prefix+"bn1", width),
	}
	in := width
	for i, n := range blocks {
		out := width << i
		var layer []*BasicBlock
		for j := range n {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			layer = append(layer, newBasicBlock(ps, fmt.Sprintf("%slayer%d.%d.", prefix, i+1, j), in, out, stride))
			in = out
		}
		r.Layers = append(r.Layers, layer)
	}
	r.Out = in
	return r
}

func newBasicBlock(ps *nn.Params, prefix string, in, out, stride int) *BasicBlock {
	b := &BasicBlock{
		Conv1: nn.NewConv2D(ps, prefix+"conv1", in, out, 3, stride, 1),
		BN1:   nn.NewBatchNorm(ps, prefix+"bn1", out),
		Conv2: nn.NewConv2D(ps, prefix+"conv2", out, out, 3, 1, 1),
		BN2:   nn.NewBatchNorm(ps, prefix+"bn2", out),
	}
	if stride != 1 || in != out {
		b.Down = nn.NewConv2D(ps, prefix+"downsample.0", in, out, 1, stride, 0)
		b.DownBN = nn.NewBatchNorm(ps, prefix+"downsample.1", out)
	}
	return b
}

// Forward maps pictures [N H W 4], the fourth channel zero, to the last feature
// map [N H/32 W/32 Out].
func (r *ResNet) Forward(x graph.Tensor, m *nn.Mode) graph.Tensor {
	stages := r.Stages(x, m)
	return stages[len(stages)-1]
}

// Stages returns the feature map after the stem and after each layer.
func (r *ResNet) Stages(x graph.Tensor, m *nn.Mode) []graph.Tensor {
	x = nn.ConvNorm(r.Conv1, r.BN1, x, m).ReLU().MaxPool(3, 2, 1)
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
	shortcut := x
	if b.Down != nil {
		shortcut = nn.ConvNorm(b.Down, b.DownBN, x, m)
	}
	y := nn.ConvNorm(b.Conv1, b.BN1, x, m).ReLU()
	return nn.ConvNorm(b.Conv2, b.BN2, y, m).Add(shortcut).ReLU()
}
