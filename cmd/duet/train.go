//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"duet/app"
	"duet/model"
	"duet/model/train"
)

// trainCommand fine-tunes a model, or trains one from scratch.
type trainCommand struct {
	dataFlags
	backendFlag
	Config    string        `placeholder:"NAME|FILE" help:"Configuration: small, seed, pretrained or a file; by default that of the model to start from, or small."`
	Init      string        `placeholder:"MODEL|none" help:"Model to start from, or none for random weights; by default the embedded model."`
	Fusion    string        `placeholder:"NAME" help:"concat, concat_gelu, concat_product, gated, hadamard or cross_attention; by default the configuration's."`
	Inputs    string        `enum:"both,image,text" default:"both" help:"What the model sees: both, image or text."`
	Epochs    int           `placeholder:"N" help:"Passes over the training pictures."`
	Batch     int           `placeholder:"N" help:"Examples a step."`
	LR        float64       `name:"lr" placeholder:"F" help:"Learning rate."`
	ImageSize int           `placeholder:"N" help:"Side of the pictures that the model sees, in pixels."`
	Tune      string        `enum:"all,last,lora,head," default:"" help:"How much of the model is trained: all; last, the last parts of the towers and what follows them; lora, changes of low rank beside the text tower's queries and values and the fusion, and what else follows the towers; head, what follows the towers, which then run once a picture. By default what the configuration says, mostly all."`
	LoRARank  int           `name:"lora-rank" placeholder:"R" help:"Rank of the changes of --tune lora; by default 8."`
	Freeze    []string      `placeholder:"LIST" help:"Parts of the model to leave as they are, for example visual,text or text.encoder.layer.0."`
	Seed      *uint64       `placeholder:"N" help:"Seed of everything random."`
	MaxSteps  int           `placeholder:"N" help:"Stop after this many steps."`
	SaveEvery time.Duration `default:"30s" placeholder:"DURATION" help:"How often to save a state that --resume goes on from, besides every epoch's end; by default ${default}, and less often where a state takes long to save."`
	Resume    bool          `help:"Go on with an interrupted training of the same command line."`
	Out       string        `required:"" placeholder:"MODEL" help:"Where the model goes: a folder, or a .zip."`
	replaceFlag
	JSON bool `name:"json" help:"One JSON object a line instead of a bar."`
}

func (c trainCommand) Run(ctx context.Context, s streams) error {
	conf, err := configuration(c.Config)
	if err != nil {
		return err
	}
	o := app.TrainOptions{
		Name: filepath.Base(filepath.Clean(c.Data)), Config: conf, Out: c.Out, Replace: c.Replace, Resume: c.Resume,
		Fusion: model.FusionKind(c.Fusion), Inputs: c.Inputs, Epochs: c.Epochs, Batch: c.Batch, LR: c.LR, ImageSize: c.ImageSize,
		Tune: c.Tune, LoRARank: c.LoRARank, Freeze: c.Freeze, Seed: c.Seed, MaxSteps: c.MaxSteps, SaveEvery: c.SaveEvery,
	}
	if err := o.CheckOut(); err != nil {
		return err
	}
	if o.Init, err = app.OpenInit(c.Init); err != nil {
		return err
	}
	defer o.Close()
	if o.Collection, err = c.dataFlags.open(ctx); err != nil {
		return err
	}
	told := map[string]bool{}
	tell := func() { // what was inferred; after the split was drawn only the lines that it changed
		for _, line := range o.Collection.Report.Lines() {
			if !told[line] {
				told[line] = true
				fmt.Fprintln(s.err, line)
			}
		}
	}
	tell()
	backend, err := c.backendFlag.open(ctx)
	if err != nil {
		return err
	}
	defer backend.Close()
	fmt.Fprintf(s.err, "Adapter: %s, %s\n", backend.Info().Name, backend.Info().Class)
	from := "random weights"
	if o.Init != nil {
		from = o.Init.Name()
	}
	fmt.Fprintf(s.err, "Starts from: %s\n", from)
	show, end := reporter(s, c.JSON)
	split := sync.OnceFunc(tell)
	m, err := app.Train(ctx, backend, o, func(e train.Event) { split(); show(e) })
	end()
	if errors.Is(err, train.ErrInterrupted) {
		return fmt.Errorf("stopped; everything so far is saved: the same command with --resume goes on")
	}
	if err != nil {
		return err
	}
	m.Release()
	return nil
}
