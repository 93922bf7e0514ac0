package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/nn"
	"duet/model/train"
)

// A training keeps what comes of a training under way.
type training struct {
	keep        Keeper
	model       *Model
	fingerprint string // see fingerprint
	based       bool   // it started from a model or from towers
}

// unchanged are the parameters that the training leaves as it found them, in
// the model or the towers that it started from. A state holds them not: at full
// size they are half a gigabyte.
func (t *training) unchanged() []*nn.Param {
	if !t.based {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.model.VLM.Params.All()), func(p *nn.Param) bool { return p.Trainable || p.State })
}

// fingerprint tells apart trainings that would not end with the same model: by
// their configuration, what is held back, the examples, the tokenizer, and a
// part of each of the parameters that stay unchanged.
func fingerprint(m *Model, c *data.Collection, unchanged []*nn.Param) (string, error) {
	known := *m.Config
	known.NotSureBelow = 0
	known.Training = &config.Training{HeldOut: known.Training.HeldOut}
	h := sha256.New()
	h.Write(known.Marshal())
	encoder := json.NewEncoder(h)
	for _, e := range c.Select(data.Train) {
		encoder.Encode([]any{e.Source, e.Captions, e.Label, e.Plain, e.Copy})
	}
	if m.Tokenizer != nil {
		files := m.Tokenizer.Files()
		for _, name := range slices.Sorted(maps.Keys(files)) {
			h.Write(files[name])
		}
	}
	for _, p := range unchanged {
		values, err := m.Memory.First(p, 64)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, p.Name, values)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// save saves the state, and the model when it is the best so far.
func (t *training) save(s train.State, best bool) error {
	if best {
		c := t.model.Config
		c.NotSureBelow = s.NotSureBelow
		c.Training.Steps, c.Training.Top1 = s.Step, s.BestTop1
		if err := t.keep.SaveModel(t.model); err != nil {
			return err
		}
	}
	meta, err := json.Marshal(saved{State: s, Fingerprint: t.fingerprint})
	if err != nil {
		return err
	}
	return t.keep.SaveState(func(w io.Writer) error {
		return checkpoint.WriteSafetensors(w, t.tensors(), map[string]string{stateKey: string(meta)})
	})
}

// tensors lists weights, running statistics and Adam's moments, but what stays
// unchanged.
func (t *training) tensors() []checkpoint.Tensor {
	memory := t.model.Memory
	stays := map[string]bool{}
	for _, p := range t.unchanged() {
		stays[p.Name] = true
	}
	out := slices.DeleteFunc(memory.Tensors(), func(x checkpoint.Tensor) bool { return stays[x.Name] })
	for _, p := range t.model.VLM.Params.All() {
		if !p.Trainable || p.State {
			continue
		}
		for _, kind := range []string{nn.MomentM, nn.MomentV} {
			out = append(out, checkpoint.Tensor{Name: kind + "." + p.Name, Dtype: checkpoint.F32, Shape: p.Shape, Write: func(w io.Writer) error {
				values, err := memory.GetFrom(p, kind)
				if err != nil {
					return err
				}
				return checkpoint.WriteFloat32(w, values)
			}})
		}
	}
	return out
}

// openState opens the state that was kept.
func openState(k Keeper) (*checkpoint.File, error) {
	f, err := k.OpenState()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("app: there is no training to resume: %s does not exist", k)
	}
	if err != nil {
		return nil, fmt.Errorf("app: resuming: %w", err)
	}
	return f, nil
}

// resume reads the state that was kept.
func (t *training) resume() (train.State, error) {
	f, err := openState(t.keep)
	if err != nil {
		return train.State{}, err
	}
	defer f.Close()
	s, err := readSaved(f)
	if err != nil {
		return s.State, fmt.Errorf("app: resuming: %s: %w", t.keep, err)
	}
	if s.Fingerprint != t.fingerprint {
		return s.State, fmt.Errorf("app: resuming: %s was made with other data or settings; resume with the same command line, or remove it to start anew", t.keep)
	}
	report, err := t.model.Memory.Load(f, nil)
	if err != nil {
		return s.State, fmt.Errorf("app: resuming from %s: %w", t.keep, err)
	}
	for _, name := range report.Missing {
		if p := t.model.VLM.Params.Get(name); !slices.Contains(t.unchanged(), p) {
			return s.State, fmt.Errorf("app: resuming: %s lacks %s", t.keep, name)
		}
	}
	return s.State, t.loadMoments(f)
}

// loadMoments allocates Adam's moments early and fills them; the training step
// then finds them.
func (t *training) loadMoments(f *checkpoint.File) error {
	memory := t.model.Memory
	if err := train.AllocateOptimizer(memory); err != nil {
		return err
	}
	for _, p := range t.model.VLM.Params.All() {
		if !p.Trainable || p.State {
			continue
		}
		for _, kind := range []string{nn.MomentM, nn.MomentV} {
			values, err := f.Float32(kind+"."+p.Name, nil)
			if err != nil {
				return fmt.Errorf("app: resuming from %s: %w", t.keep, err)
			}
			if err := memory.SetIn(p, kind, values); err != nil {
				return fmt.Errorf("app: resuming from %s: %w", t.keep, err)
			}
		}
	}
	return nil
}
