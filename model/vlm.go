package model

import (
	"fmt"
	"strings"

	"duet/model/graph"
	"duet/model/nn"
)

// A Shape describes a vision-language classifier.
type Shape struct {
	Width    int   // base width of the image tower; 0: no image tower
	Blocks   []int // blocks per layer of the image tower
	Stem     string
	Shortcut string // Stem and Shortcut: see [ResNetShape]
	Text     TextShape
	Fusion   FusionKind
	Dim      int // width of the two projections and of the fused vector
	Classes  int
	LoRA     LoRAShape

	MeanPoolText bool // the text vector is the masked mean of the states instead of the first
}

// A LoRAShape describes the changes of low rank beside the queries and values
// of the text tower and the fusion layer.
type LoRAShape struct {
	Rank  int // 0: none
	Alpha float64
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
		m.Visual = NewResNet(ps, "visual.", ResNetShape{s.Width, s.Blocks, s.Stem, s.Shortcut})
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
	for name, l := range m.adapted {
		l.LoRA = nn.NewLoRA(ps, name, l.Weight.Shape[1], l.Weight.Shape[0], s.LoRA.Rank, s.LoRA.Alpha)
	}
	return m, nil
}

// adapted yields the layers that have a LoRA in a model that has any, by name.
func (m *VLM) adapted(yield func(string, *nn.Linear) bool) {
	if m.Shape.LoRA.Rank == 0 {
		return
	}
	layers := []*nn.Linear{}
	if m.Text != nil {
		for _, l := range m.Text.Layers {
			layers = append(layers, l.Query, l.Value)
		}
	}
	for _, l := range append(layers, m.Fusion.Linear) {
		if !yield(strings.TrimSuffix(l.Weight.Name, ".weight"), l) {
			return
		}
	}
}

// HasLoRA tells whether a LoRA stands beside a weight.
func (m *VLM) HasLoRA(weight *nn.Param) bool {
	for _, l := range m.adapted {
		if l.Weight == weight {
			return true
		}
	}
	return false
}

// Merge adds to the values of a weight what the LoRA beside it adds to it, for a
// model without. get returns a parameter's values.
func (m *VLM) Merge(weight *nn.Param, values []float32, get func(*nn.Param) ([]float32, error)) error {
	for _, l := range m.adapted {
		if l.Weight != weight {
			continue
		}
		a, err := get(l.LoRA.A)
		if err != nil {
			return err
		}
		b, err := get(l.LoRA.B)
		if err != nil {
			return err
		}
		for i, d := range l.LoRA.Delta(a, b) {
			values[i] += d
		}
	}
	return nil
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
	case s.LoRA.Rank < 0 || s.LoRA.Rank > 0 && !(s.LoRA.Alpha > 0):
		return fmt.Errorf("model: a LoRA of rank %d with α %g is not possible", s.LoRA.Rank, s.LoRA.Alpha)
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
		in.Text = m.textInputs(g, b, t)
	}
	return in
}

func (m *VLM) textInputs(g *graph.Graph, b, t int) TextBatch {
	return TextBatch{IDs: g.Input("ids", b, t), Positions: g.Input("positions", b, t), Lengths: g.Input("lengths", b)}
}

// Features are what the towers make of a batch, as far as the head looks at it.
type Features struct {
	Visual graph.Tensor // [P C], the mean of the feature map; for cross-attention the map [P h w C]
	Words  graph.Tensor // [B Hidden], the first state, or the mean of the states
}

// Outputs are the tensors of a forward pass.
type Outputs struct {
	States graph.Tensor // [B T Hidden], last of the text tower; of Forward alone
	Visual graph.Tensor // [B Dim]
	Words  graph.Tensor // [B Dim]
	Fused  graph.Tensor // [B Dim]
	Logits graph.Tensor // [B Classes]
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
	var f Features
	var states graph.Tensor
	if m.Visual != nil {
		f.Visual = m.VisualFeatures(in.Pictures, mode)
	}
	if m.Text != nil {
		states, f.Words = m.textFeatures(in.Text, mode)
	}
	out := m.Head(f, mode)
	out.States = states
	return out
}

// VisualFeatures builds the image tower over pictures [P H W 4].
func (m *VLM) VisualFeatures(pictures graph.Tensor, mode *nn.Mode) (y graph.Tensor) {
	pictures.Graph().Scope("visual", func() { y = m.Visual.Forward(pictures, mode) })
	if m.Shape.Fusion != CrossAttention {
		y = y.MeanPool()
	}
	return y
}

// TextFeatures builds the text tower.
func (m *VLM) TextFeatures(in TextBatch, mode *nn.Mode) graph.Tensor {
	_, pooled := m.textFeatures(in, mode)
	return pooled
}

func (m *VLM) textFeatures(in TextBatch, mode *nn.Mode) (states, pooled graph.Tensor) {
	in.IDs.Graph().Scope("text", func() { states = m.Text.Forward(in, mode) })
	if m.Shape.MeanPoolText && m.Shape.Fusion != CrossAttention {
		return states, states.MeanPoolMasked(in.Lengths)
	}
	return states, states.Select(1, 0)
}

// Head builds what follows the towers: projections, fusion and classifier.
func (m *VLM) Head(f Features, mode *nn.Mode) Outputs {
	var out Outputs
	if m.Visual != nil && m.Shape.Fusion != CrossAttention {
		out.Visual = m.VisualProj.Forward(f.Visual, mode)
	}
	if m.Visual != nil && m.Text != nil {
		b := f.Words.Dim(0)
		if m.Shape.Fusion == CrossAttention {
			f.Visual = repeat(f.Visual, b)
		} else {
			out.Visual = repeat(out.Visual, b)
		}
	}
	if m.TextProj != nil {
		out.Words = m.TextProj.Forward(f.Words, mode)
	}
	out.Fused = m.Fusion.Forward(m, f, out, mode)
	out.Logits = m.Classifier.Forward(mode.Drop(out.Fused), mode)
	return out
}

// The parts of a model that a training changes.
const (
	TuneAll  = "all"  // everything
	TuneLast = "last" // the head and the last parts of the towers
	TuneHead = "head" // projections, fusion and classifier
	TuneLoRA = "lora" // the LoRA of a model that has any, and the head but the fusion's weight, which has one
)

// Frozen returns the parts that a training of so much of the model leaves as
// they are, see [nn.Params.Freeze]: for TuneLast the image tower but its last
// layer, and the text tower but the last quarter of its layers, at least one.
func (m *VLM) Frozen(tune string) ([]string, error) {
	var frozen []string
	if tune == TuneLoRA && m.Shape.LoRA.Rank == 0 {
		return nil, fmt.Errorf("model: tuning %s of a model that has none", TuneLoRA)
	}
	if tune == TuneHead || tune == TuneLast {
		frozen = append(frozen, nn.Adapters)
	}
	switch tune {
	case "", TuneAll:
	case TuneHead, TuneLoRA:
		if tune == TuneLoRA {
			frozen = append(frozen, m.Fusion.Linear.Weight.Name)
		}
		if m.Visual != nil {
			frozen = append(frozen, "visual")
		}
		if m.Text != nil {
			frozen = append(frozen, "text")
		}
	case TuneLast:
		if m.Visual != nil {
			frozen = append(frozen, "visual.conv1", "visual.bn1")
			for i := range len(m.Shape.Blocks) - 1 {
				frozen = append(frozen, fmt.Sprintf("visual.layer%d", i+1))
			}
		}
		if m.Text != nil {
			frozen = append(frozen, "text.embeddings")
			trained := max(1, m.Shape.Text.Layers/4)
			for i := range m.Shape.Text.Layers - trained {
				frozen = append(frozen, fmt.Sprintf("text.encoder.layer.%d", i))
			}
		}
	default:
		return nil, fmt.Errorf("model: tuning %q of a model; known are %s, %s, %s and %s", tune, TuneHead, TuneLoRA, TuneLast, TuneAll)
	}
	return frozen, nil
}
