//go:build !js

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"duet/app"
	"duet/gpu"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
)

// drawnForCard is how many held-back drawn rows the card's figures are from.
const drawnForCard = 10_000

// figures are what the card says, all on what was held back.
type figures struct {
	caltech, groceries    *app.Evaluation // without words
	groceriesVal          *app.Evaluation // of its own validation part, likewise
	ownWords, othersWords float64         // top-1 on both sets of photographs, with words that do not name them, and with those of another photograph
	photographs           int
	drawn                 *app.Evaluation
}

// measure evaluates the model, prints the figures, writes them into its card and
// leaves the configuration as people's own trainings start from it.
func (p *parts) measure(ctx context.Context, backend gpu.Backend, out string) error {
	files, err := app.OpenFiles(out)
	if err != nil {
		return err
	}
	defer files.Close()
	m, err := app.Load(backend, files)
	if err != nil {
		return err
	}
	defer m.Release()
	f, err := p.evaluate(ctx, m)
	if err != nil {
		return err
	}
	fmt.Printf("caltech101, without words: top-1 %.3f of %d\n", f.caltech.Top1, f.caltech.N)
	fmt.Printf("grocery_store, coarse, without words: top-1 %.3f of %d\n", f.groceries.Top1, f.groceries.N)
	fmt.Printf("grocery_store's own validation part: top-1 %.3f of %d\n", f.groceriesVal.Top1, f.groceriesVal.N)
	fmt.Printf("photographs with words: top-1 %.3f; with another row's words: %.3f, of %d\n", f.ownWords, f.othersWords, f.photographs)
	fmt.Printf("drawn: top-1 %.3f of %d; picture only %.3f, words only %.3f\n", f.drawn.Top1, f.drawn.N,
		f.drawn.Ablate[app.ImageOnly].Top1, f.drawn.Ablate[app.TextOnly].Top1)
	text := card(m, f)
	forFineTuning(m.Config)
	if err := m.Save(out); err != nil {
		return err
	}
	return checkpoint.WriteFile(filepath.Join(out, "README.md"), func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// forFineTuning makes a model's configuration that which people's own trainings
// start with: as gentle as small's, and without the crops and flips of its
// photographs, which would take "left" and "right" away from those who ask.
func forFineTuning(c *config.Config) {
	c.Augment = data.Augment{}
	r := &c.Recipe
	r.LearningRate, r.Warmup, r.Epochs, r.PerPicture, r.LabelSmoothing = 5e-4, 100, 10, 0, 0
}

func (p *parts) evaluate(ctx context.Context, m *app.Model) (f figures, err error) {
	val := func(c *data.Collection, inputs string) (*app.Evaluation, error) {
		return app.Evaluate(ctx, m, app.EvaluateOptions{Collection: c, Split: "val", Inputs: inputs})
	}
	if f.caltech, err = val(p.caltech, "image"); err != nil {
		return f, err
	}
	if f.groceries, err = val(p.groceries, "image"); err != nil {
		return f, err
	}
	if f.groceriesVal, err = val(p.groceriesVal, "image"); err != nil {
		return f, err
	}
	photos := data.Merge("photographs", p.caltech, p.groceries)
	var worded []data.Example
	for i, e := range p.words.caption(photos, photos.Select(data.Validation), names, 99) {
		if i%4 == 3 { // of each photograph's four examples one with words
			worded = append(worded, e)
		}
	}
	photos.Examples = worded
	with, err := app.Evaluate(ctx, m, app.EvaluateOptions{Collection: photos, Split: "val", Ablate: true, Cache: 1 << 30})
	if err != nil {
		return f, err
	}
	f.ownWords, f.othersWords, f.photographs = with.Top1, with.Ablate[app.ShuffledCaptions].Top1, with.N
	drawn := *p.drawn
	drawn.Examples = p.drawn.Select(data.Validation)
	drawn.Examples = drawn.Examples[:min(drawnForCard, len(drawn.Examples))]
	f.drawn, err = app.Evaluate(ctx, m, app.EvaluateOptions{Collection: &drawn, Split: "val", Ablate: true, Cache: 1 << 30})
	return f, err
}

// card is the model card.
func card(m *app.Model, f figures) string {
	c, t := m.Config, m.Config.Training
	var s strings.Builder
	fmt.Fprintf(&s, `# The default model

One small model that answers for a picture and words, so that Duet does something sensible before you have trained
anything. It knows %d answers: 102 classes of everyday things (caltech101), 43 kinds of groceries (grocery_store), and
colours, shapes, places and numbers as answers to questions about drawn shapes. It is meant to be looked at and to be
fine-tuned from, not to be relied on: it is small, it was trained for about an hour on a processor, and it sees %d × %d
pixels.

- Image tower: ResNet-18 of base width %d. Text tower: RoBERTa with %d layer, %d wide. Fusion: %s, %d wide. %d parameters.
- Vocabulary: %d tokens, learnt by Duet's own trainer from grocery_store's descriptions, COCO's captions and the
  questions of the drawn collection.

`, len(m.Labels), c.Image.Size, c.Image.Size, c.Vision.Width, c.Text.Layers, c.Text.Hidden, c.Fusion, c.ProjectionDim, m.VLM.Params.Len(), c.Text.VocabSize)
	fmt.Fprintf(&s, `## How well it does, on what was held back

| pictures and words | top-1 | of |
|---|---|---|
| caltech101, picture only | %.3f | %d |
| grocery_store by its 43 coarse classes, picture only | %.3f | %d |
| grocery_store's own validation part, picture only | %.3f | %d |
| caltech101 and grocery_store, with words beside them that do not name the class | %.3f | %d |
| the same, with the words of another photograph | %.3f | %d |
| drawn shapes with questions | %.3f | %d |
| drawn shapes, picture only | %.3f | %d |
| drawn shapes, words only | %.3f | %d |

15 %% of the pictures of caltech101 and of grocery_store's training part were drawn for this, stratified by class.
grocery_store's own validation part is harder, and nearer to what a stranger's shopping looks like; no training saw it
either. config.json lists the hashes of the drawn-out photographs and of 500 drawn pictures, so that `+"`duet evaluate`"+`
uses the same.
Where several different shapes share a picture, it often takes one for the other.

`, f.caltech.Top1, f.caltech.N, f.groceries.Top1, f.groceries.N, f.groceriesVal.Top1, f.groceriesVal.N, f.ownWords, f.photographs, f.othersWords, f.photographs,
		f.drawn.Top1, f.drawn.N, f.drawn.Ablate[app.ImageOnly].Top1, f.drawn.N, f.drawn.Ablate[app.TextOnly].Top1, f.drawn.N)
	fmt.Fprintf(&s, `## How it was trained

By `+"`make default-model`"+`, from random weights, with this engine and nothing else: %d examples an epoch, %s; the model is that
of step %d, on %s. Photographs had no words half the time, and otherwise words that never name the class: neutral
questions, captions and descriptions of other pictures, questions about shapes. So words do not tell it what a photograph
shows, and it does not need them.

An answer with a probability below %.2f is marked as not sure.

## Where the data comes from

- Caltech-101 (Li, Andreeto, Ranzato and Perona), CC BY 4.0.
- Grocery Store Dataset (Klasson, Zhang and Kjellström, WACV 2019), MIT, © 2019 Marcus Klasson.
- COCO captions (COCO Consortium), CC BY 4.0: words beside photographs they do not belong to, and the vocabulary.
- Drawn shapes: this project's own, CC0-1.0.

None of their pictures or texts are in this folder. The photographs are of the early 2000s (caltech101) and of Swedish
supermarkets (grocery_store): other places and times will be recognised less well. Two of its classes are faces of people
in general; it tells nobody apart.
`, t.Examples, c.Recipe, t.Steps, t.Adapter, c.NotSureBelow)
	return s.String()
}
