package app

import (
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"duet/gpu"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/report"
	"duet/model/text"
	"duet/model/train"
)

// A Model is a model on a device: its configuration, tokenizer and weights.
type Model struct {
	Config    *config.Config
	Labels    []string
	Tokenizer *text.Tokenizer // nil for a model of pictures alone
	VLM       *model.VLM
	Memory    *model.Memory
	Backend   gpu.Backend
	Name      string
	Weights   string // how the towers' weights lie on the device, see [model.VLM.Pack]
}

// Default is the name of the embedded model.
const Default = report.Default

const defaultName = "the default model" // in messages and cards

// OpenFiles opens a model's files: a folder or a zip on disk, or the embedded
// model where name is empty or [Default].
func OpenFiles(name string) (*checkpoint.Model, error) {
	if name != "" && name != Default {
		return checkpoint.OpenModel(name)
	}
	return openDefault()
}

// OpenInit opens the model that a training starts from, as [OpenFiles] does; it
// is nil, without an error, for "none".
func OpenInit(name string) (*checkpoint.Model, error) {
	if name == "none" {
		return nil, nil
	}
	return OpenFiles(name)
}

// Describe tells what a model is by its configuration alone.
func Describe(name string, c *config.Config) (Description, error) {
	labels, err := c.Labels()
	if err != nil {
		return Description{}, fmt.Errorf("app: %s: %w", name, err)
	}
	m, err := model.NewVLM(c.Shape())
	if err != nil {
		return Description{}, fmt.Errorf("app: %s: %w", name, err)
	}
	return Description{Name: name, Parameters: m.Params.Len(), Fusion: string(c.Fusion), ImageSize: c.Image.Size, Classes: labels}, nil
}

// Card returns the model card among a model's files, or nothing where it has none.
func Card(files *checkpoint.Model) string {
	card, err := files.ReadFile("README.md")
	if err != nil {
		return ""
	}
	return string(card)
}

// Load puts a model on a backend.
func Load(backend gpu.Backend, files *checkpoint.Model) (*Model, error) {
	return LoadPacked(backend, files, model.WeightsF32)
}

// LoadPacked is [Load] with the towers' weights in one of the ways that
// [model.VLM.Pack] knows. Such a model answers; it is neither trained nor saved.
func LoadPacked(backend gpu.Backend, files *checkpoint.Model, weights string) (*Model, error) {
	c, err := config.Read(files, "config.json")
	if err != nil {
		return nil, unusable(files.Name(), err)
	}
	m, err := define(backend, c, files.Name())
	if err != nil {
		return nil, badModel(files.Name(), err)
	}
	if c.Text != nil {
		if m.Tokenizer, err = text.Load(files); err != nil {
			return nil, unusable(files.Name(), err)
		}
		if m.Tokenizer.VocabSize() > c.Text.VocabSize {
			return nil, unusable(files.Name(), fmt.Errorf("the tokenizer has %d entries, config.json's vocab_size is %d", m.Tokenizer.VocabSize(), c.Text.VocabSize))
		}
	}
	m.Weights = weights
	if err := m.VLM.Pack(weights); err != nil {
		return nil, err
	}
	if err := m.place(); err != nil {
		return nil, err
	}
	tensors, err := files.Weights()
	if err != nil {
		m.Release()
		return nil, unusable(files.Name(), err)
	}
	defer tensors.Close()
	loaded, err := m.Memory.Load(tensors, nil)
	if err == nil && len(loaded.Missing) > 0 {
		err = fmt.Errorf("model: %d tensors are missing, for example %s", len(loaded.Missing), loaded.Missing[0])
	}
	if err != nil {
		m.Release()
		return nil, unusable(files.Name(), err)
	}
	return m, nil
}

// unusable says why a model cannot be used.
func unusable(name string, err error) error {
	return badModel(name, fmt.Errorf("app: %s: %w", name, err))
}

func badModel(name string, err error) error {
	return report.Because(err, report.BadModel, path.Base(filepath.ToSlash(name)))
}

// define builds the model that a configuration describes, without memory.
func define(backend gpu.Backend, c *config.Config, name string) (*Model, error) {
	labels, err := c.Labels()
	if err != nil {
		return nil, fmt.Errorf("app: %s: %w", name, err)
	}
	vlm, err := model.NewVLM(c.Shape())
	if err != nil {
		return nil, fmt.Errorf("app: %s: %w", name, err)
	}
	return &Model{Config: c, Labels: labels, VLM: vlm, Backend: backend, Name: name}, nil
}

func (m *Model) place() (err error) {
	m.Memory, err = model.Place(m.Backend, m.VLM.Params)
	return err
}

// Trained tells whether the model has been trained since it was put together. If
// not, its answers are those of random weights.
func (m *Model) Trained() bool { return m.Config.Training != nil }

// Input returns how the model takes pictures and words.
func (m *Model) Input() train.Input { return m.Config.Input(m.Tokenizer) }

// Release frees the model's memory.
func (m *Model) Release() {
	if m.Memory != nil {
		m.Memory.Release()
	}
}

// entries lists the files of the model's folder, with these tensors.
func (m *Model) entries(tensors []checkpoint.Tensor) []checkpoint.Entry {
	files := []checkpoint.Entry{
		checkpoint.Data("config.json", m.Config.Marshal()),
		{Name: "model.safetensors", Write: func(w io.Writer) error {
			return checkpoint.WriteSafetensors(w, tensors, map[string]string{"format": "pt"})
		}},
		checkpoint.Data("README.md", []byte(m.card())),
	}
	if m.hasAdapter() {
		files = append(files, checkpoint.Entry{Name: adapterName, Write: m.writeAdapter})
	}
	return append(files, tokenizerEntries(m.Tokenizer)...)
}

// tokenizerEntries lists a tokenizer's files; none for nil.
func tokenizerEntries(t *text.Tokenizer) []checkpoint.Entry {
	if t == nil {
		return nil
	}
	var out []checkpoint.Entry
	files := t.Files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, checkpoint.Data(name, files[name]))
	}
	return out
}

// Save writes the model as a folder, or as a zip where path ends in .zip. It is
// whole or not there at all; only a model is ever replaced.
func (m *Model) Save(path string) error {
	if err := m.exact(); err != nil {
		return err
	}
	if err := checkpoint.WriteModel(path, m.entries(m.Memory.Tensors())); err != nil {
		return fmt.Errorf("app: saving the model: %w", err)
	}
	return nil
}

// WriteZip writes the model as a zip, for where there is no disk. It reads the
// weights from the device one tensor at a time.
func (m *Model) WriteZip(w io.Writer) error {
	if err := m.exact(); err != nil {
		return err
	}
	if err := checkpoint.WriteZip(w, m.entries(m.Memory.Tensors())); err != nil {
		return fmt.Errorf("app: writing the model: %w", err)
	}
	return nil
}

// Packed tells that the towers' weights lie on the device in fewer bits than the
// model's files have.
func (m *Model) Packed() bool { return m.Weights != "" && m.Weights != model.WeightsF32 }

// exact refuses to write such a model.
func (m *Model) exact() error {
	if m.Packed() {
		return fmt.Errorf("app: %s lies on the device as %s and would lose accuracy: load it as it is to save it", m.Name, m.Weights)
	}
	return nil
}

// card is the model card.
func (m *Model) card() string {
	var s strings.Builder
	c := m.Config
	fmt.Fprintf(&s, "# A Duet model\n\nClassifies a picture together with its words into %d classes: %s.\n\n", len(m.Labels), shortList(m.Labels, 20))
	fmt.Fprintf(&s, "%d parameters; fusion %s, %d wide; pictures %d px.\n", m.VLM.Params.Len(), c.Fusion, c.ProjectionDim, c.Image.Size)
	if c.Vision != nil && c.Vision.Source != "" {
		fmt.Fprintf(&s, "The image tower began as %s.\n", c.Vision.Source)
	}
	if c.Text != nil && c.Text.Source != "" {
		fmt.Fprintf(&s, "The text tower began as %s.\n", c.Text.Source)
	}
	if t := c.Training; t != nil {
		fmt.Fprintf(&s, "\n## Training\n\n%d examples of %s, started from %s, %s, on %s.\n", t.Examples, t.Data, t.Init, c.Recipe, t.Adapter)
		if t.Init == defaultName {
			s.WriteString("Duet's default model was trained on Caltech-101 (Li, Andreeto, Ranzato and Perona, CC BY 4.0) and the Grocery Store Dataset (Klasson, MIT).\n")
		}
		if t.Top1 > 0 { // else it was stopped before it was measured
			fmt.Fprintf(&s, "Top-1 on %d held-back pictures after %d steps: %.3f. config.json lists their hashes.\n", len(t.HeldOut.Hashes), t.Steps, t.Top1)
		}
		if c.NotSureBelow < train.NeverSure {
			fmt.Fprintf(&s, "Answers with a probability below %.2f are marked as not sure.\n", c.NotSureBelow)
		}
	} else {
		s.WriteString("It is not trained yet: what follows its towers is random, and its answers mean nothing.\n")
	}
	if l := c.LoRA; l != nil {
		fmt.Fprintf(&s, "\nA LoRA of rank %d stands beside queries, values and fusion. `duet merge` makes a model without.\n", l.Rank)
		if m.hasAdapter() {
			fmt.Fprintf(&s, "%s holds it and the other layers that it was trained with.\n", adapterName)
		}
	}
	s.WriteString("\n## Elsewhere\n\nUnder `visual.` and `text.` the weights have torchvision's and Hugging Face's tensor names. `duet export --model MODEL --out PATH` writes\n\n" +
		"- `--format onnx`: one file for ONNX Runtime, with what its inputs need in its metadata;\n" +
		"- `--format safetensors --part visual` or `text`: one tower under its own names, for PyTorch;\n" +
		"- `--format hf --part text`: the text tower as transformers reads it.\n")
	return s.String()
}

func shortList(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
