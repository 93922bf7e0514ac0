package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"duet/gpu"
	"duet/model"
	"duet/model/data"
)

// An Evaluator measures a model on examples.
type Evaluator struct {
	predictor *model.Predictor
	model     *model.VLM
	input     Input
	batch     int
	cache     *data.Cache
}

// NewEvaluator prepares evaluation in batches of the given size; cache may be nil.
func NewEvaluator(backend gpu.Backend, m *model.VLM, memory *model.Memory, input Input, batch int, cache *data.Cache) (*Evaluator, error) {
	return &Evaluator{
		predictor: model.NewPredictor(backend, m, memory, input.Prep.Size, batch, input.Pad()),
		model:     m, input: input, batch: batch, cache: cache,
	}, nil
}

// Refresh tells that the weights have changed.
func (e *Evaluator) Refresh() { e.predictor.Refresh() }

// Release frees the programs.
func (e *Evaluator) Release() { e.predictor.Release() }

// Hide says which side a model does not get to see, or gets from another example.
type Hide struct {
	Picture, Words                bool // hidden: the mean picture, no words
	ShufflePictures, ShuffleWords bool // of another example, drawn by Seed
	Seed                          uint64
}

// An Answer is what a model said about one example.
type Answer struct {
	Index         int // of the example among those that were given and have a class
	Label         int
	Probabilities []float32
}

// Run evaluates examples; those without a class are left out. each, where not
// nil, is told every answer.
func (e *Evaluator) Run(ctx context.Context, examples []data.Example, hide Hide, each func(Answer)) (Result, error) {
	examples = slices.DeleteFunc(slices.Clone(examples), func(x data.Example) bool { return x.Label < 0 })
	if len(examples) == 0 {
		return Result{}, fmt.Errorf("train: there is no labelled example to evaluate")
	}
	shown := visibleTo(e.model, hide.apply(examples))
	loader, err := data.NewLoader(shown, e.input.Prep, data.LoaderOptions{Batch: e.batch, Cache: e.cache})
	if err != nil {
		return Result{}, err
	}
	classes := e.model.Shape.Classes
	result := newResult(classes)
	for b, err := range loader.Epoch(ctx, 0, 0) {
		if err != nil {
			return result, err
		}
		batch := model.Batch{}
		if !hide.Picture {
			batch.Pictures = b.Pixels
		}
		for i := range b.N {
			words := b.Captions[i]
			if hide.Words {
				words = ""
			}
			batch.Tokens = append(batch.Tokens, e.input.Encode(words))
		}
		logits, err := e.predictor.Logits(ctx, batch, b.N)
		if err != nil {
			return result, err
		}
		for i := range b.N {
			p := logits[i*classes : (i+1)*classes]
			tally(&result, p, b.Labels[i])
			if each != nil {
				each(Answer{Index: b.Index[i], Label: b.Labels[i], Probabilities: p})
			}
		}
	}
	result.Skipped = loader.Skipped()
	finish(&result)
	return result, nil
}

func newResult(classes int) Result {
	r := Result{Confusion: make([][]int, classes)}
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, classes)
	}
	return r
}

// visibleTo returns the examples without what the model does not look at: pictures
// of a model of words alone need not be decoded.
func visibleTo(m *model.VLM, examples []data.Example) []data.Example {
	if m.Visual != nil {
		return examples
	}
	words := slices.Clone(examples)
	for i := range words {
		words[i].Picture = nil
	}
	return words
}

// apply returns the examples with pictures or words of others where asked.
func (h Hide) apply(examples []data.Example) []data.Example {
	if !h.ShufflePictures && !h.ShuffleWords {
		return examples
	}
	out := slices.Clone(examples)
	order := rand.New(rand.NewPCG(h.Seed, 0x5f0e)).Perm(len(out))
	for i, j := range order {
		if h.ShufflePictures {
			out[i].Picture = examples[j].Picture
		}
		if h.ShuffleWords {
			out[i].Captions = examples[j].Captions
		}
	}
	return out
}

// tally turns the logits of one example into probabilities and adds it up.
func tally(r *Result, logits []float32, label int) {
	model.Softmax(logits)
	r.N++
	r.Loss -= math.Log(max(float64(logits[label]), 1e-30))
	best, above := 0, 0
	for i, p := range logits {
		if p > logits[best] {
			best = i
		}
		if p > logits[label] {
			above++
		}
	}
	r.Confusion[label][best]++
	if best == label {
		r.Top1++
	}
	if above < 5 {
		r.Top5++
	}
}

// finish makes rates of the sums.
func finish(r *Result) {
	n := float64(max(1, r.N))
	r.Top1, r.Top5, r.Loss = r.Top1/n, r.Top5/n, r.Loss/n
	present := 0
	r.Classes = make([]ClassResult, len(r.Confusion))
	for c := range r.Confusion {
		hit, truth, said := r.Confusion[c][c], 0, 0
		for o := range r.Confusion {
			truth += r.Confusion[c][o]
			said += r.Confusion[o][c]
		}
		x := &r.Classes[c]
		x.N = truth
		if said > 0 {
			x.Precision = float64(hit) / float64(said)
		}
		if truth > 0 {
			x.Recall = float64(hit) / float64(truth)
			present++
		}
		if hit > 0 {
			x.F1 = 2 * x.Precision * x.Recall / (x.Precision + x.Recall)
		}
		r.MacroF1 += x.F1
	}
	r.MacroF1 /= float64(max(1, present)) // over the classes that occur
}
