package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"syscall/js"

	"duet/app"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/train"
)

// trainOptions are the flags of duet train.
type trainOptions struct {
	dataOptions
	Init      string          `json:"init"`   // "default", "none" or "current"; "": default
	Config    json.RawMessage `json:"config"` // a name, or a configuration itself
	Fusion    string          `json:"fusion"`
	Inputs    string          `json:"inputs"`
	Epochs    int             `json:"epochs"`
	Batch     int             `json:"batch"`
	LR        float64         `json:"lr"`
	ImageSize int             `json:"imageSize"`
	Tune      string          `json:"tune"`
	Give      bool            `json:"give"` // the model as a Blob, instead of taking it into use
	Freeze    []string        `json:"freeze"`
	Seed      *uint64         `json:"seed"`
	MaxSteps  int             `json:"maxSteps"`
}

// stopped is the error of a training that was stopped before it had a model.
var stopped = failure{Code: "stopped", Message: "the training was stopped"}

// train trains a model on the files given and then takes it into use: the best
// one on validation or, where it was stopped before that was known, the last.
func (e *engine) train(r request) (any, error) {
	if !e.training.TryLock() {
		return nil, fail("busy", errors.New("a training is under way: wait for its end or stop it"))
	}
	defer e.training.Unlock()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	e.stopping.Lock()
	e.cancel, e.ended = cancel, ended
	e.stopping.Unlock()

	var o trainOptions
	if err := options(r.arg(1), &o); err != nil {
		return nil, err
	}
	prepared, err := e.trainOptions(o)
	if err != nil {
		return nil, err
	}
	if prepared.Init != nil {
		defer prepared.Init.Close()
	}
	if prepared.Collection, err = e.collection(ctx, r, o.dataOptions); err == nil {
		prepared.Name = cmp.Or(o.Name, prepared.Collection.Report.Path)
		return e.run(ctx, r, prepared, o.Give)
	}
	if ctx.Err() != nil {
		return nil, stopped
	}
	return nil, err
}

func (e *engine) run(ctx context.Context, r request, o app.TrainOptions, give bool) (any, error) {
	kept, steps := js.Undefined(), 0
	o.Keep = func(m *app.Model, best bool) error {
		if !best && kept.Truthy() || m.Config.Training.Steps == 0 {
			return nil
		}
		blob, err := newBlob("application/zip", m.WriteZip)
		if err == nil {
			kept = blob
		}
		return err
	}
	end := train.Event{Event: "done"}
	m, err := app.Train(ctx, e.device, o, func(event train.Event) {
		switch event.Event {
		case "done":
			end = event
			return // told when the model is in use
		case "epoch":
			end.ValTop1 = max(end.ValTop1, event.ValTop1)
			steps = event.Step
		case "step":
			steps = event.Step
		}
		r.event(event)
	})
	switch {
	case err == nil:
		m.Release() // the best one is in kept
	case ctx.Err() == nil:
		return nil, err
	case !errors.Is(err, train.ErrInterrupted) || !kept.Truthy():
		return nil, stopped
	default:
		end.Step, end.Stopped = steps, true
	}
	name := "trained on " + o.Name
	end.Model = name
	if give {
		result := toJS(end)
		result.Set("blob", kept)
		return result, nil
	}
	if err := e.use(zipped(kept, name), name); err != nil {
		return nil, err
	}
	r.event(end)
	return end, nil
}

// trainOptions turns the page's options into the engine's. The caller closes Init.
func (e *engine) trainOptions(o trainOptions) (app.TrainOptions, error) {
	t := app.TrainOptions{
		Fusion: model.FusionKind(o.Fusion), Inputs: o.Inputs, Epochs: o.Epochs, Batch: o.Batch, LR: o.LR,
		ImageSize: o.ImageSize, Tune: o.Tune, Freeze: o.Freeze, Seed: o.Seed, MaxSteps: o.MaxSteps,
	}
	var err error
	if len(o.Config) > 0 {
		var name string
		if json.Unmarshal(o.Config, &name) == nil {
			t.Config, err = config.Named(name)
		} else {
			t.Config, err = config.Read(memoryFile("config.json", o.Config), "config.json")
		}
		if err != nil {
			return t, fail("options", err)
		}
	}
	t.Init, err = e.init(o.Init)
	return t, err
}

// init opens the model to start from; nil for none.
func (e *engine) init(name string) (*checkpoint.Model, error) {
	switch name {
	case "", "none", app.Default:
		return app.OpenInit(name)
	case "current":
		release, err := e.usable()
		if err != nil {
			return nil, err
		}
		files := e.files
		release()
		return files()
	}
	return nil, fail("options", errors.New("init "+name+"; known are default, current and none"))
}

// stop ends the training under way, if any, and returns when it has ended.
func (e *engine) stop(request) (any, error) {
	e.stopping.Lock()
	cancel, ended := e.cancel, e.ended
	e.stopping.Unlock()
	if cancel == nil {
		return false, nil
	}
	select {
	case <-ended:
		return false, nil
	default:
	}
	cancel()
	<-ended
	return true, nil
}
