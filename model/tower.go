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
	Folded bool // there is no batch-norm: each is in the weight and bias of the convolution before it

	names map[string]string // from torchvision's or Hugging Face's name without prefix to the file's
	part  string            // "visual." or "text.": the prefix of its parameters in a model
	whole bool              // the file is a model: what does not begin so is not the tower's
}

// find reads the tower's names where the file has a tensor of the name key. rename
// gives a tensor's name without prefix; ok is false for what is not the tower's.
func (t *Tower) find(key string, rename func(name string) (short string, ok bool)) bool {
	t.names = map[string]string{}
	for _, name := range t.File.Names() {
		if short, ok := rename(name); ok {
			t.names[short] = name
		}
	}
	_, ok := t.names[key]
	return ok
}

// under takes off a prefix.
func under(prefix string) func(name string) (string, bool) {
	return func(name string) (string, bool) { return strings.CutPrefix(name, prefix) }
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
	params = slices.DeleteFunc(slices.Clone(params), func(p *nn.Param) bool {
		return !strings.HasPrefix(p.Name, t.part) || p.Adapter // a LoRA is no part of the tower that it stands beside
	})
	found, report, err := sources(params, t.File, func(name string) (string, float32, bool) {
		name = strings.TrimPrefix(name, t.part)
		if t.Folded {
			if tensor, fill, ok := unfold(name); ok {
				return t.names[tensor], fill, tensor == "" || t.names[tensor] != ""
			}
		}
		return t.names[name], 0, t.names[name] != ""
	})
	if t.whole {
		report.Ignored = slices.DeleteFunc(report.Ignored, func(name string) bool { return !strings.HasPrefix(name, t.part) })
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

// FindResNet looks for a ResNet of basic blocks and takes its shape from its
// tensors. Their names are torchvision's, by themselves or under "visual.", or
// those of Hugging Face's transformers.
func FindResNet(f *checkpoint.File) (*Tower, ResNetShape, error) {
	t := &Tower{File: f, part: "visual."}
	var s ResNetShape
	const key = "conv1.weight"
	switch {
	case t.find(key, under("")), t.find(key, transformersResNet):
	case t.find(key, under(t.part)):
		t.whole = true
	default:
		return nil, s, fmt.Errorf("model: there is no ResNet with torchvision's names: no %s", key)
	}
	stem, _ := f.Info(t.names[key])
	if len(stem.Shape) != 4 || stem.Shape[1] != 3 {
		return nil, s, fmt.Errorf("model: %s has shape %v; a ResNet's has [channels 3 size size]", stem.Name, stem.Shape)
	}
	s.Width = stem.Shape[0]
	switch stem.Shape[3] {
	case 7:
		s.Stem = StemLarge
	case 3:
		s.Stem = StemSmall
	default:
		return nil, s, fmt.Errorf("model: %s has shape %v; stems of 7×7 and of 3×3 are known", stem.Name, stem.Shape)
	}
	t.Folded = t.names["bn1.weight"] == "" && t.names["conv1.bias"] != ""
	return t, s, s.countBlocks(t.names)
}

// transformersResNet gives torchvision's name of a tensor of transformers'
// ResNetModel.
func transformersResNet(name string) (string, bool) {
	name = strings.TrimPrefix(name, "resnet.")
	if rest, ok := strings.CutPrefix(name, "embedder.embedder."); ok {
		kind, tensor, _ := strings.Cut(rest, ".")
		return map[string]string{"convolution": "conv1.", "normalization": "bn1."}[kind] + tensor, true
	}
	// encoder.stages.I.layers.J. and layer.K. or shortcut. and convolution. or normalization.
	parts := strings.Split(name, ".")
	if len(parts) < 8 || parts[0] != "encoder" || parts[1] != "stages" || parts[3] != "layers" {
		return "", false
	}
	stage, err := strconv.Atoi(parts[2])
	block := fmt.Sprintf("layer%d.%s.", stage+1, parts[4])
	switch {
	case err != nil:
		return "", false
	case parts[5] == "shortcut":
		return block + map[string]string{"convolution": "downsample.0.", "normalization": "downsample.1."}[parts[6]] + parts[7], true
	case parts[5] == "layer" && len(parts) == 9:
		n, err := strconv.Atoi(parts[6])
		return fmt.Sprintf("%s%s%d.%s", block, map[string]string{"convolution": "conv", "normalization": "bn"}[parts[7]], n+1, parts[8]), err == nil
	}
	return "", false
}

// The largest numbers of layers and blocks that names may speak of.
const (
	maxLayers = 8
	maxBlocks = 64
)

// countBlocks finds Blocks and Shortcut by the names layerI.J.…, of which some
// tensors may be absent.
func (s *ResNetShape) countBlocks(names map[string]string) error {
	s.Shortcut = ShortcutPadding
	for short, name := range names {
		rest, ok := strings.CutPrefix(short, "layer")
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
	t := &Tower{File: f, part: "text."}
	const key = "embeddings.word_embeddings.weight"
	switch {
	case t.find(key, under("")), t.find(key, under("roberta.")):
		return t, nil
	case t.find(key, under(t.part)):
		t.whole = true
		return t, nil
	}
	return nil, fmt.Errorf("model: there is no RoBERTa with Hugging Face's names: no %s, nor one under the prefix roberta", key)
}
