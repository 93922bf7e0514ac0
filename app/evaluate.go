package app

import (
	"context"
	"fmt"

	"duet/model/data"
	"duet/model/report"
	"duet/model/train"
)

// EvaluateOptions say what to evaluate a model on.
type EvaluateOptions struct {
	Collection *data.Collection
	Split      string // "train", "val", "test", "all"; "": the validation pictures recorded in the model, else everything
	Inputs     string // "", "both", "image" or "text"
	Ablate     bool   // also with each side hidden, and with pictures or captions of other examples
	Batch      int    // 0: the recipe's
	Cache      int64  // bytes of resized pictures to keep between the passes of an ablation

	// Each, where not nil, is told every example and its answer, but not those of
	// an ablation.
	Each func(e data.Example, answer int)
}

// The names of an ablation's passes.
const (
	ImageOnly        = "image_only"
	TextOnly         = "text_only"
	ShuffledCaptions = "shuffled_captions"
	ShuffledPictures = "shuffled_pictures"
)

// Evaluate measures a model. The collection's class names are matched to the
// model's; examples of other classes are left out, and said so.
func Evaluate(ctx context.Context, m *Model, o EvaluateOptions) (*Evaluation, error) {
	examples, on, err := m.choose(ctx, o)
	if err != nil {
		return nil, err
	}
	examples, unknown := m.relabel(o.Collection, examples)
	if len(examples) == 0 {
		return nil, fmt.Errorf("app: none of the %d examples has a class of the model (%s)", unknown, shortList(m.Labels, 8))
	}
	if unknown > 0 {
		on += fmt.Sprintf("; %s without a class of the model left out", report.Count(unknown, "example"))
	}
	hide, err := hideFor(o.Inputs)
	if err != nil {
		return nil, err
	}
	batch := o.Batch
	if batch == 0 {
		batch = max(1, min(m.Config.Recipe.Batch, len(examples)))
	}
	evaluator, err := train.NewEvaluator(m.Backend, m.VLM, m.Memory, m.Input(), batch, data.NewCache(o.Cache))
	if err != nil {
		return nil, err
	}
	defer evaluator.Release()
	result := &Evaluation{On: on}
	each := func(a train.Answer) {
		best := 0
		for i, p := range a.Probabilities {
			if p > a.Probabilities[best] {
				best = i
			}
		}
		o.Each(examples[a.Index], best)
	}
	if o.Each == nil {
		each = nil
	}
	if result.Result, err = evaluator.Run(ctx, examples, hide, each); err != nil {
		return nil, fmt.Errorf("app: evaluating: %w", err)
	}
	for i := range result.Classes {
		result.Classes[i].Label = m.Labels[i]
	}
	if !o.Ablate {
		return result, nil
	}
	result.Ablate = map[string]train.Result{}
	for _, pass := range []struct {
		name string
		hide train.Hide
	}{
		{ImageOnly, train.Hide{Words: true}}, {TextOnly, train.Hide{Picture: true}},
		{ShuffledCaptions, train.Hide{ShuffleWords: true, Seed: 1}}, {ShuffledPictures, train.Hide{ShufflePictures: true, Seed: 1}},
	} {
		r, err := evaluator.Run(ctx, examples, pass.hide, nil)
		if err != nil {
			return nil, fmt.Errorf("app: evaluating with %s: %w", pass.name, err)
		}
		r.Classes, r.Confusion = nil, nil
		result.Ablate[pass.name] = r
	}
	return result, nil
}

func hideFor(inputs string) (train.Hide, error) {
	switch inputs {
	case "", "both":
		return train.Hide{}, nil
	case "image":
		return train.Hide{Words: true}, nil
	case "text":
		return train.Hide{Picture: true}, nil
	}
	return train.Hide{}, fmt.Errorf("app: inputs %q; known are both, image and text", inputs)
}

// choose returns the examples to evaluate on and says in words which they are.
func (m *Model) choose(ctx context.Context, o EvaluateOptions) ([]data.Example, string, error) {
	splits := map[string]data.Split{"train": data.Train, "val": data.Validation, "test": data.Test}
	switch {
	case o.Split == "all":
		return o.Collection.Examples, "all examples", nil
	case o.Split != "":
		s, ok := splits[o.Split]
		if !ok {
			return nil, "", fmt.Errorf("app: split %q; known are train, val, test and all", o.Split)
		}
		if examples := o.Collection.Select(s); len(examples) > 0 {
			return examples, "split " + o.Split, nil
		}
		// Training held back pictures of a collection without that split.
		held, rest, err := m.heldBack(ctx, o.Collection)
		switch {
		case err != nil:
			return nil, "", err
		case s == data.Validation && len(held) > 0:
			return held, recorded, nil
		case s == data.Train && len(held) > 0:
			return rest, "all but " + recorded, nil
		}
		return nil, "", fmt.Errorf("app: the collection has no examples of split %s (%s); leave out --split", o.Split, o.Collection.Report.SplitsFrom)
	}
	held, _, err := m.heldBack(ctx, o.Collection)
	switch {
	case err != nil:
		return nil, "", err
	case len(held) > 0:
		return held, recorded, nil
	}
	return o.Collection.Examples, "all examples, since the collection holds none of the model's validation pictures", nil
}

const recorded = "the validation pictures recorded in the model"

// heldBack returns the examples of a collection that the model's training held
// back, and the rest.
func (m *Model) heldBack(ctx context.Context, c *data.Collection) (held, rest []data.Example, err error) {
	t := m.Config.Training
	if t == nil || len(t.HeldOut.Hashes) == 0 {
		return nil, c.Examples, nil
	}
	if held, err = c.Find(ctx, t.HeldOut.Hashes); err != nil {
		return nil, nil, err
	}
	known := map[data.Source]bool{}
	for _, e := range held {
		known[e.Source] = true
	}
	for _, e := range c.Examples {
		if !known[e.Source] {
			rest = append(rest, e)
		}
	}
	return held, rest, nil
}

// relabel gives examples the model's class numbers and leaves out those whose
// class the model does not have.
func (m *Model) relabel(c *data.Collection, examples []data.Example) (known []data.Example, unknown int) {
	number := map[string]int{}
	for i, l := range m.Labels {
		number[l] = i
	}
	for _, e := range examples {
		if e.Label >= 0 {
			if i, ok := number[c.Classes[e.Label]]; ok {
				e.Label = i
				known = append(known, e)
				continue
			}
		}
		unknown++
	}
	return known, unknown
}
