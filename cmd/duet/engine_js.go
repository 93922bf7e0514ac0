package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"sync"
	"syscall/js"

	"duet/app"
	"duet/assets"
	"duet/gpu"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/data"
)

// An engine owns the device and the model of a tab.
type engine struct {
	opened chan struct{} // closed when device or fault is set
	device *gpu.Device
	fault  error // why there is no device
	flaw   error // why the default model is not on it

	mu         sync.Mutex // of the model
	model      *app.Model // nil: none yet
	classifier *app.Classifier
	files      func() (*checkpoint.Model, error) // opens the model's files again
	loads      int                               // counts the models that were in use

	asked asked
	given *given // the files that the page named last

	benches  benches    // of bench.html
	training sync.Mutex // one at a time
	stopping sync.Mutex // of what follows
	cancel   context.CancelCauseFunc
	ended    chan struct{}
}

// open opens the best adapter and puts the default model on it. A device that
// cannot hold it may still train a smaller one.
func (e *engine) open(ctx context.Context) {
	defer close(e.opened)
	e.device, e.fault = gpu.Open(ctx, gpu.Options{SelfTest: true, SubmitCap: gpu.SharedSubmitCap, DefaultLimits: defaultLimits()}) // the page draws on it, too
	if e.fault != nil {
		e.fault = whyNoDevice(ctx, e.fault)
		return
	}
	e.flaw = e.use(func() (*checkpoint.Model, error) { return app.OpenFiles(app.Default) }, app.Default, model.WeightsF32)
}

// heap is the most that the engine's heap has taken.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys
}

// defaultLimits tells that the page wants no more of the adapter than every one
// offers: it was opened with ?limits=default, and has named the worker so.
func defaultLimits() bool {
	return strings.Contains(js.Global().Get("name").String(), "limits=default")
}

// whyNoDevice gives the error of a device that did not open its code.
func whyNoDevice(ctx context.Context, err error) error {
	if errors.Is(err, gpu.ErrLost) { // no sooner than it was opened
		return err
	}
	if secure := js.Global().Get("isSecureContext"); secure.Type() == js.TypeBoolean && !secure.Bool() {
		return fail("insecure", err)
	}
	if navigator := js.Global().Get("navigator"); !navigator.Truthy() || !navigator.Get("gpu").Truthy() {
		return fail("no-webgpu", err)
	}
	adapters, listing := gpu.Adapters(ctx)
	switch {
	case listing == nil && len(adapters) == 0:
		return fail("no-adapter", err)
	case listing == nil && adapters[0].Limits.Lacks(gpu.DefaultLimits()) != nil:
		return fail("limit", err)
	}
	return fail("device", err)
}

// use puts a model on the device in place of the present one, which stays where
// the new one cannot be loaded.
func (e *engine) use(files func() (*checkpoint.Model, error), name, weights string) error {
	opened, err := files()
	if err != nil {
		return err
	}
	defer opened.Close()
	m, err := app.LoadPacked(e.device, opened, weights)
	if err != nil {
		return err
	}
	m.Name = name
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		e.classifier.Release()
		e.model.Release()
	}
	e.model, e.classifier, e.files = m, app.NewClassifier(m), files
	e.loads++
	return nil
}

// usable locks the model until release is called.
func (e *engine) usable() (release func(), err error) {
	e.mu.Lock()
	if e.model == nil {
		e.mu.Unlock()
		return nil, fail("no-model", fmt.Errorf("the default model could not be loaded, so train one or load one first: %w", e.flaw))
	}
	return e.mu.Unlock, nil
}

// info describes the adapter and the model.
func (e *engine) info(request) (any, error) {
	i := e.device.Info()
	answer := struct {
		Adapter string           `json:"adapter"`
		Class   gpu.Class        `json:"class"`
		Vendor  string           `json:"vendor"`
		Limits  gpu.Limits       `json:"limits"`
		Bytes   int64            `json:"gpu_bytes"`
		Heap    uint64           `json:"heap_bytes"` // of the engine at most; a WebAssembly memory never shrinks
		Model   *app.Description `json:"model"`
	}{Adapter: i.Name, Class: i.Class, Vendor: i.Vendor, Limits: i.Limits, Bytes: e.device.Allocated().Total(), Heap: heap()}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		d, err := app.Describe(e.model.Name, e.model.Config)
		if err != nil {
			return nil, err
		}
		if files, err := e.files(); err == nil {
			d.Card = app.Card(files)
			files.Close()
		}
		answer.Model = &d
	}
	return answer, nil
}

// classify answers for a picture (a Blob) and its words.
func (e *engine) classify(r request) (any, error) {
	o := struct {
		Top       int    `json:"top"`
		Inputs    string `json:"inputs"`
		MaxPixels int    `json:"maxPixels"`
	}{Top: 5}
	if err := options(r.arg(2), &o); err != nil {
		return nil, err
	}
	caption, name := "", ""
	if r.arg(1).Type() == js.TypeString {
		caption = r.arg(1).String()
	}
	var picture *data.Image
	switch o.Inputs {
	case "", "both", "image", "text":
	default:
		return nil, fail("options", fmt.Errorf("inputs %q; known are both, image and text", o.Inputs))
	}
	if blob := r.arg(0); o.Inputs != "text" {
		if !isBlob(blob) {
			return nil, fail("not-a-picture", errors.New("the picture must be a Blob or a File"))
		}
		name = blobName(blob)
		content := data.Blob{Value: blob}
		var err error
		if picture, err = data.Decode(content, content.Size(), o.MaxPixels); err != nil {
			return nil, fail("not-a-picture", data.Unreadable(err, name))
		}
	}
	if o.Inputs == "image" {
		caption = ""
	}
	release, err := e.usable()
	if err != nil {
		return nil, err
	}
	defer release()
	return e.classifier.Classify(r.ctx, name, picture, caption, o.Top)
}

// load takes a model: a Blob of a zip, or "default".
func (e *engine) load(r request) (any, error) {
	blob := r.arg(0)
	var o struct {
		Weights string `json:"weights"`
	}
	if err := options(r.arg(1), &o); err != nil {
		return nil, err
	}
	if err := model.CheckWeights(o.Weights); err != nil {
		return nil, fail("options", err)
	}
	if blob.Type() == js.TypeString && blob.String() == app.Default {
		if err := e.use(func() (*checkpoint.Model, error) { return app.OpenFiles(app.Default) }, app.Default, o.Weights); err != nil {
			return nil, fail("not-a-model", err)
		}
		return e.info(r)
	}
	if !isBlob(blob) {
		return nil, fail("not-a-model", errors.New("the model must be a Blob or a File: a zip of a model's folder"))
	}
	name := blobName(blob)
	if name == "" {
		name = "model.zip"
	}
	if err := e.use(zipped(blob, name), name, o.Weights); err != nil {
		return nil, fail("not-a-model", err)
	}
	return e.info(r)
}

// zipped opens a Blob of a model.
func zipped(blob js.Value, name string) func() (*checkpoint.Model, error) {
	content := data.Blob{Value: blob}
	return func() (*checkpoint.Model, error) { return checkpoint.OpenModelZip(content, content.Size(), name) }
}

// beside puts the model of a Blob on the device beside the tab's.
func (e *engine) beside(blob js.Value) (*app.Model, error) {
	files, err := zipped(blob, cmp.Or(blobName(blob), "model.zip"))()
	if err != nil {
		return nil, fail("not-a-model", err)
	}
	defer files.Close()
	m, err := app.Load(e.device, files)
	if err != nil {
		return nil, fail("not-a-model", err)
	}
	return m, nil
}

// inspect tells what the model of a Blob is, by loading it.
func (e *engine) inspect(r request) (any, error) {
	if !isBlob(r.arg(0)) {
		return nil, fail("not-a-model", errors.New("the model must be a Blob or a File: a zip of a model's folder"))
	}
	m, err := e.beside(r.arg(0))
	if err != nil {
		return nil, err
	}
	defer m.Release()
	d, err := app.Describe(blobName(r.arg(0)), m.Config)
	if files, opening := zipped(r.arg(0), d.Name)(); opening == nil {
		d.Card = app.Card(files)
		files.Close()
	}
	return d, err
}

// export gives a model as a Blob: the tab's, that of a Blob, or the "default"
// one; as a zip, or in another format of [app.Export].
func (e *engine) export(r request) (any, error) {
	format := app.ExportHF
	if f := r.arg(1); f.Type() == js.TypeString {
		format = f.String()
	}
	var open func() (*checkpoint.Model, error)
	switch from := r.arg(0); {
	case from.Type() == js.TypeString && from.String() == app.Default:
		open = func() (*checkpoint.Model, error) { return app.OpenFiles(app.Default) }
	case isBlob(from):
		open = zipped(from, cmp.Or(blobName(from), "model.zip"))
	default:
		release, err := e.usable()
		if err != nil {
			return nil, err
		}
		if e.model.Packed() { // what lies on the device is not exact
			open = e.files
			release()
			break
		}
		zip, err := newBlob("application/zip", e.model.WriteZip)
		release()
		if err != nil || format == app.ExportHF {
			return zip, err
		}
		open = zipped(zip, "model.zip")
	}
	files, err := open()
	if err != nil {
		return nil, fail("not-a-model", err)
	}
	defer files.Close()
	x, err := app.OpenExport(files)
	if err != nil {
		return nil, fail("not-a-model", err)
	}
	defer x.Close()
	kind := "application/octet-stream"
	if format == app.ExportHF {
		kind = "application/zip"
	}
	return newBlob(kind, func(w io.Writer) error { return x.Write(w, format, app.PartAll) })
}

// dataOptions say how to read a collection, as the command line's flags do.
type dataOptions struct {
	Name        string `json:"name"` // of the collection, for the model card
	ClassLevel  int    `json:"classLevel"`
	LabelColumn string `json:"labelColumn"`
	TextColumn  string `json:"textColumn"`
	MaxPixels   int    `json:"maxPixels"`
}

// collection opens the files of a request and tells what was inferred. What it
// returns is the caller's to change.
func (e *engine) collection(ctx context.Context, r request, o dataOptions) (*data.Collection, error) {
	if r.given == nil {
		return nil, fail("files", errors.New("no files were given"))
	}
	c, err := r.given.open(ctx, o)
	if err != nil {
		return nil, err
	}
	r.event(struct {
		Event  string       `json:"event"`
		Report *data.Report `json:"report"`
	}{"collection", &c.Report})
	return c, nil
}

// evaluate measures the model on a collection.
func (e *engine) evaluate(r request) (any, error) {
	var o struct {
		dataOptions
		Split  string `json:"split"`
		Inputs string `json:"inputs"`
		Ablate bool   `json:"ablate"`
		Batch  int    `json:"batch"`
		Cells  bool   `json:"cells"`
	}
	if err := options(r.arg(1), &o); err != nil {
		return nil, err
	}
	c, err := e.collection(r.ctx, r, o.dataOptions)
	if err != nil {
		return nil, err
	}
	var measured *app.Model
	if blob := r.arg(2); isBlob(blob) { // another model than the tab's
		if measured, err = e.beside(blob); err != nil {
			return nil, err
		}
		defer measured.Release()
	} else {
		release, err := e.usable()
		if err != nil {
			return nil, err
		}
		defer release()
		measured = e.model
	}
	// A cell is an example in the table of confusions.
	type cell struct {
		Truth   int    `json:"truth"`
		Answer  int    `json:"answer"`
		File    string `json:"file"`
		Caption string `json:"caption"`
	}
	result := struct {
		*app.Evaluation
		Cells []cell `json:"cells,omitempty"`
	}{}
	each := func(x data.Example, answer int) {
		y := cell{Truth: x.Label, Answer: answer}
		if x.Picture != nil {
			y.File = path.Join(c.Report.Path, x.Picture.Name)
		}
		if len(x.Captions) > 0 {
			y.Caption = x.Captions[0]
		}
		result.Cells = append(result.Cells, y)
	}
	if !o.Cells {
		each = nil
	}
	result.Evaluation, err = app.Evaluate(r.ctx, measured, app.EvaluateOptions{Collection: c, Split: o.Split, Inputs: o.Inputs, Ablate: o.Ablate, Batch: o.Batch, Each: each})
	return result, err
}

// estimate tells what a training would take, without training.
func (e *engine) estimate(r request) (any, error) {
	var o trainOptions
	if err := options(r.arg(1), &o); err != nil {
		return nil, err
	}
	prepared, err := e.trainOptions(o, r.arg(2), "")
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	if prepared.Collection, err = e.collection(r.ctx, r, o.dataOptions); err != nil {
		return nil, err
	}
	speed, err := e.speed(r, prepared, o)
	if err != nil {
		return nil, err
	}
	estimate, err := app.EstimateTraining(r.ctx, e.device.Info(), prepared, speed)
	if err != nil {
		return nil, fail("options", err)
	}
	return struct {
		Bytes      int64   `json:"bytes"`
		Memory     int64   `json:"device_bytes,omitempty"`
		Parameters int     `json:"parameters"`
		Trained    int     `json:"trained"`
		Steps      int     `json:"steps"`
		Seconds    float64 `json:"seconds,omitempty"`
	}{estimate.Bytes, estimate.Memory, estimate.Parameters, estimate.Trained, estimate.Steps, estimate.Time.Seconds()}, nil
}

// speed measures, once for files and a model, how fast a training from the model
// would be; nil where there is none to measure.
func (e *engine) speed(r request, o app.TrainOptions, named trainOptions) (*app.Speed, error) {
	if o.Init == nil || o.Config != nil {
		return nil, nil
	}
	e.mu.Lock()
	key := fmt.Sprint(named.Init, e.loads)
	e.mu.Unlock()
	g := r.given
	g.measuring.Lock()
	defer g.measuring.Unlock()
	if g.measured == key {
		return &g.speed, nil
	}
	m, err := app.Load(e.device, o.Init)
	if err != nil {
		return nil, err
	}
	defer m.Release()
	if g.speed, err = app.MeasureSpeed(r.ctx, m, o.Collection, 1); err != nil {
		return nil, err
	}
	g.measured = key
	return &g.speed, nil
}

// check opens a collection and tells what was inferred, without training.
func (e *engine) check(r request) (any, error) {
	var o dataOptions
	if err := options(r.arg(1), &o); err != nil {
		return nil, err
	}
	c, err := e.collection(r.ctx, r, o)
	if err != nil {
		return nil, err
	}
	return &c.Report, nil
}

// maxSample bounds a collection that is drawn in the tab: it is kept in memory.
const maxSample = 50_000

// sample draws a collection and gives its files as [{path, blob}].
func (e *engine) sample(r request) (any, error) {
	o := struct {
		N    int    `json:"n"`
		Seed uint64 `json:"seed"`
		Task string `json:"task"`
		Size int    `json:"size"`
	}{N: 1000, Seed: 1, Task: assets.DefaultTask, Size: assets.DefaultSize}
	if err := options(r.arg(0), &o); err != nil {
		return nil, err
	}
	if o.N > maxSample {
		return nil, fail("options", fmt.Errorf("%d rows; a tab draws at most %d", o.N, maxSample))
	}
	list := js.Global().Get("Array").New()
	_, err := assets.DrawCollection(r.ctx, o.Task, o.N, o.Seed, o.Size, func(name string, content []byte) error {
		array := js.Global().Get("Uint8Array").New(len(content))
		js.CopyBytesToJS(array, content)
		list.Call("push", map[string]any{"path": "shapes/" + name, "blob": js.Global().Get("Blob").New([]any{array})})
		return nil
	})
	if err != nil {
		return nil, fail("options", err)
	}
	return list, nil
}
