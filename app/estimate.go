package app

import (
	"context"
	"fmt"

	"duet/gpu"
	"duet/model"
	"duet/model/config"
	"duet/model/data"
	"duet/model/text"
	"duet/model/train"
)

// An Estimate is what a training will take.
type Estimate struct {
	Bytes int64 // on the device, at most
	Steps int
}

// EstimateTraining tells what [Train] would take with the same options on an
// adapter, without asking it for anything. It takes the longest text from the
// first few thousand.
func EstimateTraining(ctx context.Context, adapter gpu.Info, o TrainOptions) (Estimate, error) {
	c, err := o.configuration()
	if err != nil {
		return Estimate{}, err
	}
	if len(o.Collection.Classes) < 2 {
		return Estimate{}, fmt.Errorf("app: the collection has %d classes; at least two are needed", len(o.Collection.Classes))
	}
	c.SetLabels(o.Collection.Classes)
	var tokenizer *text.Tokenizer
	if c.Text != nil && o.Init != nil {
		if tokenizer, err = text.Load(o.Init); err != nil {
			return Estimate{}, fmt.Errorf("app: %s: %w", o.Init.Name(), err)
		}
	}
	planner := gpu.NewPlanner(adapter)
	m, err := define(planner, c, o.Name)
	if err != nil {
		return Estimate{}, err
	}
	m.Tokenizer = tokenizer
	frozen, err := m.VLM.Frozen(c.Recipe.Tune)
	if err != nil {
		return Estimate{}, err
	}
	if err := m.VLM.Params.Freeze(append(frozen, c.Recipe.Freeze...)); err != nil {
		return Estimate{}, err
	}
	if err := m.place(); err != nil {
		return Estimate{}, err
	}
	r := train.Rehearsal{Recipe: c.Recipe, Size: c.Image.Size, Pad: m.Input().Pad()}
	units := o.measure(&r, m, c)
	var e Estimate
	e.Steps, r.Recipe.Batch = c.Recipe.Steps(max(1, units))
	if err := train.Rehearse(ctx, planner, m.VLM, m.Memory, r); err != nil {
		return Estimate{}, err
	}
	e.Bytes = planner.Most()
	return e, nil
}

// measure counts the different pictures and texts, finds the longest text, and
// returns how many examples, or pictures that come with several, there are to
// train on.
func (o *TrainOptions) measure(r *train.Rehearsal, m *Model, c *config.Config) (units int) {
	examples := o.Collection.Select(data.Train, data.Unsplit)
	if len(o.Collection.Select(data.Validation)) == 0 {
		share := o.Share
		if share == 0 {
			share = data.DefaultShare
		}
		examples = examples[:int(float64(len(examples))*(1-share))]
	}
	per := 1
	if c.Recipe.Tune != model.TuneHead && c.Text != nil && c.Vision != nil {
		per = c.Recipe.PerPicture
	}
	units = data.Units(examples, per)
	pictures, texts := map[*data.Picture]bool{}, map[string]bool{"": true}
	in := m.Input()
	r.Tokens = 2
	for _, e := range o.Collection.Examples {
		pictures[e.Picture] = true
		for _, s := range e.Captions {
			if !texts[s] && len(texts) < 4000 {
				r.Tokens = max(r.Tokens, len(in.Encode(s)))
			}
			texts[s] = true
		}
	}
	r.Pictures, r.Texts = len(pictures), len(texts)
	return units
}
