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
	Tokens          int // of the longest text
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
	texts := [][]int32{make([]int32, r.Tokens)}
	t := 0
	if m.Text != nil {
		t = max(1, model.TextLength(texts, m.MaxTokens()))
	}
	if r.Recipe.Tune != model.TuneHead {
		if _, err := step.compiled(t); err != nil {
			return err
		}
		predictor := model.NewPredictor(backend, m, memory, r.Size, step.batch, r.Pad)
		defer predictor.Release()
		_, err := predictor.Compiled(t)
		return err
	}
	f := newTables(backend, m, memory, step.batch)
	defer f.Release()
	x := model.NewExtractor(backend, m, memory, r.Size, step.batch, r.Pad)
	if m.Visual != nil {
		shape, err := x.VisualShape()
		if err == nil {
			_, err = f.table(visualTable, max(1, r.Pictures), shape)
		}
		if err == nil {
			err = x.Rehearse(0)
		}
		if err != nil {
			return err
		}
	}
	if m.Text != nil {
		if _, err := f.table(wordsTable, max(1, r.Texts), []int{m.Shape.Text.Hidden}); err != nil {
			return err
		}
		if err := x.Rehearse(t); err != nil {
			return err
		}
	}
	x.Release()
	step.features = f
	if _, err := step.compiled(0); err != nil {
		return err
	}
	return f.prepare(ctx)
}
