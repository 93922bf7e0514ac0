package config

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/text"
	"duet/model/train"
)

// ModelType is the model_type of a Config.
const ModelType = "duet-vlm"

// A Config describes a vision-language classifier.
type Config struct {
	ModelType     string            `json:"model_type"`
	Vision        *Vision           `json:"vision_config,omitempty"` // nil for a model of words alone
	Text          *Text             `json:"text_config,omitempty"`   // nil for a model of pictures alone
	Fusion        model.FusionKind  `json:"fusion"`
	ProjectionDim int               `json:"projection_dim"` // width of the fused vector
	ID2Label      map[string]string `json:"id2label,omitempty"`
	Label2ID      map[string]int    `json:"label2id,omitempty"`
	Image         data.Prep         `json:"image_preparation"`
	Augment       data.Augment      `json:"augmentation"` // of training pictures
	Cleaning      text.Cleaning     `json:"text_cleaning"`
	MaxTokens     int               `json:"max_tokens"`     // longer texts are cut
	NotSureBelow  float64           `json:"not_sure_below"` // a best answer of lower probability is not sure
	Recipe        train.Recipe      `json:"recipe"`
	Training      *Training         `json:"training,omitempty"` // nil before training
	LoRA          *LoRA             `json:"lora,omitempty"`     // nil where the model has none
}

// LoRA describes the changes of low rank beside the model's weights, with the
// names of PEFT's LoraConfig.
type LoRA struct {
	Rank  int     `json:"r"`
	Alpha float64 `json:"lora_alpha"` // what they add is multiplied by lora_alpha / r
}

// Vision is the image tower, a ResNet of basic blocks.
type Vision struct {
	Width    int    `json:"width"`              // channels of the stem; each layer after the first has twice those before it
	Blocks   []int  `json:"blocks"`             // of each layer; [2 2 2 2] is ResNet-18
	Stem     string `json:"stem,omitempty"`     // conv7 (7×7 and max-pool) where it is not given, or conv3 for small pictures
	Shortcut string `json:"shortcut,omitempty"` // projection (1×1 convolutions) where it is not given, or padding (zeros)
	Source   string `json:"source,omitempty"`   // what its weights were before any training here; empty: random
}

// Text is the text tower, a RoBERTa, with the names of Hugging Face's
// RobertaConfig.
type Text struct {
	VocabSize    int     `json:"vocab_size"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Intermediate int     `json:"intermediate_size"`
	Positions    int     `json:"max_position_embeddings"`
	Pad          int     `json:"pad_token_id"`
	LayerNormEps float64 `json:"layer_norm_eps"`
	InitStd      float64 `json:"initializer_range"`         // standard deviation of the initial weights
	Pooling      string  `json:"pooling,omitempty"`         // mean: of all tokens; else the state of <s>
	TypeVocab    int     `json:"type_vocab_size,omitempty"` // 1 where it is given
	Activation   string  `json:"hidden_act,omitempty"`      // gelu where it is given

	PositionEmbedding string `json:"position_embedding_type,omitempty"` // absolute where it is given
	Source            string `json:"source,omitempty"`                  // as Vision's
}

// MeanPooling is the Pooling that takes the mean of all tokens' states.
const MeanPooling = "mean"

// Training records what the model was trained on, so that an evaluation later
// uses the same validation pictures.
type Training struct {
	Data     string       `json:"data"`     // name of the collection
	Examples int          `json:"examples"` // trained on
	HeldOut  data.HeldOut `json:"held_out"`
	Seed     uint64       `json:"seed"`
	Init     string       `json:"init"`    // what it started from
	Adapter  string       `json:"adapter"` // what it was trained on
	Steps    int          `json:"steps"`   // after which the best model was found
	Top1     float64      `json:"val_top1"`
}

//go:embed seed.json small.json pretrained.json
var named embed.FS

// Names lists the named configurations.
func Names() []string { return []string{"seed", "small", "pretrained"} }

// Named gives a named configuration.
func Named(name string) (*Config, error) {
	for _, known := range Names() {
		if name == known {
			return Read(named, name+".json")
		}
	}
	return nil, fmt.Errorf("config: there is no configuration %q; named are %s", name, strings.Join(Names(), ", "))
}

// maxFile bounds a config.json: the hashes of 400,000 validation pictures.
const maxFile = 32 << 20

// Read reads and validates a configuration. Errors name the file and the field.
func Read(fsys fs.FS, name string) (*Config, error) {
	c := new(Config)
	if err := checkpoint.ReadJSON(fsys, name, maxFile, c); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("config: reading %s: %w", name, err)
	}
	return c, nil
}

// Marshal gives config.json: the same configuration gives the same bytes.
func (c *Config) Marshal() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		panic("config: plain data that does not marshal: " + err.Error())
	}
	return out.Bytes()
}

// SetLabels names the classes.
func (c *Config) SetLabels(labels []string) {
	c.ID2Label, c.Label2ID = map[string]string{}, map[string]int{}
	for i, label := range labels {
		c.ID2Label[strconv.Itoa(i)] = label
		c.Label2ID[label] = i
	}
}

// Labels gives the names of the classes by number.
func (c *Config) Labels() ([]string, error) {
	labels := make([]string, len(c.ID2Label))
	for i := range labels {
		label, ok := c.ID2Label[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("config: id2label has %d classes, but none of number %d", len(labels), i)
		}
		labels[i] = label
	}
	return labels, nil
}

// StartFrom notes that the towers' weights come from a model of another
// configuration, and what those were before.
func (c *Config) StartFrom(old *Config) {
	if c.Vision != nil && old.Vision != nil {
		c.Vision.Source = old.Vision.Source
	}
	if c.Text != nil && old.Text != nil {
		c.Text.Source = old.Text.Source
	}
}

// Shape is what the model is built from.
func (c *Config) Shape() model.Shape {
	s := model.Shape{Fusion: c.Fusion, Dim: c.ProjectionDim, Classes: len(c.ID2Label)}
	if v := c.Vision; v != nil {
		s.Width, s.Blocks, s.Stem, s.Shortcut = v.Width, v.Blocks, v.Stem, v.Shortcut
	}
	if t := c.Text; t != nil {
		s.Text = t.Shape()
		s.MeanPoolText = t.Pooling == MeanPooling
	}
	if l := c.LoRA; l != nil {
		s.LoRA = model.LoRAShape{Rank: l.Rank, Alpha: l.Alpha}
	}
	return s
}

// Shape is what the text tower is built from.
func (t *Text) Shape() model.TextShape {
	return model.TextShape{
		Vocab: t.VocabSize, Positions: t.Positions, Hidden: t.Hidden, Layers: t.Layers, Heads: t.Heads, Intermediate: t.Intermediate,
		Pad: t.Pad, Eps: float32(t.LayerNormEps), Std: float32(t.InitStd),
	}
}

// Input is how pictures and words become what the model takes; the tokenizer
// is nil for a model of pictures alone.
func (c *Config) Input(tokenizer *text.Tokenizer) train.Input {
	return train.Input{Prep: c.Image, Cleaning: c.Cleaning, Tokenizer: tokenizer, MaxTokens: c.MaxTokens}
}
