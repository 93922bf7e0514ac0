package app

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/nn"
)

// adapterName is the file of a model with a LoRA that holds what such a training
// changes: the LoRA itself, and the layers after the towers but the fusion's
// weight. With the model that the training started from it makes the whole.
const adapterName = "adapter.safetensors"

// configKey is where the adapter's metadata holds the configuration.
const configKey = "duet_config"

// hasAdapter tells whether the model's last training was that of a LoRA. Others
// change what an adapter does not hold.
func (m *Model) hasAdapter() bool {
	return m.Config.LoRA != nil && m.Config.Recipe.Tune == model.TuneLoRA
}

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
// a time and needs no device. Where out takes the place of what is merged, base is
// closed before.
func Merge(base *checkpoint.Model, adapter, out string, replace bool) error {
	x, err := openMerged(base, adapter)
	if err != nil {
		return err
	}
	defer x.Close()
	return x.Save(out, ExportHF, PartAll, replace)
}

func openMerged(base *checkpoint.Model, adapter string) (*Export, error) {
	if adapter == "" {
		x, err := OpenExport(base)
		if err == nil && !x.merged {
			x.Close()
			return nil, fmt.Errorf("app: %s has no LoRA to merge; give one (--adapter), as a training with --tune lora leaves it", base.Name())
		}
		return x, err
	}
	f, err := checkpoint.OpenFile(adapter)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	c := new(config.Config)
	if err = checkpoint.DecodeJSON([]byte(f.Metadata()[configKey]), c); err != nil || c.LoRA == nil {
		err = errors.New("it is not the adapter of a training with --tune lora: it lacks a configuration")
	} else {
		err = c.Validate()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("app: %s: %w", adapter, err)
	}
	x, err := openExport(base, c, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("app: merging %s with %s: give the model that its training started from (--model): %w", base.Name(), adapter, err)
	}
	x.paths = append(x.paths, adapter)
	return x, nil
}

// mergedTensors lists the parameters of m but its LoRA, which is added to the
// weights that it stands beside. weights are those that the training started
// from, with the configuration old; changed is what it changed, perhaps the same
// file.
func mergedTensors(m *Model, weights *checkpoint.File, old *config.Config, changed *checkpoint.File) ([]checkpoint.Tensor, error) {
	name := taken(m, weights, old)
	get := func(p *nn.Param) (t checkpoint.Tensor, initial bool, err error) {
		if changed == weights || m.inAdapter(p) {
			t, err = stored(changed, p.Name, p.Shape)
			return t, false, err
		}
		t, err = stored(weights, name(p.Name), p.Shape)
		if err != nil && p == m.VLM.Fusion.Linear.Weight {
			return checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape}, true, nil // as the training found it
		}
		return t, false, err
	}
	values := func(p *nn.Param) ([]float32, error) {
		_, initial, err := get(p)
		switch {
		case err != nil:
			return nil, err
		case initial:
			return p.Initial(m.Config.Recipe.Seed), nil
		case changed == weights || m.inAdapter(p):
			return changed.Float32(p.Name, nil)
		}
		return weights.Float32(p.Name, nil)
	}
	var out []checkpoint.Tensor
	for _, p := range m.VLM.Params.All() {
		t, _, err := get(p)
		if err != nil {
			return nil, err
		}
		if p.Adapter {
			continue
		}
		if m.VLM.HasLoRA(p) {
			t.Write = func(w io.Writer) error {
				x, err := values(p)
				if err == nil {
					err = m.VLM.Merge(p, x, values)
				}
				if err != nil {
					return err
				}
				return checkpoint.WriteFloat32(w, x)
			}
		}
		out = append(out, t)
	}
	return out, nil
}
