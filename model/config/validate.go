package config

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"duet/model"
	"duet/model/checkpoint"
)

// Bounds on what a configuration may ask for: far above any model in use, and
// small enough that products do not overflow.
const (
	maxVocab      = 1_000_000
	maxHidden     = 16_384
	maxLayers     = 256
	maxPositions  = 65_536
	maxStages     = 8
	maxBlocks     = 64
	maxWidth      = 2048
	maxDim        = 16_384
	maxLabels     = 100_000
	maxLabelBytes = 1000
	maxHashes     = 1_000_000
	maxRank       = 1024
	maxParameters = 4_000_000_000
)

// A bound is a whole number and where it must lie.
type bound struct {
	field            string
	value, low, high int
}

func inBounds(prefix string, bounds ...bound) error {
	for _, b := range bounds {
		if b.value < b.low || b.value > b.high {
			return fmt.Errorf("%s%s is %d; want %d to %d", prefix, b.field, b.value, b.low, b.high)
		}
	}
	return nil
}

// Validate reports the first field whose value is impossible or beyond its
// bound. Class names are checked where there are any: a configuration has none
// before its model is trained.
func (c *Config) Validate() error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

func (c *Config) validate() error {
	if c.ModelType != ModelType {
		return fmt.Errorf("model_type is %.80q; want %s", c.ModelType, ModelType)
	}
	if err := c.validateTowers(); err != nil {
		return err
	}
	if n := c.Parameters(); n > maxParameters {
		return fmt.Errorf("the model would have %d parameters; at most %d are possible", n, maxParameters)
	}
	if err := c.validateLabels(); err != nil {
		return err
	}
	if c.Vision != nil {
		if err := c.Image.Validate(); err != nil {
			return fmt.Errorf("image_preparation: %w", err)
		}
		if err := c.Augment.Validate(); err != nil {
			return fmt.Errorf("augmentation: %w", err)
		}
	}
	if l := c.LoRA; l != nil {
		if err := inBounds("lora.", bound{"r", l.Rank, 1, maxRank}); err != nil {
			return err
		}
		if !(l.Alpha > 0 && l.Alpha <= maxHidden) {
			return fmt.Errorf("lora.lora_alpha is %g; want more than 0 and at most %d", l.Alpha, maxHidden)
		}
	}
	if !(c.NotSureBelow >= 0 && c.NotSureBelow <= 1) {
		return fmt.Errorf("not_sure_below is %g; want a probability", c.NotSureBelow)
	}
	if err := c.Recipe.Validate(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	if c.Training != nil {
		return c.Training.validate("training.")
	}
	return nil
}

func (c *Config) validateTowers() error {
	switch {
	case !slices.Contains(model.FusionKinds, c.Fusion):
		return fmt.Errorf("fusion is %.80q; want one of %v", c.Fusion, model.FusionKinds)
	case c.Vision == nil && c.Fusion != model.TextOnly:
		return fmt.Errorf("vision_config is missing, which fusion %s needs", c.Fusion)
	case c.Text == nil && c.Fusion != model.ImageOnly:
		return fmt.Errorf("text_config is missing, which fusion %s needs", c.Fusion)
	}
	if err := inBounds("", bound{"projection_dim", c.ProjectionDim, 1, maxDim}); err != nil {
		return err
	}
	if c.Vision != nil {
		if err := c.Vision.validate("vision_config."); err != nil {
			return err
		}
	}
	if c.Text == nil {
		return nil
	}
	if err := c.Text.validate("text_config."); err != nil {
		return err
	}
	// Positions start at the padding id + 1.
	return inBounds("", bound{"max_tokens", c.MaxTokens, 2, c.Text.Positions - c.Text.Pad - 1})
}

func (v *Vision) validate(prefix string) error {
	if err := inBounds(prefix, bound{"width", v.Width, 1, maxWidth}, bound{"blocks' length", len(v.Blocks), 1, maxStages}); err != nil {
		return err
	}
	for i, n := range v.Blocks {
		if err := inBounds(prefix, bound{fmt.Sprintf("blocks.%d", i), n, 1, maxBlocks}); err != nil {
			return err
		}
	}
	switch {
	case v.Stem != "" && v.Stem != model.StemLarge && v.Stem != model.StemSmall:
		return fmt.Errorf("%sstem is %.80q; want %s or %s", prefix, v.Stem, model.StemLarge, model.StemSmall)
	case v.Shortcut != "" && v.Shortcut != model.ShortcutProjection && v.Shortcut != model.ShortcutPadding:
		return fmt.Errorf("%sshortcut is %.80q; want %s or %s", prefix, v.Shortcut, model.ShortcutProjection, model.ShortcutPadding)
	case v.Shortcut == model.ShortcutPadding && v.Width%2 != 0:
		return fmt.Errorf("%swidth is %d; shortcuts with padding need an even one", prefix, v.Width)
	case len(v.Source) > maxLabelBytes:
		return fmt.Errorf("%ssource has more than %d bytes", prefix, maxLabelBytes)
	}
	return nil
}

func (t *Text) validate(prefix string) error {
	if err := inBounds(prefix,
		bound{"vocab_size", t.VocabSize, 1, maxVocab},
		bound{"hidden_size", t.Hidden, 1, maxHidden},
		bound{"num_hidden_layers", t.Layers, 1, maxLayers},
		bound{"num_attention_heads", t.Heads, 1, t.Hidden},
		bound{"intermediate_size", t.Intermediate, 1, 8 * maxHidden},
		bound{"pad_token_id", t.Pad, 0, t.VocabSize - 1},
		bound{"max_position_embeddings", t.Positions, 1, maxPositions},
		bound{"type_vocab_size", t.TypeVocab, 0, 1},
	); err != nil {
		return err
	}
	switch {
	case t.Hidden%t.Heads != 0:
		return fmt.Errorf("%snum_attention_heads is %d, which does not divide hidden_size %d", prefix, t.Heads, t.Hidden)
	case t.Positions < t.Pad+3:
		return fmt.Errorf("%smax_position_embeddings is %d; positions begin at pad_token_id + 1 = %d, so it leaves no room for <s> and </s>", prefix, t.Positions, t.Pad+1)
	case !(t.LayerNormEps > 0 && t.LayerNormEps <= 0.1):
		return fmt.Errorf("%slayer_norm_eps is %g; want a positive number up to 0.1", prefix, t.LayerNormEps)
	case !(t.InitStd >= 0 && t.InitStd <= 10):
		return fmt.Errorf("%sinitializer_range is %g; want 0 to 10", prefix, t.InitStd)
	case t.Activation != "" && t.Activation != "gelu":
		return fmt.Errorf("%shidden_act is %.80q; want gelu, the exact one with erf", prefix, t.Activation)
	case t.PositionEmbedding != "" && t.PositionEmbedding != "absolute":
		return fmt.Errorf("%sposition_embedding_type is %.80q; want absolute", prefix, t.PositionEmbedding)
	case len(t.Source) > maxLabelBytes:
		return fmt.Errorf("%ssource has more than %d bytes", prefix, maxLabelBytes)
	case t.Pooling != "" && t.Pooling != "first" && t.Pooling != MeanPooling:
		return fmt.Errorf("%spooling is %.80q; want first or %s", prefix, t.Pooling, MeanPooling)
	}
	return nil
}

// Parameters is the number of trainable values but for biases and norms: close
// enough to refuse what cannot fit, without overflow.
func (c *Config) Parameters() int64 {
	dim := int64(c.ProjectionDim)
	n := 3*dim*dim + dim*int64(len(c.ID2Label)) // the widest fusion
	if v := c.Vision; v != nil {
		in := int64(v.Width)
		n += 7 * 7 * 3 * in
		for i, blocks := range v.Blocks {
			out := int64(v.Width) << i
			n += 9*in*out + 9*out*out*int64(2*blocks-1) + in*out
			in = out
		}
		n += in * dim
	}
	if t := c.Text; t != nil {
		h := int64(t.Hidden)
		n += int64(t.VocabSize+t.Positions)*h + int64(t.Layers)*(4*h*h+2*h*int64(t.Intermediate)) + h*dim
	}
	return n
}

func (c *Config) validateLabels() error {
	if len(c.ID2Label) > maxLabels {
		return fmt.Errorf("id2label has %d classes; at most %d are possible", len(c.ID2Label), maxLabels)
	}
	labels, err := c.Labels()
	if err != nil {
		return err
	}
	ids := make(map[string]int, len(labels))
	for i, label := range labels {
		if label == "" || len(label) > maxLabelBytes || !utf8.ValidString(label) {
			return fmt.Errorf("id2label.%d is %.80q; want a name of at most %d bytes", i, label, maxLabelBytes)
		}
		if first, twice := ids[label]; twice {
			return fmt.Errorf("id2label.%d and id2label.%d have the same name %.80q", first, i, label)
		}
		ids[label] = i
	}
	if len(c.Label2ID) > 0 && len(c.Label2ID) != len(ids) {
		return fmt.Errorf("label2id has %d names, id2label %d", len(c.Label2ID), len(ids))
	}
	for label, id := range c.Label2ID {
		if want, ok := ids[label]; !ok || id != want {
			return fmt.Errorf("label2id gives %.80q the number %d, unlike id2label", label, id)
		}
	}
	return nil
}

func (t *Training) validate(prefix string) error {
	prefix += "held_out."
	if !(t.HeldOut.Share >= 0 && t.HeldOut.Share < 1) {
		return fmt.Errorf("%sshare is %g; want 0 to less than 1", prefix, t.HeldOut.Share)
	}
	if n := len(t.HeldOut.Hashes); n > maxHashes {
		return fmt.Errorf("%shashes has %d entries; at most %d are possible", prefix, n, maxHashes)
	}
	for i, hash := range t.HeldOut.Hashes {
		if hash == "" || len(hash) > 64 || strings.Trim(hash, "0123456789abcdef") != "" {
			return fmt.Errorf("%shashes.%d is %.80q; want up to 64 hexadecimal digits in lower case", prefix, i, hash)
		}
	}
	return nil
}

// RoBERTas are the model_types of the RoBERTa family in Hugging Face's
// libraries: one architecture with different vocabularies.
var RoBERTas = []string{"roberta", "xlm-roberta", "camembert"}

// TypeOf reads the model_type of any config.json, "" where it names none.
func TypeOf(fsys fs.FS, name string) (string, error) {
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := checkpoint.ReadJSON(fsys, name, maxFile, &kind); err != nil {
		return "", fmt.Errorf("config: %w", err)
	}
	return kind.ModelType, nil
}

// Check judges any config.json by its model_type: a Config's, or that of a
// RoBERTa as Hugging Face's libraries write it. Errors name the file and the
// field.
func Check(fsys fs.FS, name string) error {
	kind, err := TypeOf(fsys, name)
	switch {
	case err != nil:
		return err
	case kind == ModelType:
		_, err = Read(fsys, name)
	case slices.Contains(RoBERTas, kind):
		_, err = ReadText(fsys, name)
	default:
		err = fmt.Errorf("config: reading %s: model_type is %.80q; want %s or roberta", name, kind, ModelType)
	}
	return err
}

// ReadText reads and validates the configuration of a RoBERTa alone, as Hugging
// Face's libraries write it.
func ReadText(fsys fs.FS, name string) (*Text, error) {
	t := &Text{Pad: 1, LayerNormEps: 1e-12, InitStd: 0.02} // RobertaConfig's own defaults
	if err := checkpoint.ReadJSON(fsys, name, maxFile, t); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if err := t.validate(""); err != nil {
		return nil, fmt.Errorf("config: reading %s: %w", name, err)
	}
	return t, nil
}
