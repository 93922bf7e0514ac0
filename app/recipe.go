package app

import (
	"cmp"
	"errors"
	"fmt"

	"duet/model"
	"duet/model/config"
)

// configuration merges the options into the configuration and its recipe.
func (o *TrainOptions) configuration() (*config.Config, error) {
	c := o.Config
	var err error
	switch {
	case o.Towers != nil:
		var j *joining
		if j, err = o.seen().join(o.Fusion); err == nil {
			c = j.config
		}
	case c != nil:
	case o.Init != nil:
		c, err = config.Read(o.Init, "config.json")
	default:
		c, err = config.Named("small")
	}
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	if o.Fusion != "" {
		c.Fusion = o.Fusion
	}
	switch o.Inputs {
	case "", "both":
	case "image":
		c.Fusion, c.Text = model.ImageOnly, nil
	case "text":
		c.Fusion, c.Vision = model.TextOnly, nil
	default:
		return nil, fmt.Errorf("app: inputs %q; known are both, image and text", o.Inputs)
	}
	if n := o.ImageSize; n != 0 {
		if n < 32 {
			return nil, fmt.Errorf("app: pictures of %d px are too small for the image tower; give at least 32", n)
		}
		c.Image.ResizeShort, c.Image.Size = n*c.Image.ResizeShort/c.Image.Size, n
	}
	r := &c.Recipe
	if o.Epochs > 0 {
		r.MaxSteps = 0
	}
	set(&r.MaxSteps, o.MaxSteps)
	set(&r.Batch, o.Batch)
	if o.Seed != nil {
		r.Seed = *o.Seed
	}
	was := r.Tune
	if o.Config == nil {
		r.Tune = "" // how the model to start from was trained is not how this one is
	}
	r.Tune = cmp.Or(o.Tune, r.Tune)
	rate, epochs := pace(r.Tune, r.TowerRate)
	usual, usualEpochs := pace(was, r.TowerRate)
	r.LearningRate *= rate / usual
	set(&r.LearningRate, o.LR)
	r.Epochs = max(min(1, r.Epochs), r.Epochs*epochs/usualEpochs)
	set(&r.Epochs, o.Epochs)
	if o.Tune == model.TuneLoRA {
		if c.LoRA == nil {
			rank := cmp.Or(o.LoRARank, loraRank)
			c.LoRA = &config.LoRA{Rank: rank, Alpha: loraAlpha * float64(rank)}
		}
		if o.LoRARank != 0 && o.LoRARank != c.LoRA.Rank {
			return nil, fmt.Errorf("app: the model to start from has a LoRA of rank %d, not %d: merge it first (duet merge)", c.LoRA.Rank, o.LoRARank)
		}
	} else if o.LoRARank != 0 {
		return nil, errors.New("app: a rank is for trainings of a LoRA (--tune lora)")
	}
	if r.Tune == model.TuneAll {
		r.Tune = ""
	}
	if o.Freeze != nil {
		r.Freeze = o.Freeze
	}
	c.Training = nil
	return c, r.Validate()
}

// A training of the head alone moves fewer weights, which start anew, and its
// epochs cost next to nothing. On 2,572 drawn questions from the default model,
// after 20 epochs: top-1 0.734 at 5e-4, 0.860 at four times that, 0.864 at eight.
const (
	headRate   = 4
	headEpochs = 2
)

// What a LoRA adds is small at first, so it is trained at a multiple of the
// towers' rate. On two drawn tasks of 1,284 questions, after five epochs from the
// default model: top-1 0.519 and 0.496 at its 5e-4, 0.537 and 0.531 at four times
// that, 0.671 and 0.531 at eight times. For published towers, which the
// configuration pretrained trains at 5e-5, that is 4e-4; it was not measured on them.
const loraRate = 8

// pace is how many times the rate and the epochs of a whole training one of so
// much of a model takes. A recipe holds what comes of it, so the next training
// from that model divides by it first. towers is the recipe's rate of the towers.
func pace(tune string, towers float64) (rate float64, epochs int) {
	switch tune {
	case model.TuneHead:
		return headRate, headEpochs
	case model.TuneLoRA:
		return loraRate * cmp.Or(towers, 1), 1
	}
	return 1, 1
}

// A LoRA's rank, and its α as a multiple of that, where nothing is asked for.
const (
	loraRank  = 8
	loraAlpha = 2
)

// set overrides a setting where v is not zero.
func set[T int | float64](p *T, v T) {
	if v != 0 {
		*p = v
	}
}
