// The demonstration is of the command line.
//go:build !js

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"duet/assets"
	"duet/gpu"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/train"
)

// DemoCaption are the words beside the demonstration photograph.
const DemoCaption = "What is in the picture?"

// ErrNoPhoto says that no photograph was fetched when this was built.
var ErrNoPhoto = errors.New("app: this build carries no photograph; make assets fetches one")

// DemoPhoto classifies the demonstration photograph with the default model.
func DemoPhoto(ctx context.Context, backend gpu.Backend) (Answer, error) {
	photo, name, ok := assets.DemoPhoto()
	if !ok {
		return Answer{}, ErrNoPhoto
	}
	picture, err := data.Decode(bytes.NewReader(photo), int64(len(photo)), 0)
	if err != nil {
		return Answer{}, fmt.Errorf("app: the demonstration photograph: %w", err)
	}
	files, err := OpenFiles(Default)
	if err != nil {
		return Answer{}, err
	}
	defer files.Close()
	m, err := Load(backend, files)
	if err != nil {
		return Answer{}, err
	}
	defer m.Release()
	c := NewClassifier(m)
	defer c.Release()
	return c.Classify(ctx, name, picture, DemoCaption, 3)
}

// DemoOptions say how the demonstration trains.
type DemoOptions struct {
	Limit time.Duration // of the training; drawing and the measurements before and after it come on top
	Seed  uint64
}

// A DemoReport is what the demonstration's training reached, as top-1 on
// held-back pictures.
type DemoReport struct {
	Task      string   `json:"task"`
	About     string   `json:"about"`
	Answers   []string `json:"answers"`
	From      string   `json:"from"` // what it started from
	HeldBack  int      `json:"held_back"`
	Steps     int      `json:"steps"`
	Batch     int      `json:"batch"`
	Seconds   float64  `json:"seconds"` // from the first look at a picture to the last epoch's end
	Before    float64  `json:"before"`
	After     float64  `json:"after"`
	ImageOnly float64  `json:"image_only"` // after, with the words hidden
	TextOnly  float64  `json:"text_only"`  // after, with the picture hidden
}

// demoRows is how many questions the demonstration draws: twice as many as there
// are pictures, which a CPU looks at in about half of the time.
func demoRows(limit time.Duration) int {
	return max(900, min(8000, int(200*limit.Seconds())))
}

// demoPlan is the task of the demonstration and the model that learns it.
type demoPlan struct {
	task   string
	size   int // of the pictures that are drawn
	config *config.Config
	init   *checkpoint.Model
}

// Demo draws a collection that the default model has not seen, fine-tunes that
// model on it for a limited time and measures it on held-back pictures. What it
// writes goes to a temporary folder that it removes.
func Demo(ctx context.Context, backend gpu.Backend, o DemoOptions, event func(train.Event)) (*DemoReport, error) {
	plan, err := newDemoPlan()
	if err != nil {
		return nil, err
	}
	defer plan.init.Close()
	folder, err := os.MkdirTemp("", "duet-demo-")
	if err != nil {
		return nil, fmt.Errorf("app: the demonstration: %w", err)
	}
	defer os.RemoveAll(folder)
	if _, err := assets.WriteCollection(ctx, folder, plan.task, demoRows(o.Limit), o.Seed, plan.size); err != nil {
		return nil, err
	}
	collection, err := data.OpenPath(ctx, folder, "", data.Options{})
	if err != nil {
		return nil, err
	}
	report := &DemoReport{Task: plan.task, From: plan.init.Name(), Answers: collection.Classes}
	for _, t := range assets.Tasks() {
		if t.Name == plan.task {
			report.About = t.About
		}
	}
	var first time.Time // event of the training
	m, err := Train(ctx, backend, TrainOptions{
		Collection: collection, Name: "drawn shapes, task " + plan.task, Config: plan.config, Init: plan.init, Seed: &o.Seed,
		Tune: model.TuneHead, Keep: Unkept{}, Limit: o.Limit, Before: true,
	}, func(e train.Event) {
		if first.IsZero() {
			first = time.Now()
		}
		switch e.Event {
		case "before":
			report.Before = e.ValTop1
		case "epoch":
			report.Steps, report.Seconds = e.Step, time.Since(first).Seconds()
		}
		event(e)
	})
	if err != nil {
		return nil, err
	}
	defer m.Release()
	report.Batch = m.Config.Recipe.Batch // of the head: an example each
	return report, report.measure(ctx, m, collection)
}

// measure evaluates the trained model, whole and with each side hidden.
func (r *DemoReport) measure(ctx context.Context, m *Model, collection *data.Collection) error {
	for _, pass := range []struct {
		inputs string
		top1   *float64
	}{{"both", &r.After}, {"image", &r.ImageOnly}, {"text", &r.TextOnly}} {
		x, err := Evaluate(ctx, m, EvaluateOptions{Collection: collection, Split: "val", Inputs: pass.inputs})
		if err != nil {
			return err
		}
		*pass.top1, r.HeldBack = x.Top1, x.N
	}
	return nil
}

// newDemoPlan chooses a task that the default model has not learnt: it can tell
// a named shape's colour, but not the family that the colour belongs to. Its
// towers see what is needed, so the head alone learns it: on 2 cores half a minute
// takes top-1 from 0.38 to 0.91, where all of the model reaches 0.6 in a minute.
func newDemoPlan() (demoPlan, error) {
	files, err := OpenFiles(Default)
	if err != nil {
		return demoPlan{}, err
	}
	c, err := config.Read(files, "config.json")
	if err != nil {
		files.Close()
		return demoPlan{}, fmt.Errorf("app: %s: %w", files.Name(), err)
	}
	c.Recipe.LearningRate, c.Recipe.Warmup = 5e-4, 20
	c.Recipe.Schedule, c.Recipe.Batch, c.Recipe.Epochs, c.Recipe.MaxSteps = "cosine", 64, 5, 0
	return demoPlan{task: "rule", size: assets.DefaultSize, config: c, init: files}, nil
}
