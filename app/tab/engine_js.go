package tab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"duet/app/ui"
	"duet/gpu/adapter"
	"duet/gpu/promise"
	"duet/model/report"
)

// An Engine is the tab's worker. It implements [ui.Engine].
type Engine struct {
	duet  js.Value // window.duet
	store js.Value // wasm/store.js

	mu       sync.Mutex
	sample   js.Value // the drawn collection's files, once drawn
	standard report.Description
	unstored map[string]js.Value // models for which the store has no room, by id
}

// NewEngine returns the engine behind window.duet, with the models of a store
// (wasm/store.js).
func NewEngine(duet, store js.Value) *Engine {
	return &Engine{duet: duet, store: store, sample: js.Undefined(), unstored: map[string]js.Value{}}
}

// answer is what info, load and their like give.
type answer struct {
	Adapter string              `json:"adapter"`
	Class   adapter.Class       `json:"class"`
	Bytes   int64               `json:"gpu_bytes"`
	Model   *report.Description `json:"model"`
}

func (e *Engine) info(v js.Value, id string) (ui.Info, error) {
	var a answer
	if err := decode(v, &a); err != nil {
		return ui.Info{}, err
	}
	info := ui.Info{Adapter: a.Adapter, Class: a.Class, Bytes: a.Bytes, ModelID: id}
	if a.Model == nil {
		return info, errors.New("there is no model")
	}
	info.Model = *a.Model
	if id == report.Default {
		e.mu.Lock()
		e.standard = *a.Model
		e.mu.Unlock()
	}
	return info, nil
}

// ask calls a method of window.duet whose last argument are options. Where the
// context ends, so does the call.
func (e *Engine) ask(ctx context.Context, method string, args ...any) (js.Value, error) {
	abort := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { abort.Call("abort") })()
	args[len(args)-1].(map[string]any)["signal"] = abort.Get("signal")
	return promise.Await(ctx, e.duet.Call(method, args...))
}

// Start waits for the worker, a new one where the last could not start, and puts
// the model used last on its device.
func (e *Engine) Start(ctx context.Context) (ui.Info, error) {
	v, err := promise.Await(ctx, e.duet.Call("start"))
	if err != nil {
		return ui.Info{}, noEngine{err, codeOf(err)}
	}
	standard, err := e.info(v, report.Default)
	if used, err := promise.Await(ctx, e.store.Call("used")); err == nil && used.Type() == js.TypeString && used.String() != report.Default {
		if info, err := e.Load(ctx, used.String()); err == nil {
			return info, nil
		}
	}
	return standard, err
}

// blob is the zip of a model.
func (e *Engine) blob(ctx context.Context, id string) (js.Value, error) {
	if id == report.Default {
		return promise.Await(ctx, e.duet.Call("export", report.Default))
	}
	e.mu.Lock()
	blob, ok := e.unstored[id]
	e.mu.Unlock()
	if ok {
		return blob, nil
	}
	return promise.Await(ctx, e.store.Call("get", id))
}

// Load takes a model of the store in place of the present one.
func (e *Engine) Load(ctx context.Context, id string) (ui.Info, error) {
	blob := js.ValueOf(report.Default)
	if id != report.Default {
		var err error
		if blob, err = e.blob(ctx, id); err != nil {
			return ui.Info{}, err
		}
	}
	v, err := promise.Await(ctx, e.duet.Call("load", blob))
	if err != nil {
		return ui.Info{}, err
	}
	promise.Await(ctx, e.store.Call("use", id)) // where it cannot be noted, the next start is with another model
	return e.info(v, id)
}

// Classify answers for a picture and its words.
func (e *Engine) Classify(ctx context.Context, f ui.File, caption string) (a report.Answer, err error) {
	v, err := e.ask(ctx, "classify", blobOf(f), caption, map[string]any{"top": 5})
	if err != nil {
		return a, err
	}
	return a, decode(v, &a)
}

// files are those of a source, as window.duet takes them.
func (e *Engine) files(ctx context.Context, s ui.Source) (js.Value, error) {
	if !s.Sample {
		return listOf(s.Files), nil
	}
	e.mu.Lock()
	drawn := e.sample
	e.mu.Unlock()
	if drawn.Truthy() {
		return drawn, nil
	}
	drawn, err := e.ask(ctx, "sample", map[string]any{"n": 3000, "task": "rule", "seed": 1})
	if err == nil {
		e.mu.Lock()
		e.sample = drawn
		e.mu.Unlock()
	}
	return drawn, err
}

// Understand opens a collection and says what it is.
func (e *Engine) Understand(ctx context.Context, s ui.Source) (*report.Collection, error) {
	files, err := e.files(ctx, s)
	if err != nil {
		return nil, err
	}
	v, err := e.ask(ctx, "check", files, map[string]any{})
	if err != nil {
		return nil, err
	}
	var r report.Collection
	return &r, decode(v, &r)
}

// Estimate says what a training would take.
func (e *Engine) Estimate(ctx context.Context, s ui.Source, how ui.Setup) (report.Estimate, error) {
	files, err := e.files(ctx, s)
	if err != nil {
		return report.Estimate{}, err
	}
	v, err := e.ask(ctx, "estimate", files, trainOptions(s, how))
	if err != nil {
		return report.Estimate{}, err
	}
	var answer struct {
		Bytes      int64
		Memory     int64 `json:"device_bytes"`
		Parameters int
		Trained    int
		Steps      int
		Seconds    float64
	}
	err = decode(v, &answer)
	return report.Estimate{Bytes: answer.Bytes, Memory: answer.Memory, Parameters: answer.Parameters, Trained: answer.Trained, Steps: answer.Steps,
		Time: time.Duration(answer.Seconds * float64(time.Second))}, err
}

func trainOptions(s ui.Source, how ui.Setup) map[string]any {
	o := map[string]any{"tune": how.Preset.Tune(), "inputs": how.Inputs, "name": s.Name}
	if how.Base == (ui.Base{}) {
		o["init"] = "current"
	} else {
		o["towers"] = map[string]any{"vision": how.Base.Vision, "text": how.Base.Text}
	}
	return o
}

// A note is what is kept of a training beside its files, see wasm/jobs.js.
type note struct {
	Name   string // of the source
	Sample bool
	Setup  ui.Setup
}

// Train trains a new model from the present one, which stays in use.
func (e *Engine) Train(ctx context.Context, s ui.Source, how ui.Setup, tell func(report.Event)) (*ui.Result, error) {
	files, err := e.files(ctx, s)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	text, err := json.Marshal(note{s.Name, s.Sample, how})
	if err != nil {
		return nil, err
	}
	id := js.Global().Get("crypto").Call("randomUUID").String()
	o := trainOptions(s, how)
	o["give"], o["job"], o["note"] = true, id, js.Global().Get("JSON").Call("parse", string(text))
	return e.run(ctx, id, how.Name, tell, func(signal, events js.Value) js.Value {
		o["signal"] = signal
		return e.duet.Call("train", files, o, events)
	}, files)
}

// Continue goes on with a training that was interrupted.
func (e *Engine) Continue(ctx context.Context, id string, tell func(report.Event)) (*ui.Result, error) {
	jobs, err := e.Unfinished(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(jobs, func(j ui.Job) bool { return j.ID == id })
	if at < 0 {
		return nil, errors.New("there is no such training, or another tab goes on with it")
	}
	return e.run(ctx, id, jobs[at].Setup.Name, tell, func(signal, events js.Value) js.Value {
		return e.duet.Call("resume", id, events, map[string]any{"signal": signal})
	}, js.Undefined())
}

// run waits for a training that start starts, measures the model and stores it
// under a name. Until then the training is among the unfinished ones.
func (e *Engine) run(ctx context.Context, id, name string, tell func(report.Event), start func(signal, events js.Value) js.Value, files js.Value) (*ui.Result, error) {
	js.Global().Set("duetBusy", true) // the page asks before it is left
	defer js.Global().Set("duetBusy", false)
	events := js.FuncOf(func(_ js.Value, args []js.Value) any {
		var x report.Event
		if decode(promise.First(args), &x) == nil {
			tell(x)
		}
		return nil
	})
	defer events.Release()
	abort := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ui.ErrStopped) {
			e.duet.Call("stop")
		} else {
			abort.Call("abort")
		}
	})()
	whole := context.WithoutCancel(ctx)
	v, err := promise.Await(whole, start(abort.Get("signal"), events.Value))
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	var end report.Event
	if err := decode(v, &end); err != nil {
		return nil, err
	}
	if files.IsUndefined() {
		files = v.Get("files")
	}
	blob := v.Get("blob")
	r, measuring := e.measure(whole, files, blob)
	model, err := e.keep(whole, name, blob)
	if err != nil {
		return nil, err
	}
	// What was held back is shown from the files, so they stay.
	promise.Await(whole, e.duet.Call("discard", id, map[string]any{"keepFiles": true}))
	if measuring != nil {
		return nil, measuring
	}
	r.Model, r.Stopped = model, end.Stopped
	return r, nil
}

// interrupted is the error of a training that was ended before it came to
// anything, or to its end, and any other as it is.
func interrupted(ctx context.Context, err error) error {
	if code := codeOf(err); ctx.Err() != nil || code == "stopped" || code == "cancelled" {
		return fmt.Errorf("%w: %w", report.ErrInterrupted, err)
	}
	return err
}

// measure evaluates a model on what its training held back.
func (e *Engine) measure(ctx context.Context, files, blob js.Value) (*ui.Result, error) {
	v, err := e.ask(ctx, "evaluate", files, map[string]any{"split": "val", "cells": true, "model": blob})
	if err != nil {
		return nil, err
	}
	var measured struct {
		report.Evaluation
		Cells []struct {
			Truth, Answer int
			File, Caption string
		}
	}
	if err := decode(v, &measured); err != nil {
		return nil, err
	}
	r := &ui.Result{Evaluation: &measured.Evaluation, Cells: make([][][]ui.Held, len(measured.Confusion))}
	for i := range r.Cells {
		r.Cells[i] = make([][]ui.Held, len(measured.Confusion))
	}
	known := map[string]ui.File{}
	byPath := map[string]js.Value{}
	for i := range files.Length() {
		f := files.Index(i)
		byPath[path.Clean(strings.TrimLeft(f.Get("path").String(), "/"))] = f.Get("blob")
	}
	for _, c := range measured.Cells {
		f, ok := known[c.File]
		if blob, there := byPath[c.File]; !ok && there {
			f = fileOf(c.File, blob)
			known[c.File] = f
		}
		r.Cells[c.Truth][c.Answer] = append(r.Cells[c.Truth][c.Answer], ui.Held{File: f, Caption: c.Caption})
	}
	return r, nil
}

// keep stores a model under a name and returns its id. Where there is no room
// it is kept until the page is left.
func (e *Engine) keep(ctx context.Context, name string, blob js.Value) (string, error) {
	v, err := promise.Await(ctx, e.duet.Call("inspect", blob))
	if err != nil {
		return "", err
	}
	id, err := promise.Await(ctx, e.store.Call("put", name, blob, v.Get("classes"), v.Get("card")))
	if err == nil {
		return id.String(), nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := fmt.Sprintf("unstored-%d", len(e.unstored)+1)
	e.unstored[kept] = blob
	return kept, nil
}

// Unfinished lists the trainings that were interrupted, but for those that go on
// in another tab.
func (e *Engine) Unfinished(ctx context.Context) ([]ui.Job, error) {
	v, err := promise.Await(ctx, e.duet.Call("jobs"))
	if err != nil {
		return nil, err
	}
	var kept []struct {
		ID   string
		Note *note // nil: a page's own, without the app
		Step int
	}
	if err := decode(v, &kept); err != nil {
		return nil, err
	}
	var jobs []ui.Job
	for _, k := range kept {
		if k.Note != nil && k.Note.Setup.Name != "" && k.Note.Setup.Preset < ui.Presets {
			jobs = append(jobs, ui.Job{ID: k.ID, Source: ui.Source{Name: k.Note.Name, Sample: k.Note.Sample}, Setup: k.Note.Setup, Step: k.Step})
		}
	}
	return jobs, nil
}

// Discard gives a training up.
func (e *Engine) Discard(ctx context.Context, id string) error {
	_, err := promise.Await(ctx, e.duet.Call("discard", id))
	return err
}

// Models lists the models of the store, where there is one, after the default one.
func (e *Engine) Models(ctx context.Context) ([]ui.Model, error) {
	var list []ui.Model
	if v, err := promise.Await(ctx, e.store.Call("list")); err == nil {
		if err := decode(v, &list); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []ui.Model{{ID: report.Default, Name: report.Default, Embedded: true, Classes: e.standard.Classes, Card: e.standard.Card}}
	for id, blob := range e.unstored {
		all = append(all, ui.Model{ID: id, Name: id, Bytes: int64(blob.Get("size").Int())})
	}
	return append(all, list...), nil
}

// Import takes a zip among the models.
func (e *Engine) Import(ctx context.Context, f ui.File) (string, error) {
	return e.keep(ctx, strings.TrimSuffix(f.Name, path.Ext(f.Name)), blobOf(f))
}

// Rename, Trash and Restore change what models there are.
func (e *Engine) Rename(ctx context.Context, id, name string) error {
	_, err := promise.Await(ctx, e.store.Call("rename", id, name))
	return err
}

func (e *Engine) Trash(ctx context.Context, id string) error {
	_, err := promise.Await(ctx, e.store.Call("trash", id))
	return err
}

func (e *Engine) Restore(ctx context.Context, id string) error {
	_, err := promise.Await(ctx, e.store.Call("restore", id))
	return err
}

// Export gives the user a model.
func (e *Engine) Export(ctx context.Context, id, format string) (string, error) {
	blob, err := e.blob(ctx, id)
	if err == nil && format == ui.FormatONNX {
		blob, err = promise.Await(ctx, e.duet.Call("export", blob, format))
	}
	if err != nil {
		return "", err
	}
	models, err := e.Models(ctx)
	if err != nil {
		return "", err
	}
	name := ui.ExportName(models, id, format)
	js.Global().Get("duetSave").Invoke(name, blob)
	return name, nil
}

// Close ends the worker.
func (e *Engine) Close() {}

var _ ui.Engine = (*Engine)(nil)
