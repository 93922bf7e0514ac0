//go:build !js

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"duet/model/data"
	"duet/model/report"
	"duet/model/train"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// reporter shows the events of a training: JSON lines on out, or a bar and
// lines for people. Unreadable pictures are named on err. end takes the bar
// away, however the training ended.
func reporter(s streams, asJSON bool) (show func(train.Event), end func()) {
	if asJSON {
		encoder := json.NewEncoder(s.out)
		return func(e train.Event) { encoder.Encode(e) }, func() {}
	}
	p := &progress{out: s.out, err: s.err, bar: newBar(s.err), every: 100}
	return p.show, p.bar.clear
}

// progress shows a bar on a terminal and a line every so many steps.
type progress struct {
	out, err io.Writer
	bar      *bar
	every    int
	skipped  int
	looked   bool // at every picture and text
}

func (p *progress) show(e train.Event) {
	switch e.Event {
	case "plan":
		has := ""
		if e.Memory > 0 {
			has = fmt.Sprintf(", which has about %s for it", report.Size(e.Memory))
		}
		p.line("Trains %d of %d parameters for %s; this takes %s of the device's memory%s.", e.Trained, e.Parameters, report.Count(e.Steps, "step"), report.Size(e.Bytes), has)
	case "features":
		p.bar.set(share(e), fmt.Sprintf("looking at %d of %d pictures and texts", e.Step, e.Steps))
		if e.Step == e.Steps && !p.looked {
			p.looked = true
			p.line("The towers have looked at %d pictures and texts, each once.", e.Steps)
		}
	case "step":
		p.bar.set(share(e), fmt.Sprintf("epoch %d/%d, loss %.3f, %.0f examples/s", e.Epoch, e.Epochs, e.Loss, e.ExamplesPerSec))
		if e.Step%p.every == 0 || e.Step == e.Steps {
			p.line("Epoch [%d/%d], Step [%d/%d], Loss: %.4f  (%.0f examples/s)", e.Epoch, e.Epochs, e.Step, e.Steps, e.Loss, e.ExamplesPerSec)
		}
	case "epoch":
		p.line("Epoch [%d/%d] done: training loss %.4f, validation loss %.4f, top-1 %.3f, %.1f s", e.Epoch, e.Epochs, e.TrainLoss, e.ValLoss, e.ValTop1, e.Seconds)
	case "done":
		p.bar.clear()
		if p.skipped > 0 {
			fmt.Fprintf(p.err, "%s could not be read: named above, and left out.\n", report.Count(p.skipped, "picture"))
		}
		p.line("The best model has a validation top-1 of %.3f; it is in %s", e.ValTop1, e.Model)
		if e.Bytes > 0 {
			p.line("The device held %s at most.", report.Size(e.Bytes))
		}
	}
	p.name(e.Skipped)
}

// share is how far the part of a training is that an event tells of.
func share(e train.Event) float64 { return float64(e.Step) / float64(max(1, e.Steps)) }

// name tells which pictures were left out.
func (p *progress) name(skips []data.Skip) {
	p.skipped += len(skips)
	for _, s := range skips {
		p.bar.clear()
		fmt.Fprintf(p.err, "left out %s\n", s)
	}
}

// line prints a line above the bar.
func (p *progress) line(format string, a ...any) {
	p.bar.clear()
	fmt.Fprintf(p.out, format+"\n", a...)
}

// A bar shows how far something is, on a terminal; elsewhere it shows nothing.
type bar struct {
	*progressbar.ProgressBar // nil where there is no terminal
	drawn                    time.Time
}

// barSteps is how finely a bar is divided.
const barSteps = 1000

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &bar{}
	}
	return &bar{ProgressBar: progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(f), progressbar.OptionSetWidth(12),
		progressbar.OptionUseANSICodes(true), progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionSetElapsedTime(true))}
}

// set shows the share that is done, at most four times a second.
func (b *bar) set(share float64, text string) {
	if b.ProgressBar == nil || time.Since(b.drawn) < 250*time.Millisecond {
		return
	}
	b.drawn = time.Now()
	b.clear()
	// The last part is left to the end: a full bar would print a line feed.
	b.Set(min(barSteps-1, int(math.Round(share*barSteps))))
	b.Describe(text)
}

// clear takes the bar off the terminal; set brings it back.
func (b *bar) clear() {
	if b.ProgressBar != nil {
		b.Clear()
	}
}
