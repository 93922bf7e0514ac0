package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"duet/model/checkpoint"
	"duet/model/nn"
)

// A Tower is a pretrained tower in a checkpoint, under the names of the library
// that made it. [FindResNet] and [FindRoBERTa] look for one.
type Tower struct {
	File   *checkpoint.File
	Prefix string // of its names in the file
	Folded bool   // there is no batch-norm: each is in the weight and bias of the convolution before it

	// params is the prefix of its parameters in a model.
	params string
}

// Sources finds a model's parameters of the tower in the file. Where it lacks
// them the report says so; nothing is read but names and shapes.
//
// A batch-norm that was folded becomes one that changes nothing but to add the
// convolution's bias: weight 1, that bias, mean 0, and a variance of 1 − ε, so
// that variance + ε is 1 in float32 and the folded weights are used as they are.
// So the model stays one architecture, and can be trained further as long as the
// statistics stay as they are; batch statistics would put others in place of
// those that the weights contain.
func (t *Tower) Sources(params []*nn.Param) ([]Source, LoadReport, error) {
	params = slices.DeleteFunc(slices.Clone(params), func(p *nn.Param) bool { return !strings.HasPrefix(p.Name, t.params) })
	found, report, err := sources(params, t.File, func(name string) (string, float32, bool) {
		name = strings.TrimPrefix(name, t.params)
		if t.Folded {
			if tensor, fill, ok := unfold(name); ok {
				if tensor != "" {
					tensor = t.Prefix + tensor
				}
				return tensor, fill, true
			}
		}
		return t.Prefix + name, 0, true
	})
	if t.Prefix == t.params { // the file is a whole model: the rest of it is not the tower's
		report.Ignored = slices.DeleteFunc(report.Ignored, func(name string) bool { return !strings.HasPrefix(name, t.Prefix) })
	}
	return found, report, err
}

const batchNormEps = 1e-5 // of nn.NewBatchNorm

// unfold gives what stands for a parameter of a batch-norm where it is folded;
// ok is false for other parameters.
func unfold(name string) (tensor string, fill float32, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", 0, false
	}
	conv, isNorm := convBefore(name[:i])
	switch {
	case !isNorm:
		return "", 0, false
	case name[i:] == ".bias":
		return conv + ".bias", 0, true
	case name[i:] == ".weight":
		return "", 1, true
	case name[i:] == ".running_var":
		return "", 1 - batchNormEps, true
	}
	return "", 0, true
}

// convBefore gives the convolution before a batch-norm in torchvision's names:
// conv1 before bn1, downsample.0 before downsample.1.
func convBefore(norm string) (conv string, ok bool) {
	if block, ok := strings.CutSuffix(norm, "downsample.1"); ok {
		return block + "downsample.0", true
	}
	for _, n := range []string{"1", "2"} {
		if block, ok := strings.CutSuffix(norm, "bn"+n); ok {
			return block + "conv" + n, true
		}
	}
	return "", false
}

// FindResNet looks for a ResNet of basic blocks with torchvision's names, by
// themselves or under "visual.", and takes its shape from its tensors.
func FindResNet(f *checkpoint.File) (*Tower, ResNetShape, error) {
	t := &Tower{File: f, params: "visual."}
	var s ResNetShape
	for _, prefix := range []string{"", "visual."} {
		stem, ok := f.Info(prefix + "conv1.weight")
		if !ok {
			continue
		}
		if len(stem.Shape) != 4 || stem.Shape[1] != 3 {
			return nil, s, fmt.Errorf("model: %sconv1.weight has shape %v; a ResNet's has [channels 3 size size]", prefix, stem.Shape)
		}
		t.Prefix, s.Width = prefix, stem.Shape[0]
		switch stem.Shape[3] {
		case 7:
			s.Stem = StemLarge
		case 3:
			s.Stem = StemSmall
		default:
			return nil, s, fmt.Errorf("model: %sconv1.weight has shape %v; stems of 7×7 and of 3×3 are known", prefix, stem.Shape)
		}
		_, norm := f.Info(prefix + "bn1.weight")
		_, bias := f.Info(prefix + "conv1.bias")
		t.Folded = bias && !norm
		err := s.countBlocks(f, prefix)
		return t, s, err
	}
	return nil, s, fmt.Errorf("model: there is no ResNet with torchvision's names: no conv1.weight")
}

// The largest numbers of layers and blocks that names may speak of.
const (
	maxLayers = 8
	maxBlocks = 64
)

// countBlocks finds Blocks and Shortcut by the names layerI.J.…, of which some
// tensors may be absent.
func (s *ResNetShape) countBlocks(f *checkpoint.File, prefix string) error {
	s.Shortcut = ShortcutPadding
	for _, name := range f.Names() {
		rest, ok := strings.CutPrefix(name, prefix+"layer")
		parts := strings.SplitN(rest, ".", 3)
		if !ok || len(parts) < 3 {
			continue
		}
		layer, err := strconv.Atoi(parts[0])
		block, err2 := strconv.Atoi(parts[1])
		switch {
		case err != nil || err2 != nil || layer < 1 || layer > maxLayers || block < 0 || block >= maxBlocks:
			return fmt.Errorf("model: the tensor %.80q is of no ResNet with 1 to %d layers of up to %d blocks", name, maxLayers, maxBlocks)
		case strings.HasPrefix(parts[2], "conv3."):
			return fmt.Errorf("model: it is a ResNet of bottleneck blocks (%s), as ResNet-50 and deeper are; ResNet-18, ResNet-34 and other networks of basic blocks are read", name)
		case strings.HasPrefix(parts[2], "downsample."):
			s.Shortcut = ShortcutProjection
		}
		for len(s.Blocks) < layer {
			s.Blocks = append(s.Blocks, 0)
		}
		s.Blocks[layer-1] = max(s.Blocks[layer-1], block+1)
	}
	if len(s.Blocks) < 2 {
		s.Shortcut = ShortcutProjection // no block changes the shape
	}
	if len(s.Blocks) == 0 || slices.Contains(s.Blocks, 0) {
		return fmt.Errorf("model: its layers have %v blocks, which is no ResNet", s.Blocks)
	}
	return nil
}

// FindRoBERTa looks for a RoBERTa with Hugging Face's names: by themselves,
// under "roberta.", or under "text.".
func FindRoBERTa(f *checkpoint.File) (*Tower, error) {
	for _, prefix := range []string{"", "roberta.", "text."} {
		if _, ok := f.Info(prefix + "embeddings.word_embeddings.weight"); ok {
			return &Tower{File: f, Prefix: prefix, params: "text."}, nil
		}
	}
	return nil, fmt.Errorf("model: there is no RoBERTa with Hugging Face's names: no embeddings.word_embeddings.weight, nor one under the prefix roberta")
}
