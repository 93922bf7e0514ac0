package train

import (
	"context"

	"duet/gpu"
	"duet/model"
)

// A Rehearsal is what decides the memory of a training.
type Rehearsal struct {
	Recipe          Recipe
	Size            int // picture side
	Pad             int32
	Shortest        int // tokens of the shortest text
	Longest         int // and of the longest
	Pictures, Texts int // different ones, for a training of the head alone
}

// Rehearse asks a backend, usually a [gpu.Planner], for all that a training of a
// placed model asks of it, so that this is known before the training starts.
func Rehearse(ctx context.Context, backend gpu.Backend, m *model.VLM, memory *model.Memory, r Rehearsal) error {
	step, err := NewStep(backend, m, memory, r.Recipe, r.Size, 1, r.Pad)
	if err != nil {
		return err
	}
	defer step.Release()
	// Each padded length that may occur has programs of its own, which stay.
	lengths := []int{0}
	if m.Text != nil {
		lengths = model.TextLengths(r.Shortest, r.Longest, m.MaxTokens())
	}
	if r.Recipe.Tune != model.TuneHead {
		predictor := model.NewPredictor(backend, m, memory, r.Size, step.batch, r.Pad)
		defer predictor.Release()
		for _, t := range lengths {
			if _, err := step.compiled(t); err != nil {
				return err
			}
			if err := predictor.Rehearse(t); err != nil {
				return err
			}
		}
		return nil
	}
	f := newTables(backend, m, memory, step.batch)
	defer f.Release()
	x := model.NewExtractor(backend, m, memory, r.Size, step.batch, r.Pad)
	defer x.Release()
	if err := f.allocate(x, max(1, r.Pictures), max(1, r.Texts)); err != nil {
		return err
	}
	if m.Visual != nil {
		if err := x.Rehearse(0); err != nil {
			return err
		}
	}
	for _, t := range lengths {
		if t > 0 {
			if err := x.Rehearse(t); err != nil {
				return err
			}
		}
	}
	x.Release() // it is done before the first step
	step.features = f
	if _, err := step.compiled(0); err != nil {
		return err
	}
	return f.prepare(ctx)
}
