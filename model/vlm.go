package model

import (
	"fmt"

	"duet/model/graph"
	"duet/model/nn"
)

// A Shape describes a vision-language classifier.
type Shape struct {
	Width   int   // base width of the image tower; 0: no image tower
	Blocks  []int // blocks per layer of the image tower
	Text    TextShape
	Fusion  FusionKind
	Dim     int // width of the two projections and of the fused vector
	Classes int

	MeanPoolText bool // the text vector is the masked mean of the states instead of the first
}

// A VLM classifies a picture together with its words: an image tower and a
// text tower, a projection of each to Dim, a fusion layer and a linear
// classifier. Its parameters are named visual.* (torchvision's keys), text.*
// (Hugging Face's), visual_proj, text_proj, fusion, classifier, cross_attn.*
// and cross_norm.
type VLM struct {
	Shape      Shape
	Params     *nn.Params
	Visual     *ResNet  // nil for a model of words alone
	Text       *RoBERTa // nil for a model of pictures alone
	VisualProj *nn.Linear
	TextProj   *nn.Linear
	Fusion     *Fusion
	Classifier *nn.Linear
}

// NewVLM defines a model.
func NewVLM(s Shape) (*VLM, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	ps := nn.NewParams()
	m := &VLM{Shape: s, Params: ps}
	if s.Fusion != TextOnly {
		m.Visual = NewResNet(ps, "visual.", s.Width, s.Blocks)
	}
	if s.Fusion != ImageOnly {
		m.Text = NewRoBERTa(ps, "text.", s.Text)
	}
	towers := len(ps.All())
	if m.Visual != nil {
		m.VisualProj = nn.NewLinear(ps, "visual_proj", m.Visual.Out, s.Dim)
	}
	if m.Text != nil && s.Fusion != CrossAttention {
		m.TextProj = nn.NewLinear(ps, "text_proj", s.Text.Hidden, s.Dim)
	}
	m.Fusion = newFusion(ps, s)
	m.Classifier = nn.NewLinear(ps, "classifier", s.Dim, s.Classes)
	for _, p := range ps.All()[towers:] {
		p.New = true
	}
	return m, nil
}

func (s Shape) validate() error {
	switch {
	case s.Fusion == "":
		return fmt.Errorf("model: no fusion is named; one of %v", FusionKinds)
	case !s.Fusion.known():
		return fmt.Errorf("model: fusion %q is not known; one of %v", s.Fusion, FusionKinds)
	case s.Classes < 1 || s.Dim < 1:
		return fmt.Errorf("model: %d classes and a fused vector of %d make no classifier", s.Classes, s.Dim)
	case s.Fusion != TextOnly && (s.Width < 1 || len(s.Blocks) == 0):
		return fmt.Errorf("model: fusion %s needs an image tower", s.Fusion)
	case s.Fusion != ImageOnly && (s.Text.Layers < 1 || s.Text.Heads < 1 || s.Text.Hidden%max(s.Text.Heads, 1) != 0):
		return fmt.Errorf("model: a text tower of width %d, %d layers and %d heads is not possible", s.Text.Hidden, s.Text.Layers, s.Text.Heads)
	}
	return nil
}

// Inputs are the graph inputs of a model.
type Inputs struct {
	Pictures graph.Tensor // [B H W 4], normalised, the fourth channel zero
	Text     TextBatch
}

// NewInputs declares the inputs that the model needs, for b examples, each
// picture of size×size shared by per of them, with texts of t tokens: pictures
// [b/per size size 4], ids, positions [b t], lengths [b].
func (m *VLM) NewInputs(g *graph.Graph, b, per, size, t int) Inputs {
	var in Inputs
	if m.Visual != nil {
		in.Pictures = g.Input("pictures", b/per, size, size, 4)
	}
	if m.Text != nil {
		in.Text = TextBatch{IDs: g.Input("ids", b, t), Positions: g.Input("positions", b, t), Lengths: g.Input("lengths", b)}
	}
	return in
}

// Outputs are the tensors of a forward pass.
type Outputs struct {
	FeatureMap graph.Tensor // [B h w C], last of the image tower
	States     graph.Tensor // [B T Hidden], last of the text tower
	Visual     graph.Tensor // [B Dim]
	Words      graph.Tensor // [B Dim]
	Fused      graph.Tensor // [B Dim]
	Logits     graph.Tensor // [B Classes]
}

// repeat repeats every row of x [P …] until there are b [b …], each picture's
// copies side by side.
func repeat(x graph.Tensor, b int) graph.Tensor {
	s := x.Shape()
	if s[0] == b {
		return x
	}
	row := append([]int{s[0], 1}, s[1:]...)
	wide := append([]int{s[0], b / s[0]}, s[1:]...)
	return x.Reshape(row...).Expand(wide...).Reshape(append([]int{b}, s[1:]...)...)
}

// Forward builds the model. Where there are several texts a picture, the image
// tower runs once for all of them.
func (m *VLM) Forward(in Inputs, mode *nn.Mode) Outputs {
	var out Outputs
	if m.Visual != nil {
		in.Pictures.Graph().Scope("visual", func() { out.FeatureMap = m.Visual.Forward(in.Pictures, mode) })
	}
	if m.Text != nil {
		in.Text.IDs.Graph().Scope("text", func() { out.States = m.Text.Forward(in.Text, mode) })
	}
	if m.VisualProj != nil && m.Shape.Fusion != CrossAttention {
		out.Visual = m.VisualProj.Forward(out.FeatureMap.MeanPool(), mode)
	}
	if m.Visual != nil && m.Text != nil {
		b := in.Text.IDs.Dim(0)
		if m.Shape.Fusion == CrossAttention {
			out.FeatureMap = repeat(out.FeatureMap, b)
		} else {
			out.Visual = repeat(out.Visual, b)
		}
	}
	if m.TextProj != nil {
		pooled := out.States
		if m.Shape.MeanPoolText {
			pooled = pooled.MeanPoolMasked(in.Text.Lengths)
		} else {
			pooled = pooled.Select(1, 0)
		}
		out.Words = m.TextProj.Forward(pooled, mode)
	}
	out.Fused = m.Fusion.Forward(m, &out, mode)
	out.Logits = m.Classifier.Forward(mode.Drop(out.Fused), mode)
	return out
}
