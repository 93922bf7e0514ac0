package app

import (
	"context"
	"time"

	"duet/model"
	"duet/model/data"
	"duet/model/train"
)

// A Speed is how fast this machine is at what a training consists of.
type Speed struct {
	Forward time.Duration // of one example through the whole model, in batches
	Decode  time.Duration // of one of the collection's pictures, on one core
	Cores   int           // that decode
}

// speedSamples is how many pictures are decoded to learn how long it takes.
const speedSamples = 4

// MeasureSpeed runs a model, which is on the device, over empty batches of its
// recipe's size, and decodes a few of a collection's pictures.
func MeasureSpeed(ctx context.Context, m *Model, c *data.Collection, cores int) (Speed, error) {
	s := Speed{Cores: max(1, cores)}
	in := m.Input()
	batch := m.Config.Recipe.Batch
	p := model.NewPredictor(m.Backend, m.VLM, m.Memory, in.Prep.Size, batch, in.Pad())
	defer p.Release()
	b := model.Batch{Tokens: make([][]int32, batch)}
	for i := range b.Tokens {
		b.Tokens[i] = in.Encode("what is in the picture?")
	}
	for i := range 3 { // the first one compiles
		begun := time.Now()
		if _, err := p.Logits(ctx, b, batch); err != nil {
			return s, err
		}
		if took := time.Since(begun) / time.Duration(batch); i > 0 && (s.Forward == 0 || took < s.Forward) {
			s.Forward = took
		}
	}
	n, pixels := 0, make([]float32, in.Prep.Len())
	begun := time.Now()
	for _, e := range c.Examples {
		if e.Picture == nil || n == speedSamples || ctx.Err() != nil {
			continue
		}
		if picture, err := e.Picture.Decode(0); err == nil && in.Prep.Tensor(picture, pixels) == nil {
			n++
		}
	}
	if n > 0 {
		s.Decode = time.Since(begun) / time.Duration(n)
	}
	return s, ctx.Err()
}

// backward is what the rest of a training step takes, in forward passes: a
// backward pass through everything costs two, through the last parts less, and for
// a LoRA the image tower has none and no weight of the text tower a gradient.
var backward = map[string]float64{"": 2, model.TuneAll: 2, model.TuneLast: 0.6, model.TuneLoRA: 0.4}

// time estimates how long a training of so many steps takes: units are the
// examples of an epoch, validated those of a validation. Pictures are decoded
// once and kept.
func (s Speed) time(r train.Recipe, steps, pictures, units, validated int) time.Duration {
	decode := time.Duration(pictures) * s.Decode / time.Duration(s.Cores)
	if r.Tune == model.TuneHead {
		return decode + time.Duration(pictures)*s.Forward // what follows takes next to nothing
	}
	trained := float64(steps * r.Batch)
	epochs := trained / float64(max(1, units))
	return decode + time.Duration(float64(s.Forward)*(trained*(1+backward[r.Tune])+epochs*float64(validated)))
}
