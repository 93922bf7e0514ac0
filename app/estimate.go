package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duet/gpu"
	"duet/model"
	"duet/model/config"
	"duet/model/data"
	"duet/model/report"
	"duet/model/text"
	"duet/model/train"
)

// EstimateTraining tells what [Train] would take with the same options on an
// adapter, without asking it for anything; the time where a speed is given. It
// takes the longest text from the first few thousand.
func EstimateTraining(ctx context.Context, adapter gpu.Info, o TrainOptions, speed *Speed) (Estimate, error) {
	c, err := o.configuration()
	if err != nil {
		return Estimate{}, err
	}
	if len(o.Collection.Classes) < 2 {
		return Estimate{}, fmt.Errorf("app: %w", report.TooFewClasses("the collection", len(o.Collection.Classes)))
	}
	c.SetLabels(o.Collection.Classes)
	if err := c.Validate(); err != nil {
		return Estimate{}, fmt.Errorf("app: the configuration: %w", err)
	}
	var tokenizer *text.Tokenizer
	if c.Text != nil && o.Init != nil {
		if tokenizer, err = text.Load(o.Init); err != nil && !errors.Is(err, text.ErrNone) {
			return Estimate{}, fmt.Errorf("app: %s: %w", o.Init.Name(), err)
		}
	}
	if c.Text != nil && o.Towers != nil {
		if tokenizer, err = o.tokenizer(ctx, c); err != nil {
			return Estimate{}, err
		}
	}
	if tokenizer == nil && c.Text != nil {
		tokenizer = o.Tokenizer // else it is trained first, and texts are as long as they may be
	}
	planner := gpu.NewPlanner(adapter)
	m, err := define(planner, c, o.Name)
	if err != nil {
		return Estimate{}, err
	}
	m.Tokenizer = tokenizer
	if err := m.freeze(); err != nil {
		return Estimate{}, err
	}
	if err := m.place(); err != nil {
		return Estimate{}, err
	}
	r := train.Rehearsal{Recipe: c.Recipe, Size: c.Image.Size, Pad: m.Input().Pad()}
	units, validated := o.measure(&r, m, c)
	var e Estimate
	e.Steps, r.Recipe.Batch = c.Recipe.Steps(max(1, units))
	if err := train.Rehearse(ctx, planner, m.VLM, m.Memory, r); err != nil {
		return Estimate{}, err
	}
	e.Bytes, e.Memory = planner.Most(), adapter.Memory
	e.Parameters, e.Trained = m.VLM.Params.Count()
	if speed != nil {
		e.Time = speed.time(r.Recipe, e.Steps, r.Pictures, units, validated)
	}
	return e, nil
}

// measure counts the different pictures and texts, finds the longest text, and
// returns how many examples, or pictures that come with several, there are to
// train on, and how many to validate with.
func (o *TrainOptions) measure(r *train.Rehearsal, m *Model, c *config.Config) (units, validated int) {
	examples := labelled(o.Collection.Select(data.Train, data.Unsplit))
	held := labelled(o.Collection.Select(data.Validation))
	looked := slices.Concat(examples, held)
	all := len(examples)
	if validated = len(held); validated == 0 {
		share := o.Share
		if share == 0 {
			share = data.DefaultShare
		}
		examples = examples[:int(float64(all)*(1-share))]
		validated = all - len(examples)
	}
	per := 1
	if c.Text != nil && c.Vision != nil && c.Recipe.Tune != model.TuneHead {
		per = c.Recipe.PerPicture
	}
	units = data.Units(examples, per)
	pictures, texts := map[*data.Picture]bool{}, map[string]bool{}
	in := m.Input()
	limit := m.VLM.MaxTokens()
	r.Shortest, r.Longest = limit, 2 // the two special ones
	if in.Tokenizer == nil {
		r.Longest = limit
	}
	see := func(s string) {
		if !texts[s] && len(texts) < 4000 && in.Tokenizer != nil {
			n := len(in.Encode(s))
			r.Shortest, r.Longest = min(r.Shortest, n), max(r.Longest, n)
		}
		texts[s] = true
	}
	for _, e := range looked {
		pictures[e.Picture] = true
		for _, s := range e.Captions {
			see(s)
		}
		if len(e.Captions) == 0 {
			see("")
		}
	}
	r.Pictures, r.Texts = len(pictures), len(texts)
	return units, validated
}
