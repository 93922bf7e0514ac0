package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"
	"time"

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
	LoRARank  int             `json:"loraRank"`
	Towers    towerNames      `json:"towers"` // where the training starts from fetched towers
	Give      bool            `json:"give"`   // the model as a Blob, instead of taking it into use
	Freeze    []string        `json:"freeze"`
	Seed      *uint64         `json:"seed"`
	MaxSteps  int             `json:"maxSteps"`
	SaveEvery float64         `json:"saveEvery"` // seconds
}

// towerNames names towers that the page has fetched; either may be empty.
type towerNames struct {
	Vision string `json:"vision"`
	Text   string `json:"text"`
}

// A job is what wasm/duet.js says of a training that can be gone on with.
type job struct {
	ID   string `json:"id"`   // names its folder; "": it cannot
	From string `json:"from"` // name of the model to start from, which then comes beside as a Blob
}

// stopped is the error of a training that was stopped before it had a model.
var stopped = failure{Code: "stopped", Message: "the training was stopped"}

// errStop is the cause of a training's end when the user ends it.
var errStop = errors.New("stopped by the user")

// train trains a model on the files given, from the state where its job left
// one, and then takes it into use: the best one on validation or, where it was
// stopped before that was known, the last.
func (e *engine) train(r request) (any, error) {
	if !e.training.TryLock() {
		return nil, fail("busy", errors.New("a training is under way: wait for its end or stop it"))
	}
	defer e.training.Unlock()
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	defer close(ended)
	e.stopping.Lock()
	e.cancel, e.ended = cancel, ended
	e.stopping.Unlock()

	var o trainOptions
	var j job
	if err := errors.Join(options(r.arg(1), &o), options(r.arg(2), &j)); err != nil {
		return nil, err
	}
	prepared, err := e.trainOptions(o, r.arg(3), j.From)
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	if prepared.Collection, err = e.collection(ctx, r, o.dataOptions); err == nil {
		prepared.Name = cmp.Or(o.Name, prepared.Collection.Report.Path)
		return e.run(ctx, r, prepared, j, o.Give)
	}
	if context.Cause(ctx) == errStop {
		return nil, stopped
	}
	return nil, err
}

// A keeper is where a training of the tab keeps model and state.
type keeper interface {
	app.Keeper
	blob() (js.Value, error) // the model, or undefined
}

// keeper returns where a training keeps model and state.
func (j job) keeper(r request) (keeper, error) {
	if j.ID == "" {
		return &inMemory{model: js.Undefined()}, nil
	}
	k, err := openJob(r.ctx, j.ID)
	if err != nil {
		return nil, err
	}
	k.withoutState = func(err error) {
		r.event(map[string]string{"event": "unkept", "message": err.Error()})
	}
	return k, nil
}

func (e *engine) run(ctx context.Context, r request, o app.TrainOptions, j job, give bool) (any, error) {
	keep, err := j.keeper(r)
	if err != nil {
		return nil, err
	}
	var from train.State
	from, o.Resume = app.SavedState(keep)
	o.Keep, o.KeepStopped = keep, true
	end := train.Event{Event: "done", Step: from.Step, ValTop1: from.BestTop1}
	m, err := app.Train(ctx, e.device, o, func(event train.Event) {
		switch event.Event {
		case "done":
			end = event
			return // told when the model is in use
		case "epoch":
			end.ValTop1 = max(end.ValTop1, event.ValTop1)
			end.Step = event.Step
		case "step":
			end.Step = event.Step
		}
		r.event(event)
	})
	switch {
	case err == nil:
		m.Release() // the best one was kept
	case context.Cause(ctx) != errStop:
		return nil, err
	case !errors.Is(err, train.ErrInterrupted):
		return nil, stopped
	default:
		end.Stopped = true
	}
	blob, err := keep.blob()
	if err != nil {
		return nil, err
	}
	if !blob.Truthy() {
		return nil, stopped
	}
	name := "trained on " + o.Name
	end.Model = name
	if !give {
		if err := e.use(zipped(blob, name), name, model.WeightsF32); err != nil {
			return nil, err
		}
		r.event(end)
	}
	result := toJS(end)
	result.Set("blob", blob)
	return result, nil
}

// trainOptions turns the page's options into the engine's. Where init is a Blob,
// the training starts from the model of this name in it; where it has lists of
// files as vision or text, from these towers. The caller closes the result.
func (e *engine) trainOptions(o trainOptions, init js.Value, name string) (app.TrainOptions, error) {
	t := app.TrainOptions{
		Fusion: model.FusionKind(o.Fusion), Inputs: o.Inputs, Epochs: o.Epochs, Batch: o.Batch, LR: o.LR,
		ImageSize: o.ImageSize, Tune: o.Tune, LoRARank: o.LoRARank, Freeze: o.Freeze, Seed: o.Seed, MaxSteps: o.MaxSteps,
		SaveEvery: time.Duration(o.SaveEvery * float64(time.Second)),
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
	if o.Towers.Vision != "" || o.Towers.Text != "" {
		t.Towers, err = givenTowers(o, init)
	} else if isBlob(init) {
		t.Init, err = zipped(init, cmp.Or(name, "model.zip"))()
	} else {
		t.Init, err = e.init(o.Init)
	}
	return t, err
}

// givenTowers opens the towers whose files the page gave.
func givenTowers(o trainOptions, files js.Value) (*app.Towers, error) {
	t := new(app.Towers)
	for _, x := range []struct {
		name, list string
		tower      **app.Tower
	}{{o.Towers.Vision, "vision", &t.Vision}, {o.Towers.Text, "text", &t.Text}} {
		if x.name == "" {
			continue
		}
		if files.Type() != js.TypeObject {
			return nil, fail("options", fmt.Errorf("the files of %s are missing", x.name))
		}
		fsys, _, err := dropped(files.Get(x.list))
		if err == nil {
			*x.tower, err = app.OpenTowerFS(fsys, x.name)
		}
		if err != nil {
			t.Close()
			return nil, fail("options", err)
		}
	}
	return t, nil
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
	cancel(errStop)
	<-ended
	return true, nil
}
