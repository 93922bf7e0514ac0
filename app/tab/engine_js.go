package tab

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"syscall/js"

	"duet/app/ui"
	"duet/gpu/adapter"
	"duet/model/report"
)

// An Engine is the tab's worker. It implements [ui.Engine].
type Engine struct {
	duet  js.Value // window.duet
	store js.Value // wasm/store.js
	shelf *shelf

	mu       sync.Mutex
	sample   js.Value // the drawn collection's files, once drawn
	standard report.Description
	unstored map[string]js.Value // models for which the store has no room, by id
}

// NewEngine returns the engine behind window.duet, with the models of a store
// (wasm/store.js).
func NewEngine(duet, store js.Value) *Engine {
	return &Engine{duet: duet, store: store, shelf: &shelf{}, sample: js.Undefined(), unstored: map[string]js.Value{}}
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

// Start waits for the worker and puts the model used last on its device.
func (e *Engine) Start(ctx context.Context) (ui.Info, error) {
	v, err := await(ctx, e.duet.Get("ready"))
	if err != nil {
		return ui.Info{}, noEngine{err, codeOf(err)}
	}
	standard, err := e.info(v, report.Default)
	if used, err := await(ctx, e.store.Call("used")); err == nil && used.Type() == js.TypeString && used.String() != report.Default {
		if info, err := e.Load(ctx, used.String()); err == nil {
			return info, nil
		}
	}
	return standard, err
}

// blob is the zip of a model.
func (e *Engine) blob(ctx context.Context, id string) (js.Value, error) {
	if id == report.Default {
		return await(ctx, e.duet.Call("export", report.Default))
	}
	e.mu.Lock()
	blob, ok := e.unstored[id]
	e.mu.Unlock()
	if ok {
		return blob, nil
	}
	return await(ctx, e.store.Call("get", id))
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
	v, err := await(ctx, e.duet.Call("load", blob))
	if err != nil {
		return ui.Info{}, err
	}
	await(ctx, e.store.Call("use", id)) // where it cannot be noted, the next start is with another model
	return e.info(v, id)
}

// Classify answers for a picture and its words.
func (e *Engine) Classify(ctx context.Context, f ui.File, caption string) (a report.Answer, err error) {
	v, err := await(ctx, e.duet.Call("classify", e.shelf.blob(f), caption, map[string]any{"top": 5}))
	if err != nil {
		return a, err
	}
	return a, decode(v, &a)
}

// files are those of a source, as window.duet takes them.
func (e *Engine) files(ctx context.Context, s ui.Source) (js.Value, error) {
	if !s.Sample {
		return e.shelf.list(s.Files), nil
	}
	e.mu.Lock()
	drawn := e.sample
	e.mu.Unlock()
	if drawn.Truthy() {
		return drawn, nil
	}
	drawn, err := await(ctx, e.duet.Call("sample", map[string]any{"n": 3000, "task": "rule"}))
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
	v, err := await(ctx, e.duet.Call("check", files))
	if err != nil {
		return nil, err
	}
	var r report.Collection
	return &r, decode(v, &r)
}

// Estimate says what a training would take.
func (e *Engine) Estimate(ctx context.Context, s ui.Source, how ui.Setup) (estimate report.Estimate, err error) {
	files, err := e.files(ctx, s)
	if err != nil {
		return estimate, err
	}
	v, err := await(ctx, e.duet.Call("estimate", files, trainOptions(s, how)))
	if err != nil {
		return estimate, err
	}
	return estimate, decode(v, &estimate)
}

func trainOptions(s ui.Source, how ui.Setup) map[string]any {
	return map[string]any{"init": "current", "tune": how.Preset.Tune(), "inputs": how.Inputs, "name": s.Name, "give": true}
}

// Train trains a new model from the present one, which stays in use.
func (e *Engine) Train(ctx context.Context, s ui.Source, how ui.Setup, tell func(report.Event)) (*ui.Result, error) {
	js.Global().Set("duetBusy", true) // the page asks before it is left
	defer js.Global().Set("duetBusy", false)
	files, err := e.files(ctx, s)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	events := js.FuncOf(func(_ js.Value, args []js.Value) any {
		var x report.Event
		if decode(first(args), &x) == nil {
			tell(x)
		}
		return nil
	})
	defer events.Release()
	defer context.AfterFunc(ctx, func() { e.duet.Call("stop") })()
	whole := context.WithoutCancel(ctx)
	v, err := await(whole, e.duet.Call("train", files, trainOptions(s, how), events))
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	var end report.Event
	if err := decode(v, &end); err != nil {
		return nil, err
	}
	blob := v.Get("blob")
	id, err := e.keep(whole, how.Name, blob)
	if err != nil {
		return nil, err
	}
	r, err := e.measure(whole, files, blob)
	if err != nil {
		return nil, err
	}
	r.Model, r.Stopped = id, end.Stopped
	return r, nil
}

// interrupted is the error of a training that the user ended before it came to
// anything, and any other as it is.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil || codeOf(err) == "stopped" {
		return fmt.Errorf("%w: %w", report.ErrInterrupted, err)
	}
	return err
}

// measure evaluates a model on what its training held back.
func (e *Engine) measure(ctx context.Context, files, blob js.Value) (*ui.Result, error) {
	v, err := await(ctx, e.duet.Call("evaluate", files, map[string]any{"split": "val", "cells": true, "model": blob}))
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
			f = e.shelf.add(c.File, path.Base(c.File), blob)
			known[c.File] = f
		}
		r.Cells[c.Truth][c.Answer] = append(r.Cells[c.Truth][c.Answer], ui.Held{File: f, Caption: c.Caption})
	}
	return r, nil
}

// keep stores a model under a name and returns its id. Where there is no room
// it is kept until the page is left.
func (e *Engine) keep(ctx context.Context, name string, blob js.Value) (string, error) {
	v, err := await(ctx, e.duet.Call("inspect", blob))
	if err != nil {
		return "", err
	}
	id, err := await(ctx, e.store.Call("put", name, blob, v.Get("classes")))
	if err == nil {
		return id.String(), nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := fmt.Sprintf("unstored-%d", len(e.unstored)+1)
	e.unstored[kept] = blob
	return kept, nil
}

// Unfinished, Continue and Discard: a tab's training that was interrupted
// cannot be gone on with yet.
func (e *Engine) Unfinished(context.Context) ([]ui.Job, error) { return nil, nil }
func (e *Engine) Discard(context.Context, string) error        { return nil }
func (e *Engine) Continue(context.Context, string, func(report.Event)) (*ui.Result, error) {
	return nil, errors.New("there is no such training")
}

// Models lists the models of the store, where there is one, after the default one.
func (e *Engine) Models(ctx context.Context) ([]ui.Model, error) {
	var list []ui.Model
	if v, err := await(ctx, e.store.Call("list")); err == nil {
		if err := decode(v, &list); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []ui.Model{{ID: report.Default, Name: report.Default, Embedded: true, Classes: e.standard.Classes}}
	for id, blob := range e.unstored {
		all = append(all, ui.Model{ID: id, Name: id, Bytes: int64(blob.Get("size").Int())})
	}
	return append(all, list...), nil
}

// Import takes a zip among the models.
func (e *Engine) Import(ctx context.Context, f ui.File) (string, error) {
	return e.keep(ctx, strings.TrimSuffix(f.Name, path.Ext(f.Name)), e.shelf.blob(f))
}

// Rename, Trash and Restore change what models there are.
func (e *Engine) Rename(ctx context.Context, id, name string) error {
	_, err := await(ctx, e.store.Call("rename", id, name))
	return err
}

func (e *Engine) Trash(ctx context.Context, id string) error {
	_, err := await(ctx, e.store.Call("trash", id))
	return err
}

func (e *Engine) Restore(ctx context.Context, id string) error {
	_, err := await(ctx, e.store.Call("restore", id))
	return err
}

// Export gives the user a model as a zip.
func (e *Engine) Export(ctx context.Context, id string) (string, error) {
	blob, err := e.blob(ctx, id)
	if err != nil {
		return "", err
	}
	name := "duet-" + id + ".zip"
	js.Global().Get("duetSave").Invoke(name, blob)
	return name, nil
}

// Close ends the worker.
func (e *Engine) Close() {}

var _ ui.Engine = (*Engine)(nil)
