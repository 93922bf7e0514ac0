package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/onnx"
	"duet/model/report"
	"duet/model/text"
)

// The forms in which a model is written for other programs.
const (
	ExportSafetensors = "safetensors" // one file of weights
	ExportONNX        = "onnx"        // one file that runs by itself
	ExportHF          = "hf"          // a folder, or a zip of one, in the style of Hugging Face
)

// The parts of a model that are exported.
const (
	PartAll    = "all"
	PartVisual = "visual" // the image tower, with torchvision's keys
	PartText   = "text"   // the text tower, with Hugging Face's
)

// An Export is a model that is written in another form, from its files: it needs
// no device and holds no more than one tensor.
type Export struct {
	model   *Model // without memory
	files   *checkpoint.Model
	weights *checkpoint.File
	adapter *checkpoint.File    // or nil
	paths   []string            // of what these were opened from
	merged  bool                // the model has a LoRA, which is added to the weights
	tensors []checkpoint.Tensor // all parameters, in the model's order
	card    string
}

// OpenExport reads a model's files but its weights' values. The caller closes
// it before the files. A LoRA is merged.
func OpenExport(files *checkpoint.Model) (*Export, error) {
	x, err := openExport(files, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("app: %s: %w", files.Name(), err)
	}
	return x, nil
}

// openExport opens a model as its files have it, or with what the adapter, of
// configuration c, holds.
func openExport(files *checkpoint.Model, c *config.Config, adapter *checkpoint.File) (*Export, error) {
	old, err := config.Read(files, "config.json")
	if err != nil {
		return nil, err
	}
	if adapter == nil {
		c = old
	}
	m, err := define(nil, c, files.Name())
	if err != nil {
		return nil, err
	}
	x := &Export{model: m, files: files, adapter: adapter, paths: []string{files.Name()}, merged: c.LoRA != nil, card: Card(files)}
	if c.Text != nil {
		if m.Tokenizer, err = text.Load(files); err != nil {
			return nil, err
		}
	}
	if x.weights, err = files.Weights(); err != nil {
		return nil, err
	}
	if x.merged {
		changed := adapter
		if changed == nil {
			changed = x.weights
		}
		if x.tensors, err = mergedTensors(m, x.weights, old, changed); err != nil {
			return nil, errors.Join(err, x.weights.Close())
		}
		c.LoRA = nil
		tokenizer := m.Tokenizer
		if x.model, err = define(nil, c, files.Name()); err != nil {
			return nil, errors.Join(err, x.weights.Close())
		}
		x.model.Tokenizer, x.card = tokenizer, x.model.card()
		return x, nil
	}
	if x.card == "" {
		x.card = m.card()
	}
	for _, p := range m.VLM.Params.All() {
		t, err := stored(x.weights, p.Name, p.Shape)
		if err != nil {
			return nil, errors.Join(err, x.weights.Close())
		}
		x.tensors = append(x.tensors, t)
	}
	return x, nil
}

// stored is a tensor of a file, as F32.
func stored(f *checkpoint.File, name string, shape []int) (checkpoint.Tensor, error) {
	info, ok := f.Info(name)
	switch {
	case !ok:
		return checkpoint.Tensor{}, fmt.Errorf("its weights lack the tensor %s", name)
	case !slices.Equal(info.Shape, shape):
		return checkpoint.Tensor{}, fmt.Errorf("the tensor %s has shape %v, the configuration asks for %v", name, info.Shape, shape)
	case !info.Dtype.Float():
		return checkpoint.Tensor{}, fmt.Errorf("the tensor %s is %s, not floating point", name, info.Dtype)
	}
	return checkpoint.Tensor{Name: name, Dtype: checkpoint.F32, Shape: shape, Write: func(w io.Writer) error {
		return f.CopyFloat32(w, name)
	}}, nil
}

// Close closes the weights.
func (x *Export) Close() error {
	err := x.weights.Close()
	if x.adapter != nil {
		err = errors.Join(err, x.adapter.Close())
	}
	return err
}

// Parameters is the number of values that an export of the part has.
func (x *Export) Parameters(part string) int {
	n := 0
	for _, t := range x.part(part) {
		n += length(t.Shape)
	}
	return n
}

func length(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Save writes the part of the model to path in a format, whole or not at all.
// What is there is replaced only where replace says so and it is an earlier
// export of its kind, for a folder or zip a model. Where it is what the export
// reads, the export and the model's files are closed before.
func (x *Export) Save(path, format, part string, replace bool) error {
	err := x.check(format, part)
	if err == nil && part != PartAll && within(path, x.model.Name) {
		err = fmt.Errorf("%s is the model itself, which a part of it would replace; give another name", path)
	}
	if err == nil && format == ExportHF {
		err = checkpoint.CanWriteModel(path)
	} else if err == nil {
		err = canReplaceExport(path, format)
	}
	if err == nil {
		err = Vacant(path, replace)
	}
	if err == nil {
		err = x.save(path, format, part)
	}
	if err != nil {
		return fmt.Errorf("app: exporting %s: %w", x.model.Name, err)
	}
	return nil
}

func (x *Export) save(path, format, part string) error {
	switch {
	case format == ExportHF && slices.ContainsFunc(x.paths, func(from string) bool { return within(path, from) }):
		return checkpoint.RewriteModel(path, x.folder(part), func() error { return errors.Join(x.Close(), x.files.Close()) })
	case format == ExportHF:
		return checkpoint.WriteModel(path, x.folder(part))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return checkpoint.WriteFile(path, func(w io.Writer) error { return x.write(w, format, part) })
}

// Write writes the part of the model in a format as one file, [ExportHF] as a
// zip, for where there is no disk.
func (x *Export) Write(w io.Writer, format, part string) error {
	err := x.check(format, part)
	if err == nil && format == ExportHF {
		err = checkpoint.WriteZip(w, x.folder(part))
	} else if err == nil {
		err = x.write(w, format, part)
	}
	if err != nil {
		return fmt.Errorf("app: exporting %s: %w", x.model.Name, err)
	}
	return nil
}

func (x *Export) check(format, part string) error {
	c := x.model.Config
	switch {
	case !slices.Contains([]string{ExportSafetensors, ExportONNX, ExportHF}, format):
		return fmt.Errorf("format %q is not known; one of %s, %s and %s", format, ExportSafetensors, ExportONNX, ExportHF)
	case !slices.Contains([]string{PartAll, PartVisual, PartText}, part):
		return fmt.Errorf("part %q is not known; one of %s, %s and %s", part, PartAll, PartVisual, PartText)
	case part == PartVisual && c.Vision == nil, part == PartText && c.Text == nil:
		return fmt.Errorf("the model has no %s tower", part)
	case part != PartAll && format == ExportONNX:
		return errors.New("ONNX is written of the whole model; a single tower is exported as safetensors")
	case part == PartVisual && format == ExportHF:
		return errors.New("torchvision's ResNet has no folder in the style of Hugging Face; the image tower is exported as safetensors")
	}
	return nil
}

// canReplaceExport allows what does not exist and an earlier export.
func canReplaceExport(path, format string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	ours := false
	if info.Mode().IsRegular() && format == ExportONNX {
		ours, _ = onnx.Written(f)
	} else if info.Mode().IsRegular() {
		weights, err := checkpoint.Open(f, info.Size())
		ours = err == nil && weights.Metadata()[exportKey] != ""
	}
	if !ours {
		return fmt.Errorf("%s is no earlier export as %s, so it is not replaced; give another name", path, format)
	}
	return nil
}

func (x *Export) write(w io.Writer, format, part string) error {
	if format == ExportONNX {
		return onnx.Write(w, x.model.VLM, x.tensors, onnx.Options{Size: x.model.Config.Image.Size, Version: report.Version(), Metadata: x.metadata()})
	}
	return checkpoint.WriteSafetensors(w, x.part(part), map[string]string{"format": "pt", exportKey: part})
}

// exportKey is where the metadata of an export as safetensors says which part it
// is. Weights without are not replaced: they may be a model's, or what one began as.
const exportKey = "duet_export"

// part lists the tensors of a part; a tower's have the names that they have
// in a checkpoint of its own.
func (x *Export) part(part string) []checkpoint.Tensor {
	if part == PartAll {
		return x.tensors
	}
	var out []checkpoint.Tensor
	for _, t := range x.tensors {
		if name, ok := strings.CutPrefix(t.Name, part+"."); ok {
			t.Name = name
			out = append(out, t)
		}
	}
	return out
}

// folder lists the files of a part's folder.
func (x *Export) folder(part string) []checkpoint.Entry {
	settings, card := x.model.Config.Marshal(), x.card
	if part == PartText {
		settings, card = robertaConfig(x.model.Config.Text, x.model.Tokenizer), x.textCard()
	}
	files := []checkpoint.Entry{
		checkpoint.Data("config.json", settings),
		{Name: "model.safetensors", Write: func(w io.Writer) error {
			return checkpoint.WriteSafetensors(w, x.part(part), map[string]string{"format": "pt"})
		}},
		checkpoint.Data("README.md", []byte(card)),
	}
	return append(files, tokenizerEntries(x.model.Tokenizer)...)
}

// robertaConfig is the config.json of a text tower as transformers reads it.
func robertaConfig(t *config.Text, tokenizer *text.Tokenizer) []byte {
	tower := *t
	tower.Pooling, tower.Source, tower.TypeVocab, tower.Activation, tower.PositionEmbedding = "", "", 1, "gelu", "absolute"
	return indentedJSON(struct {
		Architectures []string `json:"architectures"`
		ModelType     string   `json:"model_type"`
		config.Text
		BOS   int32  `json:"bos_token_id"`
		EOS   int32  `json:"eos_token_id"`
		Dtype string `json:"torch_dtype"`
	}{[]string{"RobertaModel"}, "roberta", tower, tokenizer.BOS, tokenizer.EOS, "float32"})
}

func indentedJSON(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic("app: plain data that does not marshal: " + err.Error())
	}
	return out.Bytes()
}

// textCard is the card of the text tower by itself.
func (x *Export) textCard() string {
	var s strings.Builder
	t := x.model.Config.Text
	fmt.Fprintf(&s, "# The text tower of a Duet model\n\nA RoBERTa of %d layers, %d wide, with %d tokens and without a pooler:\n\n", t.Layers, t.Hidden, t.VocabSize)
	s.WriteString("    RobertaModel.from_pretrained(FOLDER, add_pooling_layer=False)\n\nThe model that it was part of:\n\n")
	s.WriteString(strings.ReplaceAll(x.card, "\n#", "\n##"))
	return s.String()
}

// metadata is what an ONNX file says of how its inputs are made.
func (x *Export) metadata() map[string]string {
	c := x.model.Config
	out := map[string]string{
		"id2label":       compactJSON(c.ID2Label),
		"not_sure_below": strconv.FormatFloat(c.NotSureBelow, 'g', -1, 64),
		"fusion":         string(c.Fusion),
	}
	if c.Vision != nil {
		out["image_preparation"] = compactJSON(c.Image)
	}
	if c.Text != nil {
		out["text_cleaning"] = compactJSON(c.Cleaning)
		out["max_tokens"] = strconv.Itoa(c.MaxTokens)
		out["pad_token_id"] = strconv.Itoa(c.Text.Pad)
	}
	return out
}

func compactJSON(v any) string {
	var out bytes.Buffer
	if err := json.Compact(&out, indentedJSON(v)); err != nil {
		panic("app: JSON that is none: " + err.Error())
	}
	return out.String()
}
