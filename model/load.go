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
	Loaded  []string // of the model, found in the file
	Ignored []string // in the file, but not of the model
	Missing []string // of the model, but not in the file: they keep what they had
}

// A Source says where a parameter's values come from: a tensor of a file, or
// one number for all of them.
type Source struct {
	Param  *nn.Param
	File   *checkpoint.File
	Tensor string // "": Fill
	Fill   float32
}

// Values reads the parameter in the checkpoint's layout.
func (s Source) Values() ([]float32, error) {
	if s.Tensor == "" {
		return slices.Repeat([]float32{s.Fill}, s.Param.Len()), nil
	}
	return s.File.Float32(s.Tensor, nil)
}

// Write writes the parameter as F32 data, a part at a time.
func (s Source) Write(w io.Writer) error {
	if s.Tensor != "" {
		return s.File.CopyFloat32(w, s.Tensor)
	}
	values, err := s.Values()
	if err != nil {
		return err
	}
	return checkpoint.WriteFloat32(w, values)
}

// A naming tells where a file has the parameter of a name: under which other
// name, or, where that is empty, as a number. ok is false for neither.
type naming func(name string) (tensor string, fill float32, ok bool)

// sources finds parameters in a file. It reads no values: a tensor of another
// shape or of whole numbers is an error that names it.
func sources(params []*nn.Param, f *checkpoint.File, names naming) ([]Source, LoadReport, error) {
	var report LoadReport
	var found []Source
	used := map[string]bool{}
	for _, p := range params {
		tensor, fill, ok := names(p.Name)
		if ok && tensor != "" {
			info, there := f.Info(tensor)
			switch {
			case !there:
				ok = false
			case !slices.Equal(info.Shape, p.Shape):
				return nil, report, fmt.Errorf("model: tensor %s has shape %v, the model's configuration asks for %v", tensor, info.Shape, p.Shape)
			case !info.Dtype.Float():
				return nil, report, fmt.Errorf("model: tensor %s is %s; weights are floating point", tensor, info.Dtype)
			}
		}
		if !ok {
			report.Missing = append(report.Missing, p.Name)
			continue
		}
		used[tensor] = true
		report.Loaded = append(report.Loaded, p.Name)
		found = append(found, Source{p, f, tensor, fill})
	}
	for _, name := range f.Names() {
		// PyTorch's counters of batches say nothing about the model.
		if !used[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			report.Ignored = append(report.Ignored, name)
		}
	}
	return found, report, nil
}

// Load uploads the tensors of a checkpoint whose names the model has. A tensor
// of another shape is an error that names both shapes; nothing is uploaded
// before all shapes are known to fit. names maps the model's name of a
// parameter to the file's; nil means that they are the same.
func (m *Memory) Load(f *checkpoint.File, names func(string) string) (LoadReport, error) {
	found, report, err := sources(m.Params.All(), f, func(name string) (string, float32, bool) {
		if names != nil {
			name = names(name)
		}
		return name, 0, name != ""
	})
	if err != nil {
		return report, err
	}
	return report, m.SetAll(found)
}

// SetAll uploads parameters, a part of one at a time.
func (m *Memory) SetAll(found []Source) error {
	buffer := make([]float32, partValues)
	for _, s := range found {
		if err := m.upload(s, &buffer); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) upload(s Source, buffer *[]float32) error {
	if len(s.Param.Shape) == 4 || s.Tensor == "" {
		values, err := s.Values()
		if err != nil {
			return fmt.Errorf("model: reading tensor %s: %w", s.Tensor, err)
		}
		return m.Set(s.Param, values)
	}
	at := 0
	return parts(s.Param, func(place nn.Place, first, n int) error {
		*buffer = slices.Grow((*buffer)[:0], n)[:n]
		if err := s.File.Float32At(s.Tensor, at, *buffer); err != nil {
			return fmt.Errorf("model: reading tensor %s: %w", s.Tensor, err)
		}
		at += n
		if err := m.write(s.Param, place, nn.Weights, first, *buffer); err != nil {
			return fmt.Errorf("model: writing %s: %w", s.Param.Name, err)
		}
		return nil
	})
}

// Tensors lists the parameters for a safetensors file; values are read from
// the device a part of one at a time while the file is written.
func (m *Memory) Tensors() []checkpoint.Tensor {
	var out []checkpoint.Tensor
	for _, p := range m.Params.All() {
		out = append(out, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
			if len(p.Shape) == 4 {
				values, err := m.Get(p)
				if err != nil {
					return err
				}
				return checkpoint.WriteFloat32(w, values)
			}
			return parts(p, func(place nn.Place, first, n int) error {
				values := make([]float32, n)
				if err := m.read(p, place, nn.Weights, first, values); err != nil {
					return fmt.Errorf("model: reading %s: %w", p.Name, err)
				}
				return checkpoint.WriteFloat32(w, values)
			})
		}})
	}
	return out
}
