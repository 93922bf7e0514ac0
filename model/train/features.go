package train

import (
	"context"
	"fmt"
	"slices"
	"time"

	"duet/gpu"
	"duet/model"
	"duet/model/data"
	"duet/model/graph"
	"duet/model/nn"
)

// Names under which programs know the tables of features.
const (
	visualTable = "visual_features"
	wordsTable  = "words_features"
)

// features are what frozen towers make of a training's examples. Each picture
// and each text goes through its tower once; the tables stay on the device, and
// steps and validations take rows of them.
type features struct {
	backend gpu.Backend
	model   *model.VLM
	memory  *model.Memory
	input   Input
	batch   int

	pictures map[*data.Picture]uint32 // row of the table; absent where it could not be read
	texts    map[string]uint32        // by caption
	tables   map[string]gpu.Buffer
	shapes   map[string][]int // of the tables
	skipped  []data.Skip

	predictor gpu.Executable // made when first used
	buffers   *model.BatchBuffers
	stale     bool
}

// newFeatures runs the towers over everything that the examples hold; progress
// is told how many of how many pictures and texts are done.
func newFeatures(ctx context.Context, j *Job, batch int, cache *data.Cache, progress func(done, total int)) (*features, error) {
	f := newTables(j.Backend, j.Model, j.Memory, batch)
	f.input = j.Input
	x := model.NewExtractor(j.Backend, j.Model, j.Memory, j.Input.Prep.Size, batch, j.Input.Pad())
	defer x.Release()
	pictures, texts := f.contents(j.Train, j.Val)
	tell := func() { progress(x.Forwards.Pictures+x.Forwards.Texts+len(f.skipped), len(pictures)+len(texts)) }
	err := f.allocate(x, len(pictures), len(texts))
	if err == nil {
		err = f.extractPictures(ctx, x, pictures, cache, tell)
	}
	if err == nil {
		err = f.extractTexts(ctx, x, texts, tell)
	}
	if err != nil {
		f.Release()
		return nil, err
	}
	return f, nil
}

// newTables returns features without any.
func newTables(backend gpu.Backend, m *model.VLM, memory *model.Memory, batch int) *features {
	return &features{backend: backend, model: m, memory: memory, batch: batch, stale: true,
		pictures: map[*data.Picture]uint32{}, texts: map[string]uint32{}, tables: map[string]gpu.Buffer{}, shapes: map[string][]int{}}
}

// contents lists the different pictures, as examples, and texts that the model
// looks at: all captions to train on, the first ones to validate with.
func (f *features) contents(train, val []data.Example) (pictures []data.Example, texts []string) {
	seen := map[*data.Picture]bool{}
	said := map[string]bool{}
	for i, e := range slices.Concat(train, val) {
		if f.model.Visual != nil && !seen[e.Picture] {
			seen[e.Picture] = true
			pictures = append(pictures, data.Example{Picture: e.Picture, Source: e.Source, Label: -1})
		}
		if f.model.Text == nil {
			continue
		}
		captions := e.Captions
		if len(captions) == 0 || i >= len(train) {
			captions = []string{firstCaption(e)}
		}
		for _, s := range captions {
			if !said[s] {
				said[s] = true
				texts = append(texts, s)
			}
		}
	}
	return pictures, texts
}

// allocate makes the tables.
func (f *features) allocate(x *model.Extractor, pictures, texts int) error {
	if f.model.Visual != nil {
		shape, err := x.VisualShape()
		if err == nil {
			err = f.table(visualTable, pictures, shape)
		}
		if err != nil {
			return err
		}
	}
	if f.model.Text != nil {
		return f.table(wordsTable, texts, []int{f.model.Shape.Text.Hidden})
	}
	return nil
}

// table allocates a table of rows.
func (f *features) table(name string, rows int, shape []int) error {
	bytes, limit := gpu.Bytes(rows*product(shape)), f.backend.Info().Limits
	if most := min(limit.StorageBinding, limit.BufferSize); bytes > most {
		return fmt.Errorf("train: what the towers make of %d pictures or texts takes %s at once, and this adapter allows %s; train more than the head (--tune last), which keeps nothing, or on fewer pictures",
			rows, gpu.Size(bytes), gpu.Size(most))
	}
	b, err := f.backend.NewBuffer(name, bytes)
	if err != nil {
		return err
	}
	f.shapes[name], f.tables[name] = append([]int{rows}, shape...), b
	return nil
}

func (f *features) extractPictures(ctx context.Context, x *model.Extractor, pictures []data.Example, cache *data.Cache, tell func()) error {
	if len(pictures) == 0 {
		return nil
	}
	row := product(f.shapes[visualTable][1:])
	loader, err := data.NewLoader(pictures, f.input.Prep, data.LoaderOptions{Batch: f.batch, Cache: cache})
	if err != nil {
		return err
	}
	next := 0
	for b, err := range loader.Epoch(ctx, 0, 0) {
		if err != nil {
			return err
		}
		values, err := x.Visual(ctx, b.Pixels, b.N)
		if err != nil {
			return err
		}
		if err := f.tables[visualTable].Write(int64(next*row)*4, model.Bytes(values)); err != nil {
			return err
		}
		for i := range b.N {
			f.pictures[pictures[b.Index[i]].Picture] = uint32(next + i)
		}
		next += b.N
		f.skipped = loader.Skipped()
		tell()
	}
	return nil
}

func (f *features) extractTexts(ctx context.Context, x *model.Extractor, texts []string, tell func()) error {
	if len(texts) == 0 {
		return nil
	}
	row := f.model.Shape.Text.Hidden
	// Short ones first: a batch is as long as its longest.
	tokens := make(map[string][]int32, len(texts))
	for _, s := range texts {
		tokens[s] = f.input.Encode(s)
	}
	slices.SortStableFunc(texts, func(a, b string) int { return len(tokens[a]) - len(tokens[b]) })
	for from := 0; from < len(texts); from += f.batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		some := texts[from:min(from+f.batch, len(texts))]
		var encoded [][]int32
		for i, s := range some {
			f.texts[s] = uint32(from + i)
			encoded = append(encoded, tokens[s])
		}
		values, err := x.Words(ctx, encoded)
		if err != nil {
			return err
		}
		if err := f.tables[wordsTable].Write(int64(from*row)*4, model.Bytes(values)); err != nil {
			return err
		}
		tell()
	}
	return nil
}

// usable returns the labelled examples whose pictures could be read, without
// the pictures, since nothing needs to be decoded again, their rows, and their
// places among the given ones.
func (f *features) usable(examples []data.Example) (rows []uint32, out []data.Example, places []int) {
	for i, e := range examples {
		row, ok := f.pictures[e.Picture]
		if !ok && f.model.Visual != nil || e.Label < 0 {
			continue
		}
		e.Picture = nil
		rows, out, places = append(rows, row), append(out, e), append(places, i)
	}
	return rows, out, places
}

// inputs declares the rows of a batch of b examples and returns their features.
func (f *features) inputs(g *graph.Graph, b int) model.Features {
	take := func(table, rows string) graph.Tensor {
		shape := f.shapes[table]
		x := g.Embedding(g.Input(rows, b), g.Input(table, shape[0], product(shape[1:])))
		return x.Reshape(append([]int{b}, shape[1:]...)...)
	}
	var in model.Features
	if f.model.Visual != nil {
		in.Visual = take(visualTable, "picture_rows")
	}
	if f.model.Text != nil {
		in.Words = take(wordsTable, "text_rows")
	}
	return in
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// externals adds the tables to the buffers of a program.
func (f *features) externals(buffers *model.BatchBuffers) map[string]gpu.Buffer {
	all := f.memory.Externals(buffers.Buffers)
	for name, b := range f.tables {
		all[name] = b
	}
	return all
}

// Run validates on examples, as [Evaluator.Run] does; nothing can be hidden.
func (f *features) Run(ctx context.Context, examples []data.Example, _ Hide, each func(Answer)) (Result, error) {
	if err := f.prepare(ctx); err != nil {
		return Result{}, err
	}
	classes := f.model.Shape.Classes
	result := newResult(classes)
	result.Skipped = f.skipped
	rows, examples, places := f.usable(examples)
	logits := make([]float32, f.batch*classes)
	for from := 0; from < len(examples); from += f.batch {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		some := examples[from:min(from+f.batch, len(examples))]
		batch := model.Batch{Targets: make([]int32, f.batch), PictureRows: make([]uint32, f.batch), TextRows: make([]uint32, f.batch)}
		for i, e := range some {
			batch.PictureRows[i] = rows[from+i]
			batch.TextRows[i] = f.texts[firstCaption(e)]
		}
		if err := f.buffers.Write(batch, 0); err != nil {
			return result, err
		}
		if err := f.predictor.Run(ctx); err != nil {
			return result, err
		}
		if err := f.buffers.Buffers["logits"].Read(0, model.Bytes(logits)); err != nil {
			return result, err
		}
		for i, e := range some {
			p := slices.Clone(logits[i*classes : (i+1)*classes])
			tally(&result, p, e.Label)
			if each != nil {
				each(Answer{Index: places[from+i], Label: e.Label, Probabilities: p})
			}
		}
	}
	if result.N == 0 {
		return result, fmt.Errorf("train: no picture for validation can be read")
	}
	finish(&result)
	return result, nil
}

func firstCaption(e data.Example) string {
	if len(e.Captions) == 0 {
		return ""
	}
	return e.Captions[0]
}

// prepare compiles the program of validations.
func (f *features) prepare(ctx context.Context) error {
	if f.predictor == nil {
		g, err := graph.Build(func(g *graph.Graph) {
			g.Output("logits", f.model.Head(f.inputs(g, f.batch), &nn.Mode{}).Logits)
		})
		if err != nil {
			return err
		}
		program, err := g.Lower("prediction from features", f.backend.Info().Target)
		if err != nil {
			return err
		}
		if f.buffers, err = model.NewRowBuffers(f.backend, f.model, f.batch); err != nil {
			return err
		}
		if f.predictor, err = f.backend.Compile(program, f.externals(f.buffers)); err != nil {
			f.buffers.Release()
			f.buffers = nil
			return err
		}
	}
	if !f.stale {
		return nil
	}
	f.stale = false
	return f.predictor.Setup(ctx)
}

// Refresh tells that the weights have changed.
func (f *features) Refresh() { f.stale = true }

// Release frees the tables and the program.
func (f *features) Release() {
	if f.predictor != nil {
		f.predictor.Release()
		f.buffers.Release()
		f.predictor = nil
	}
	for _, b := range f.tables {
		b.Release()
	}
	clear(f.tables)
}

// seldom calls f at most four times a second, and when done is total.
func seldom(f func(done, total int)) func(done, total int) {
	var last time.Time
	return func(done, total int) {
		if now := time.Now(); done == total || now.Sub(last) >= time.Second/4 {
			last = now
			f(done, total)
		}
	}
}
