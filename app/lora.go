package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/nn"
	"duet/model/text"
)

// adapterName is the file of a model with a LoRA that holds what such a training
// changes: the LoRA itself, and the layers after the towers but the fusion's
// weight. With the model that the training started from it makes the whole.
const adapterName = "adapter.safetensors"

// configKey is where the adapter's metadata holds the configuration.
const configKey = "duet_config"

// inAdapter tells what belongs to the adapter.
func (m *Model) inAdapter(p *nn.Param) bool {
	return p.New && p != m.VLM.Fusion.Linear.Weight
}

func (m *Model) writeAdapter(w io.Writer) error {
	var tensors []checkpoint.Tensor
	for i, t := range m.Memory.Tensors() {
		if m.inAdapter(m.VLM.Params.All()[i]) {
			tensors = append(tensors, t)
		}
	}
	metadata := map[string]string{"format": "pt", "r": strconv.Itoa(m.Config.LoRA.Rank), configKey: string(m.Config.Marshal())}
	return checkpoint.WriteSafetensors(w, tensors, metadata)
}

// Merge writes a model without a LoRA that answers like one with: base's own, or
// that of an adapter file whose training started from base. It reads a tensor at
// a time and needs no device.
func Merge(base *checkpoint.Model, adapter, out string) error {
	if err := checkpoint.CanWriteModel(out); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	old, err := config.Read(base, "config.json")
	if err != nil {
		return fmt.Errorf("app: %s: %w", base.Name(), err)
	}
	weights, err := base.Weights()
	if err != nil {
		return fmt.Errorf("app: %s: %w", base.Name(), err)
	}
	defer weights.Close()
	changed, c, from := weights, old, base.Name()
	if adapter != "" {
		from = adapter
		if changed, err = checkpoint.OpenFile(adapter); err != nil {
			return fmt.Errorf("app: %w", err)
		}
		defer changed.Close()
		c = new(config.Config)
		if err := json.Unmarshal([]byte(changed.Metadata()[configKey]), c); err != nil {
			return fmt.Errorf("app: %s is not the adapter of a training with --tune lora: it lacks a configuration", adapter)
		}
		if err := c.Validate(); err != nil {
			return fmt.Errorf("app: %s: %w", adapter, err)
		}
	}
	if c.LoRA == nil {
		return fmt.Errorf("app: %s has no LoRA to merge; give one (--adapter), as a training with --tune lora leaves it", from)
	}
	m, err := define(nil, c, base.Name())
	if err != nil {
		return err
	}
	if c.Text != nil {
		if m.Tokenizer, err = text.Load(base); err != nil {
			return fmt.Errorf("app: %s: %w", base.Name(), err)
		}
	}
	name := taken(m, weights, old)
	get := func(p *nn.Param) ([]float32, error) {
		if m.inAdapter(p) || adapter == "" {
			return changed.Float32(p.Name, nil)
		}
		values, err := weights.Float32(name(p.Name), nil)
		if err != nil && p == m.VLM.Fusion.Linear.Weight {
			return p.Initial(c.Recipe.Seed), nil // as the training found it
		}
		return values, err
	}
	var tensors []checkpoint.Tensor
	for _, p := range m.VLM.Params.All() {
		if p.Adapter {
			continue
		}
		for _, f := range []*checkpoint.File{changed, weights} {
			if info, ok := f.Info(p.Name); ok && (f == changed) == m.inAdapter(p) && info.Len() != p.Len() {
				return fmt.Errorf("app: tensor %s of %s has shape %v, the configuration asks for %v", p.Name, from, info.Shape, p.Shape)
			}
		}
		tensors = append(tensors, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
			values, err := get(p)
			if err != nil {
				return err
			}
			if len(values) != p.Len() {
				return fmt.Errorf("app: tensor %s has %d values, the configuration asks for %d", p.Name, len(values), p.Len())
			}
			if err := m.VLM.Merge(p, values, get); err != nil {
				return err
			}
			return checkpoint.WriteFloat32(w, values)
		}})
	}
	c.LoRA = nil
	files := append([]checkpoint.Entry{
		checkpoint.Data("config.json", c.Marshal()),
		{Name: "model.safetensors", Write: func(w io.Writer) error {
			return checkpoint.WriteSafetensors(w, tensors, map[string]string{"format": "pt"})
		}},
		checkpoint.Data("README.md", []byte(m.card())),
	}, tokenizerEntries(m.Tokenizer)...)
	if err := checkpoint.WriteModel(out, files); err != nil {
		return fmt.Errorf("app: saving the model: %w", errors.Join(err))
	}
	return nil
}
