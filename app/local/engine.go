//go:build !js

package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"duet/app"
	"duet/app/ui"
	"duet/assets"
	"duet/gpu"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/train"
)

// An Engine computes on this machine's best adapter. It implements [ui.Engine].
type Engine struct {
	store     Store
	downloads string

	opening sync.Mutex
	device  *gpu.Device

	mu         sync.Mutex // of the model
	model      *app.Model
	classifier *app.Classifier
	id         string

	collections struct { // the one looked at last
		sync.Mutex
		source ui.Source
		open   *data.Collection
	}
}

// NewEngine returns an engine that keeps its models in the folders' place.
func NewEngine(f Folders) *Engine { return &Engine{store: Store{f.Models}, downloads: f.Downloads} }

// Start opens the best adapter and the model used last.
func (e *Engine) Start(ctx context.Context) (ui.Info, error) {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.device == nil {
		device, err := gpu.Open(ctx, gpu.Options{SelfTest: true, SubmitCap: gpu.SharedSubmitCap})
		if err != nil {
			return ui.Info{}, err
		}
		e.device = device
	}
	info, err := e.Load(ctx, e.store.used())
	if err != nil { // it may have been removed by hand
		return e.Load(ctx, app.Default)
	}
	return info, nil
}

// Load puts a model on the device in place of the present one.
func (e *Engine) Load(_ context.Context, id string) (ui.Info, error) {
	files, err := e.store.open(id)
	if err != nil {
		return ui.Info{}, err
	}
	defer files.Close()
	m, err := app.Load(e.device, files)
	if err != nil {
		return ui.Info{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		e.classifier.Release()
		e.model.Release()
	}
	e.model, e.classifier, e.id = m, app.NewClassifier(m), id
	if err := e.store.use(id); err != nil {
		return ui.Info{}, err
	}
	d, err := app.Describe(id, m.Config)
	if err != nil {
		return ui.Info{}, err
	}
	i := e.device.Info()
	return ui.Info{Adapter: i.Name, Class: i.Class, Bytes: e.device.Allocated().Total(), Model: d, ModelID: id}, nil
}

// Classify answers for a picture and its words.
func (e *Engine) Classify(ctx context.Context, f ui.File, caption string) (app.Answer, error) {
	picture, err := data.DecodeFile(f.Path, 0)
	if err != nil {
		return app.Answer{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == nil {
		return app.Answer{}, errors.New("there is no model yet")
	}
	return e.classifier.Classify(ctx, f.Name, picture, caption, 5)
}

// sampleRows is how many rows the sample collection has.
const sampleRows = 6000

// collection opens a source anew: a training changes what it is given.
func (e *Engine) collection(ctx context.Context, s ui.Source) (*data.Collection, error) {
	path := s.Path
	if s.Sample {
		path = e.store.path("sample")
		if _, err := os.Stat(filepath.Join(path, "train", "metadata.jsonl")); err != nil {
			if _, err := assets.WriteCollection(ctx, path, "rule", sampleRows, 1, assets.DefaultSize); err != nil {
				return nil, err
			}
		}
	}
	return data.OpenPath(ctx, path, "", data.Options{})
}

// Understand opens a collection and says what it is.
func (e *Engine) Understand(ctx context.Context, s ui.Source) (*data.Report, error) {
	c, err := e.collection(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(c.Classes) < 2 {
		return nil, fmt.Errorf("%s has %d classes; a training needs at least two: a folder for each, or a column of labels", s.Name, len(c.Classes))
	}
	e.collections.Lock()
	defer e.collections.Unlock()
	e.collections.source, e.collections.open = s, c
	return &c.Report, nil
}

// options are those of a training; the caller closes Init.
func (e *Engine) options(c *data.Collection, s ui.Source, how ui.Setup) (app.TrainOptions, error) {
	e.mu.Lock()
	id := e.id
	e.mu.Unlock()
	init, err := e.store.open(id)
	if err != nil {
		return app.TrainOptions{}, err
	}
	return app.TrainOptions{Collection: c, Name: s.Name, Init: init, Inputs: how.Inputs, Tune: how.Preset.Tune()}, nil
}

// Estimate says what a training would take.
func (e *Engine) Estimate(ctx context.Context, s ui.Source, how ui.Setup) (ui.Estimate, error) {
	e.collections.Lock()
	c := e.collections.open
	if c == nil || e.collections.source.Name != s.Name || e.collections.source.Path != s.Path {
		c = nil
	}
	e.collections.Unlock()
	if c == nil {
		return ui.Estimate{}, errors.New("the collection is no longer open")
	}
	o, err := e.options(c, s, how)
	if err != nil {
		return ui.Estimate{}, err
	}
	defer o.Init.Close()
	estimate, err := app.EstimateTraining(ctx, e.device.Info(), o)
	return ui.Estimate{Bytes: estimate.Bytes, Steps: estimate.Steps}, err
}

// Train trains a new model from the present one.
func (e *Engine) Train(ctx context.Context, s ui.Source, how ui.Setup, tell func(train.Event)) (*ui.Result, error) {
	c, err := e.collection(ctx, s)
	if err != nil {
		return nil, err
	}
	o, err := e.options(c, s, how)
	if err != nil {
		return nil, err
	}
	defer o.Init.Close()
	id, err := e.store.free(how.Name)
	if err != nil {
		return nil, err
	}
	o.Out, o.KeepStopped = e.store.path(id), true
	m, err := app.Train(ctx, e.device, o, tell)
	stopped := errors.Is(err, train.ErrInterrupted)
	if err != nil && !stopped {
		return nil, err
	}
	if m != nil {
		m.Release()
	}
	os.Remove(o.Out + ".state") // it is done, or kept as it is
	if err := e.store.name(id, how.Name); err != nil {
		return nil, err
	}
	return e.measure(context.WithoutCancel(ctx), id, c, stopped)
}

// measure evaluates a trained model on what was held back.
func (e *Engine) measure(ctx context.Context, id string, c *data.Collection, stopped bool) (*ui.Result, error) {
	files, err := e.store.open(id)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	m, err := app.Load(e.device, files)
	if err != nil {
		return nil, err
	}
	defer m.Release()
	r := &ui.Result{Model: id, Stopped: stopped, Cells: make([][][]ui.Held, len(m.Labels))}
	for i := range r.Cells {
		r.Cells[i] = make([][]ui.Held, len(m.Labels))
	}
	r.Evaluation, err = app.Evaluate(ctx, m, app.EvaluateOptions{Collection: c, Split: "val", Each: func(x data.Example, answer int) {
		held := ui.Held{}
		if x.Picture != nil {
			held.File = e.fileOf(c, x.Picture)
		}
		if len(x.Captions) > 0 {
			held.Caption = x.Captions[0]
		}
		r.Cells[x.Label][answer] = append(r.Cells[x.Label][answer], held)
	}})
	return r, err
}

// fileOf is the file of a picture of a collection.
func (e *Engine) fileOf(c *data.Collection, p *data.Picture) ui.File {
	path := p.Name
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Report.Path, filepath.FromSlash(path))
	}
	return ui.File{Name: filepath.Base(path), Path: path}
}

// Models lists the models.
func (e *Engine) Models(context.Context) ([]ui.Model, error) { return e.store.list() }

// Import takes a zip or a folder among the models.
func (e *Engine) Import(_ context.Context, f ui.File) (string, error) {
	files, err := checkpoint.OpenModel(f.Path)
	if err != nil {
		return "", err
	}
	defer files.Close()
	m, err := app.Load(e.device, files) // as it will be used: what cannot be loaded is not kept
	if err != nil {
		return "", err
	}
	defer m.Release()
	name := strings.TrimSuffix(f.Name, filepath.Ext(f.Name))
	id, err := e.store.free(name)
	if err != nil {
		return "", err
	}
	if err := m.Save(e.store.path(id)); err != nil {
		return "", err
	}
	return id, e.store.name(id, name)
}

// Rename, Trash and Restore change what models there are.
func (e *Engine) Rename(_ context.Context, id, name string) error { return e.store.name(id, name) }
func (e *Engine) Trash(_ context.Context, id string) error        { return e.store.trash(id) }
func (e *Engine) Restore(_ context.Context, id string) error      { return e.store.restore(id) }

// Export writes a model as a zip among the downloads.
func (e *Engine) Export(_ context.Context, id string) (string, error) {
	files, err := e.store.open(id)
	if err != nil {
		return "", err
	}
	defer files.Close()
	m, err := app.Load(e.device, files)
	if err != nil {
		return "", err
	}
	defer m.Release()
	where := freePath(e.downloads, "duet-"+id+".zip")
	return where, m.Save(where)
}

// Close ends all work and removes what was thrown away.
func (e *Engine) Close() {
	e.store.empty()
	e.opening.Lock()
	defer e.opening.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		e.classifier.Release()
		e.model.Release()
		e.model = nil
	}
	if e.device != nil {
		e.device.Close()
		e.device = nil
	}
}

var _ ui.Engine = (*Engine)(nil)
