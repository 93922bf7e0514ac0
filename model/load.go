package model

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"duet/model/checkpoint"
	"duet/model/nn"
)

// A LoadReport says what became of a checkpoint's tensors.
type LoadReport struct {
	Loaded  int
	Ignored []string // in the file, but not of the model
	Missing []string // of the model, but not in the file: they keep what they had
}

// Load uploads the tensors of a checkpoint whose names the model has. A tensor
// of another shape is an error that names both shapes; nothing is uploaded
// before all shapes are known to fit. names maps the model's name of a
// parameter to the file's; nil means that they are the same.
func (m *Memory) Load(f *checkpoint.File, names func(string) string) (LoadReport, error) {
	var report LoadReport
	used := map[string]bool{}
	type pair struct {
		p    *nn.Param
		name string
	}
	var found []pair
	for _, p := range m.Params.All() {
		name := p.Name
		if names != nil {
			name = names(name)
		}
		info, ok := f.Info(name)
		if !ok {
			report.Missing = append(report.Missing, p.Name)
			continue
		}
		if !slices.Equal(info.Shape, p.Shape) {
			return report, fmt.Errorf("model: tensor %s has shape %v, the model's configuration asks for %v", name, info.Shape, p.Shape)
		}
		used[name] = true
		found = append(found, pair{p, name})
	}
	for _, x := range found {
		values, err := f.Float32(x.name, nil)
		if err != nil {
			return report, fmt.Errorf("model: reading tensor %s: %w", x.name, err)
		}
		if err := m.Set(x.p, values); err != nil {
			return report, err
		}
		report.Loaded++
	}
	for _, name := range f.Names() {
		// PyTorch's counters of batches say nothing about the model.
		if !used[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			report.Ignored = append(report.Ignored, name)
		}
	}
	return report, nil
}

// Tensors lists the parameters for a safetensors file; values are read from
// the device one at a time while the file is written.
func (m *Memory) Tensors() []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, p := range m.Params.All() {
		out = append(out, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
			values, err := m.Get(p)
			if err != nil {
				return err
			}
			return checkpoint.WriteFloat32(w, values)
		}})
	}
	return out
}
