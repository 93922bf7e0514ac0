//go:build !js

package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"duet/app"
	"duet/app/ui"
	"duet/assets"
	"duet/gpu"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/report"
	"duet/model/train"
)

// An Engine computes on this machine's best adapter. It implements [ui.Engine].
type Engine struct {
	store     Store
	downloads string

	opening sync.Mutex
	device  *gpu.Device
	joined  io.Closer // this window's part in the store

	mu         sync.Mutex // of the model
	model      *app.Model
	classifier *app.Classifier
	id         string

	measuring sync.Mutex // of what follows
	measured  struct {
		of    *data.Collection
		from  string // id of the model
		speed app.Speed
	}

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
	if err := e.openDevice(ctx); err != nil {
		return ui.Info{}, err
	}
	e.join()
	info, err := e.Load(ctx, e.store.used())
	if err != nil { // it may have been removed by hand
		info, err = e.Load(ctx, app.Default)
	}
	return info, err
}

// join empties the trash of the last time, unless another window may still bring
// something back from it, and keeps others from doing so.
func (e *Engine) join() {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.joined == nil {
		e.joined = e.store.join()
	}
}

func (e *Engine) openDevice(ctx context.Context) error {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.device != nil {
		return nil
	}
	device, err := gpu.Open(ctx, gpu.Options{SelfTest: true, SubmitCap: gpu.SharedSubmitCap})
	if err == nil {
		e.device = device
	}
	return err
}

// gpu is the device, opened if need be.
func (e *Engine) gpu(ctx context.Context) (*gpu.Device, error) {
	if err := e.openDevice(ctx); err != nil {
		return nil, err
	}
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.device == nil {
		return nil, errors.New("no adapter is open")
	}
	return e.device, nil
}

// reopen takes a new device in place of one that was lost, with the same model.
// Where another call has done so already, there is nothing to do.
func (e *Engine) reopen(ctx context.Context, lost *gpu.Device) error {
	e.opening.Lock()
	if e.device != lost {
		e.opening.Unlock()
		return nil
	}
	e.device = nil
	e.opening.Unlock()
	e.mu.Lock()
	id := e.id
	e.model, e.classifier = nil, nil // what they held goes with the device
	lost.Close()
	e.mu.Unlock()
	if err := e.openDevice(ctx); err != nil {
		return err
	}
	_, err := e.Load(ctx, id)
	return err
}

// onDevice calls f with the device, and once more with a new one where that one
// was lost.
func onDevice[T any](ctx context.Context, e *Engine, f func(*gpu.Device) (T, error)) (T, error) {
	var none T
	device, err := e.gpu(ctx)
	if err != nil {
		return none, err
	}
	v, err := f(device)
	if !errors.Is(err, gpu.ErrLost) {
		return v, err
	}
	if err := e.reopen(ctx, device); err != nil {
		return none, err
	}
	if device, err = e.gpu(ctx); err != nil {
		return none, err
	}
	return f(device)
}

// Load puts a model on the device in place of the present one.
func (e *Engine) Load(ctx context.Context, id string) (ui.Info, error) {
	files, err := e.store.open(id)
	if err != nil {
		return ui.Info{}, err
	}
	defer files.Close()
	device, err := e.gpu(ctx)
	if err != nil {
		return ui.Info{}, err
	}
	m, err := app.Load(device, files)
	if err != nil {
		return ui.Info{}, err
	}
	d, err := app.Describe(id, m.Config)
	if err != nil {
		m.Release()
		return ui.Info{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		e.classifier.Release()
		e.model.Release()
	}
	e.model, e.classifier, e.id = m, app.NewClassifier(m), id
	e.store.use(id) // where it cannot be noted, the next start is with another model
	i := device.Info()
	return ui.Info{Adapter: i.Name, Class: i.Class, Bytes: device.Allocated().Total(), Model: d, ModelID: id}, nil
}

// Classify answers for a picture and its words.
func (e *Engine) Classify(ctx context.Context, f ui.File, caption string) (app.Answer, error) {
	picture, err := data.DecodeFile(f.Path, 0)
	if err != nil {
		return app.Answer{}, err
	}
	return onDevice(ctx, e, func(*gpu.Device) (app.Answer, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.model == nil {
			return app.Answer{}, errors.New("there is no model yet")
		}
		return e.classifier.Classify(ctx, f.Name, picture, caption, 5)
	})
}

// sampleRows is how many rows the sample collection has.
const sampleRows = 6000

// collection opens a source anew: a training changes what it is given.
func (e *Engine) collection(ctx context.Context, s ui.Source) (*data.Collection, error) {
	path := s.Path
	if s.Sample {
		path = e.store.path(sampleFolder)
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
	e.collections.Lock()
	defer e.collections.Unlock()
	e.collections.source, e.collections.open = s, c
	return &c.Report, nil
}

// options are those of a training that starts from a model, or from towers; the
// caller closes them.
func (e *Engine) options(c *data.Collection, s ui.Source, how ui.Setup, from string) (o app.TrainOptions, err error) {
	o = app.TrainOptions{Collection: c, Name: s.Name, Inputs: how.Inputs, Tune: how.Preset.Tune()}
	if how.Base != (ui.Base{}) {
		o.Towers, err = app.OpenTowers(how.Base.Vision, how.Base.Text)
	} else {
		o.Init, err = e.store.open(from)
	}
	return o, err
}

// using is the id of the model in use.
func (e *Engine) using() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.id
}

// Estimate says what a training would take.
func (e *Engine) Estimate(ctx context.Context, s ui.Source, how ui.Setup) (app.Estimate, error) {
	e.collections.Lock()
	c := e.collections.open
	if c == nil || e.collections.source.Name != s.Name || e.collections.source.Path != s.Path {
		c = nil
	}
	e.collections.Unlock()
	if c == nil {
		return app.Estimate{}, errors.New("the collection is no longer open")
	}
	device, err := e.gpu(ctx)
	if err != nil {
		return app.Estimate{}, err
	}
	from := e.using()
	o, err := e.options(c, s, how, from)
	if err != nil {
		return app.Estimate{}, err
	}
	defer o.Close()
	if o.Towers != nil { // how fast they are is not known
		return app.EstimateTraining(ctx, device.Info(), o, nil)
	}
	speed, err := e.speed(ctx, c, from)
	if err != nil {
		return app.Estimate{}, err
	}
	return app.EstimateTraining(ctx, device.Info(), o, &speed)
}

// speed measures, once a collection and model, how fast a training would be, on
// a model of its own, so that nothing waits for it.
func (e *Engine) speed(ctx context.Context, c *data.Collection, from string) (app.Speed, error) {
	e.measuring.Lock()
	defer e.measuring.Unlock()
	if e.measured.of == c && e.measured.from == from {
		return e.measured.speed, nil
	}
	m, err := e.load(ctx, from)
	if err != nil {
		return app.Speed{}, err
	}
	defer m.Release()
	speed, err := app.MeasureSpeed(ctx, m, c, runtime.GOMAXPROCS(0))
	if err == nil {
		e.measured.of, e.measured.from, e.measured.speed = c, from, speed
	}
	return speed, err
}

// Train trains a new model from the present one.
func (e *Engine) Train(ctx context.Context, s ui.Source, how ui.Setup, tell func(train.Event)) (*ui.Result, error) {
	id, err := e.store.free(how.Name)
	if err != nil {
		return nil, err
	}
	if s.Path != "" { // it is there from any folder, also later
		if s.Path, err = filepath.Abs(s.Path); err != nil {
			return nil, err
		}
	}
	j := job{Source: s, Setup: how, From: e.using()}
	if err := e.store.keepJob(id, j); err != nil {
		return nil, err
	}
	return e.run(ctx, id, j, tell)
}

// Continue goes on with a training that was interrupted.
func (e *Engine) Continue(ctx context.Context, id string, tell func(train.Event)) (*ui.Result, error) {
	j, err := e.store.job(id)
	if err != nil {
		return nil, err
	}
	return e.run(ctx, id, j, tell)
}

// Unfinished lists the trainings that were interrupted.
func (e *Engine) Unfinished(context.Context) ([]ui.Job, error) {
	jobs, err := e.store.jobs()
	return slices.DeleteFunc(jobs, func(j ui.Job) bool {
		release, free := e.store.hold(j.ID)
		release()
		return !free
	}), err
}

// Discard gives an interrupted training up; a model that it has come to stays.
func (e *Engine) Discard(_ context.Context, id string) error { return e.store.discard(id) }

// maxLosses is how often a training goes on on a new device after it lost one.
const maxLosses = 3

// run trains until the end, going on from the last state where there is one,
// also when the adapter goes away meanwhile.
func (e *Engine) run(ctx context.Context, id string, j job, tell func(train.Event)) (*ui.Result, error) {
	release, free := e.store.hold(id)
	if !free {
		return nil, report.Because(fmt.Errorf("the training of %s goes on in another window of Duet", j.Setup.Name), report.Elsewhere, j.Setup.Name)
	}
	defer release()
	stopped := func() bool { return errors.Is(context.Cause(ctx), ui.ErrStopped) }
	for lost := 0; ; lost++ {
		device, err := e.gpu(ctx)
		if err != nil {
			return nil, err
		}
		c, err := e.attempt(ctx, device, id, j, tell)
		steps, begun := e.store.progress(id)
		switch {
		case err == nil || stopped() && ctx.Err() != nil && steps > 0:
			measuring := ctx
			if stopped() { // what was learnt is wanted
				measuring = context.WithoutCancel(ctx)
			}
			return e.finish(measuring, id, j, c, err != nil)
		case ctx.Err() != nil:
			if stopped() || !begun { // nothing has been learnt
				e.store.dropJob(id)
			}
			return nil, fmt.Errorf("%w: %w", train.ErrInterrupted, context.Cause(ctx))
		case errors.Is(err, gpu.ErrLost) && lost < maxLosses:
			if err := e.reopen(ctx, device); err != nil {
				return nil, err
			}
		default:
			if !begun {
				e.store.dropJob(id) // there is nothing to go on with
			}
			return nil, err
		}
	}
}

// attempt trains from the last state on.
func (e *Engine) attempt(ctx context.Context, device *gpu.Device, id string, j job, tell func(train.Event)) (*data.Collection, error) {
	c, err := e.collection(ctx, j.Source)
	if err != nil {
		return nil, err
	}
	o, err := e.options(c, j.Source, j.Setup, j.From)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	o.Out, o.KeepStopped = e.store.path(id), true
	o.Replace = true // what this training itself left there
	_, o.Resume = e.store.progress(id)
	m, err := app.Train(ctx, device, o, tell)
	if err == nil {
		m.Release()
	}
	return c, err
}

// finish measures a model whose training is over. The end of the program leaves
// the training among the unfinished ones, to be measured the next time.
func (e *Engine) finish(ctx context.Context, id string, j job, c *data.Collection, stopped bool) (*ui.Result, error) {
	if err := e.store.name(id, j.Setup.Name); err != nil {
		return nil, err
	}
	result, err := e.measure(ctx, id, c, stopped)
	if err == nil {
		e.store.dropJob(id)
	}
	return result, err
}

// measure evaluates a trained model on what was held back.
func (e *Engine) measure(ctx context.Context, id string, c *data.Collection, stopped bool) (*ui.Result, error) {
	m, err := e.load(ctx, id)
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
			held.File = fileOf(c, x.Picture)
		}
		if len(x.Captions) > 0 {
			held.Caption = x.Captions[0]
		}
		r.Cells[x.Label][answer] = append(r.Cells[x.Label][answer], held)
	}})
	return r, err
}

// load puts a model on the device beside the present one.
func (e *Engine) load(ctx context.Context, id string) (*app.Model, error) {
	files, err := e.store.open(id)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	return onDevice(ctx, e, func(device *gpu.Device) (*app.Model, error) { return app.Load(device, files) })
}

// fileOf is the file of a picture of a collection; a picture in a shard has none.
func fileOf(c *data.Collection, p *data.Picture) ui.File {
	path := p.Name
	if !filepath.IsAbs(path) {
		root := c.Report.Path
		if info, err := os.Stat(root); err == nil && !info.IsDir() { // a table: paths are relative to its folder
			root = filepath.Dir(root)
		}
		path = filepath.Join(root, filepath.FromSlash(path))
	}
	return ui.File{Name: filepath.Base(path), Path: path}
}

// Models lists the models.
func (e *Engine) Models(context.Context) ([]ui.Model, error) { return e.store.list() }

// Import takes a zip or a folder among the models.
func (e *Engine) Import(ctx context.Context, f ui.File) (string, error) {
	files, err := checkpoint.OpenModel(f.Path)
	if err != nil {
		return "", err
	}
	defer files.Close()
	// As it will be used: what cannot be loaded is not kept.
	m, err := onDevice(ctx, e, func(device *gpu.Device) (*app.Model, error) { return app.Load(device, files) })
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

// Export writes a model among the downloads.
func (e *Engine) Export(ctx context.Context, id, format string) (string, error) {
	if format == ui.FormatONNX {
		return e.exportONNX(id)
	}
	m, err := e.load(ctx, id)
	if err != nil {
		return "", err
	}
	defer m.Release()
	where, err := e.exported(id, format)
	if err != nil {
		return "", err
	}
	return where, m.Save(where)
}

// exported is a free place for a model in a format.
func (e *Engine) exported(id, format string) (string, error) {
	models, err := e.store.list()
	return freePath(e.downloads, ui.ExportName(models, id, format)), err
}

func (e *Engine) exportONNX(id string) (string, error) {
	files, err := e.store.open(id)
	if err != nil {
		return "", err
	}
	defer files.Close()
	x, err := app.OpenExport(files)
	if err != nil {
		return "", err
	}
	defer x.Close()
	where, err := e.exported(id, ui.FormatONNX)
	if err != nil {
		return "", err
	}
	return where, x.Save(where, app.ExportONNX, app.PartAll, false)
}

// Close ends all work.
func (e *Engine) Close() {
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
	if e.joined != nil {
		e.joined.Close()
		e.joined = nil
	}
}

var _ ui.Engine = (*Engine)(nil)
