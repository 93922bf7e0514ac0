package model

import (
	"context"
	"fmt"

	"duet/gpu"
	"duet/model/graph"
	"duet/model/nn"
)

// An Extractor runs the towers of a placed model alone, each on its own: what
// they make of a picture or of words is what the head of a training with frozen
// towers takes again and again, and what a search compares.
type Extractor struct {
	model   *VLM
	memory  *Memory
	backend gpu.Backend
	size    int
	batch   int
	pad     int32

	visual *extraction
	text   map[int]*extraction // by text length

	// Forwards counts the pictures and the texts that went through the towers.
	Forwards struct{ Pictures, Texts int }
}

// An extraction is the program of one tower.
type extraction struct {
	executable gpu.Executable
	buffers    *BatchBuffers
	row        int // values of one picture's or text's features
}

// NewExtractor prepares batches of up to batch pictures of size×size, or texts;
// pad is the tokenizer's padding id.
func NewExtractor(backend gpu.Backend, m *VLM, memory *Memory, size, batch int, pad int32) *Extractor {
	return &Extractor{model: m, memory: memory, backend: backend, size: size, batch: batch, pad: pad, text: map[int]*extraction{}}
}

// VisualShape is the shape of one picture's features, see [Features].
func (x *Extractor) VisualShape() ([]int, error) {
	var shape []int
	_, err := graph.Build(func(g *graph.Graph) {
		shape = x.model.VisualFeatures(g.Input("pictures", 1, x.size, x.size, 4), &nn.Mode{}).Shape()[1:]
	})
	return shape, err
}

// Visual returns the features of the first n pictures of a batch [batch size
// size 4], one after the other.
func (x *Extractor) Visual(ctx context.Context, pixels []float32, n int) ([]float32, error) {
	if err := x.compileVisual(); err != nil {
		return nil, err
	}
	if err := x.visual.buffers.Buffers["pictures"].Write(0, Bytes(pixels)); err != nil {
		return nil, err
	}
	x.Forwards.Pictures += n
	return x.visual.run(ctx, n)
}

// Words returns the features of at most batch texts, each with its special tokens.
func (x *Extractor) Words(ctx context.Context, tokens [][]int32) ([]float32, error) {
	if len(tokens) > x.batch {
		return nil, fmt.Errorf("model: a batch of %d texts, want at most %d", len(tokens), x.batch)
	}
	all := make([][]int32, x.batch)
	copy(all, tokens)
	t := max(TextLength(all, x.model.MaxTokens()), min(lengths[0], x.model.MaxTokens()))
	if err := x.compileText(t); err != nil {
		return nil, err
	}
	e := x.text[t]
	if err := e.buffers.writeText(all, x.pad); err != nil {
		return nil, err
	}
	x.Forwards.Texts += len(tokens)
	return e.run(ctx, len(tokens))
}

// Rehearse compiles the text tower for t tokens, or for 0 the image tower, ahead
// of its first use.
func (x *Extractor) Rehearse(t int) error {
	if t == 0 {
		return x.compileVisual()
	}
	return x.compileText(t)
}

func (x *Extractor) compileVisual() (err error) {
	if x.visual == nil {
		x.visual, err = x.compile("features of pictures", map[string]int{"pictures": pictureWords(x.batch, x.size)}, 0, func(g *graph.Graph) graph.Tensor {
			return x.model.VisualFeatures(g.Input("pictures", x.batch, x.size, x.size, 4), &nn.Mode{})
		})
	}
	return err
}

func (x *Extractor) compileText(t int) error {
	if x.text[t] != nil {
		return nil
	}
	words := map[string]int{}
	addTextWords(words, x.batch, t)
	e, err := x.compile(fmt.Sprintf("features of texts, %d tokens", t), words, t, func(g *graph.Graph) graph.Tensor {
		return x.model.TextFeatures(x.model.textInputs(g, x.batch, t), &nn.Mode{})
	})
	if err == nil {
		x.text[t] = e
	}
	return err
}

// compile builds the program of a tower; words are the sizes of its inputs.
func (x *Extractor) compile(name string, words map[string]int, t int, build func(g *graph.Graph) graph.Tensor) (*extraction, error) {
	e := &extraction{}
	g, err := graph.Build(func(g *graph.Graph) {
		y := build(g)
		e.row = y.Len() / x.batch
		g.Output("features", y)
	})
	if err != nil {
		return nil, err
	}
	program, err := g.Lower(name, x.backend.Info().Target)
	if err != nil {
		return nil, err
	}
	words["features"] = x.batch * e.row
	if e.buffers, err = newBatchBuffers(x.backend, words, x.batch, 1, x.size, t); err != nil {
		return nil, err
	}
	if e.executable, err = x.backend.Compile(program, x.memory.Externals(e.buffers.Buffers)); err != nil {
		e.buffers.Release()
		return nil, fmt.Errorf("model: compiling %s: %w", name, err)
	}
	// The towers are frozen: what is folded from their weights stays.
	if err := e.executable.Setup(context.Background()); err != nil {
		e.release()
		return nil, err
	}
	return e, nil
}

func (e *extraction) release() {
	e.executable.Release()
	e.buffers.Release()
}

func (e *extraction) run(ctx context.Context, n int) ([]float32, error) {
	if err := e.executable.Run(ctx); err != nil {
		return nil, err
	}
	y := make([]float32, n*e.row)
	return y, e.buffers.Buffers["features"].Read(0, Bytes(y))
}

// Release frees the programs; the model's memory stays.
func (x *Extractor) Release() {
	if x.visual != nil {
		x.visual.release()
	}
	for _, e := range x.text {
		e.release()
	}
	x.visual = nil
	clear(x.text)
}
