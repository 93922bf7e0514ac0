package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"duet/model"
	"duet/model/data"
)

// A Classifier answers for single pictures and words.
type Classifier struct {
	model     *Model
	predictor *model.Predictor
	pixels    []float32
}

// NewClassifier prepares m for single pictures.
func NewClassifier(m *Model) *Classifier {
	in := m.Input()
	return &Classifier{model: m, predictor: model.NewPredictor(m.Backend, m.VLM, m.Memory, in.Prep.Size, 1, in.Pad()), pixels: make([]float32, in.Prep.Len())}
}

// Release frees the programs; the model stays.
func (c *Classifier) Release() { c.predictor.Release() }

// Classify answers for a decoded picture (nil: hidden) and its words, with the
// top best classes.
func (c *Classifier) Classify(ctx context.Context, name string, picture *data.Image, caption string, top int) (Answer, error) {
	in := c.model.Input()
	clear(c.pixels)
	if picture != nil {
		if err := in.Prep.Tensor(picture, c.pixels); err != nil {
			return Answer{}, fmt.Errorf("app: preparing %s: %w", name, err)
		}
	}
	batch := model.Batch{Pictures: c.pixels, Tokens: [][]int32{in.Encode(caption)}}
	p, err := c.predictor.Logits(ctx, batch, 1)
	if err != nil {
		return Answer{}, fmt.Errorf("app: classifying %s: %w", name, err)
	}
	model.Softmax(p)
	answer := Answer{File: name, Caption: caption, Adapter: c.model.Backend.Info().Name}
	for i, v := range p {
		answer.Top = append(answer.Top, Score{Label: c.model.Labels[i], P: v})
	}
	slices.SortStableFunc(answer.Top, func(a, b Score) int { return cmp.Compare(b.P, a.P) })
	answer.Untrained = !c.model.Trained()
	answer.Sure = !answer.Untrained && float64(answer.Top[0].P) >= c.model.Config.NotSureBelow
	if top > 0 && top < len(answer.Top) {
		answer.Top = answer.Top[:top]
	}
	return answer, nil
}
