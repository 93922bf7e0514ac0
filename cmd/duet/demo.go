//go:build !js

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"duet/app"
	"duet/model/train"
)

// demoCommand shows what Duet does: an answer, and a training.
type demoCommand struct {
	backendFlag
	Seconds int    `default:"30" placeholder:"N" help:"How long to train, in seconds; by default ${default}."`
	Seed    uint64 `default:"1" placeholder:"N" help:"Seed of the drawn pictures and of the training; by default ${default}."`
	JSON    bool   `name:"json" help:"One JSON object a line: the photograph's answer, the events of the training, the result."`
}

func (c demoCommand) Run(ctx context.Context, s streams) error {
	if c.Seconds < 1 || c.Seconds > 3600 {
		return fmt.Errorf("--seconds %d: choose 1 to 3600", c.Seconds)
	}
	backend, err := c.backendFlag.open(ctx)
	if err != nil {
		return err
	}
	defer backend.Close()
	d := demo{streams: s, limit: time.Duration(c.Seconds) * time.Second, bar: newBar(s.err)}
	if c.JSON {
		d.encoder = json.NewEncoder(s.out)
	}
	d.say("Adapter: %s, %s", backend.Info().Name, backend.Info().Class)
	if err := d.photo(app.DemoPhoto(ctx, backend)); err != nil {
		return err
	}
	d.say("\nDrawing pictures of shapes with questions about them ...")
	report, err := app.Demo(ctx, backend, app.DemoOptions{Limit: d.limit, Seed: c.Seed}, d.event)
	d.bar.clear()
	if errors.Is(err, train.ErrInterrupted) {
		return errors.New("stopped; nothing of the demonstration is kept")
	}
	if err != nil {
		return err
	}
	d.result(report)
	return nil
}

// demo shows a demonstration as it goes on.
type demo struct {
	streams
	encoder *json.Encoder // nil: for people
	limit   time.Duration
	bar     *bar
	looked  bool
	said    time.Time // when an epoch was last told: they are short
	losses  []float32
	top1    []float64
}

func (d *demo) say(format string, a ...any) {
	if d.encoder == nil {
		d.bar.clear()
		fmt.Fprintf(d.out, format+"\n", a...)
	}
}

// photo shows what the default model says about the photograph.
func (d *demo) photo(answer app.Answer, err error) error {
	if errors.Is(err, app.ErrNoPhoto) {
		d.say("There is no photograph in this build to classify; make assets fetches one.")
		return nil
	}
	if err != nil {
		return err
	}
	if d.encoder != nil {
		return d.encoder.Encode(struct {
			Event string `json:"event"`
			app.Answer
		}{"photo", answer})
	}
	d.say("\nThe photograph %s with the words %q:", answer.File, answer.Caption)
	for _, t := range answer.Top {
		d.say("  %5.1f %%  %s", 100*t.P, t.Label)
	}
	if !answer.Sure {
		d.say("  (the model is not sure)")
	}
	return nil
}

// event shows a training under way.
func (d *demo) event(e train.Event) {
	if d.encoder != nil {
		if e.Event != "done" { // the result follows
			d.encoder.Encode(e)
		}
		return
	}
	switch e.Event {
	case "features":
		if !d.looked {
			d.looked = true
			d.say("Fine-tuning for %v: the towers look at every picture once, then the fusion and the classifier learn ...", d.limit)
		}
		d.bar.set(share(e), fmt.Sprintf("looking at %d of %d pictures and texts", e.Step, e.Steps))
	case "before":
		d.top1 = append(d.top1, e.ValTop1)
	case "step":
		d.losses = append(d.losses, e.Loss)
		d.bar.set(share(e), fmt.Sprintf("loss %.3f %s %.0f examples/s", e.Loss, curve(d.losses, 16), e.ExamplesPerSec))
	case "epoch":
		d.top1 = append(d.top1, e.ValTop1)
		if last := e.Step == e.Steps; last || time.Since(d.said) > 2*time.Second {
			d.said = time.Now()
			d.say("Epoch [%d/%d], Step [%d/%d], Loss: %.4f, top-1 on held-back pictures: %.3f", e.Epoch, e.Epochs, e.Step, e.Steps, e.TrainLoss, e.ValTop1)
		}
	}
}

// result shows what the training reached and what to try next.
func (d *demo) result(r *app.DemoReport) {
	if d.encoder != nil {
		d.encoder.Encode(struct {
			Event string `json:"event"`
			*app.DemoReport
		}{"demo", r})
		return
	}
	d.say("\nTask %q: %s.\nStarted from %s, whose towers stay as they are; %d steps of %d examples, %.0f s in all.", r.Task, r.About, r.From, r.Steps, r.Batch, r.Seconds)
	d.say("\n  loss  %s  %.2f to %.2f", curve(d.losses, 40), mean(d.losses, 0, 10), mean(d.losses, len(d.losses)-10, len(d.losses)))
	d.say("  top-1 %s  %.0f %% to %.0f %%", curve(d.top1, 40), 100*r.Before, 100*r.After)
	d.say("\nTop-1 on %d questions about held-back pictures", r.HeldBack)
	d.say("  before training         %5.1f %%", 100*r.Before)
	d.say("  after                   %5.1f %%", 100*r.After)
	d.say("  after, the picture only %5.1f %%", 100*r.ImageOnly)
	d.say("  after, the words only   %5.1f %%", 100*r.TextOnly)
	d.say(`
What to try next
  %[1]s sample --out shapes --task %[2]s
  %[1]s train --data shapes --tune head --out shapes-model     (or on a folder of your own)
  %[1]s evaluate --data shapes --model shapes-model --ablate`, os.Args[0], r.Task)
}

// curve draws values as a line of at most width blocks, each the mean of its
// part, between the least and the largest.
func curve[T float32 | float64](values []T, width int) string {
	width = min(width, len(values))
	if width == 0 {
		return ""
	}
	means := make([]float64, width)
	least, most := 0.0, 0.0
	for i := range means {
		means[i] = mean(values, i*len(values)/width, (i+1)*len(values)/width)
		if i == 0 {
			least, most = means[0], means[0]
		}
		least, most = min(least, means[i]), max(most, means[i])
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	var line strings.Builder
	for _, m := range means {
		i := 0
		if most > least {
			i = int((m - least) / (most - least) * float64(len(blocks)-1))
		}
		line.WriteRune(blocks[i])
	}
	return line.String()
}

// mean returns the mean of a part of values, which is cut to those there are.
func mean[T float32 | float64](values []T, from, to int) float64 {
	from, to = max(from, 0), min(to, len(values))
	sum := 0.0
	for _, v := range values[from:to] {
		sum += float64(v)
	}
	return sum / float64(max(1, to-from))
}
