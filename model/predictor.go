package model

import (
	"context"
	"fmt"
	"math"

	"duet/gpu"
	"duet/model/graph"
	"duet/model/nn"
)

// A Predictor runs a model forwards, with frozen batch-norm folded into the
// convolutions. It compiles one program for each padded text length.
type Predictor struct {
	model   *VLM
	memory  *Memory
	backend gpu.Backend
	size    int
	batch   int
	pad     int32

	programs map[int]*predictorProgram
}

type predictorProgram struct {
	executable gpu.Executable
	inputs     *BatchBuffers
	stale      bool // the weights have changed since set-up
}

// NewPredictor prepares prediction of batches of up to batch pictures of
// size×size by a placed model; pad is the tokenizer's padding id.
func NewPredictor(backend gpu.Backend, m *VLM, memory *Memory, size, batch int, pad int32) *Predictor {
	return &Predictor{model: m, memory: memory, backend: backend, size: size, batch: batch, pad: pad, programs: map[int]*predictorProgram{}}
}

// Program builds the program for texts padded to t tokens; it needs no device.
func (p *Predictor) Program(t int) (*gpu.Program, error) {
	g, err := graph.Build(func(g *graph.Graph) {
		out := p.model.Forward(p.model.NewInputs(g, p.batch, 1, p.size, t), &nn.Mode{})
		g.Output("logits", out.Logits)
	})
	if err != nil {
		return nil, err
	}
	return g.Lower(fmt.Sprintf("prediction, %d tokens", t), p.backend.Info().Target)
}

func (p *Predictor) compiled(t int) (*predictorProgram, error) {
	if x := p.programs[t]; x != nil {
		return x, nil
	}
	program, err := p.Program(t)
	if err != nil {
		return nil, err
	}
	inputs, err := NewBatchBuffers(p.backend, p.model, p.batch, 1, p.size, t)
	if err != nil {
		return nil, err
	}
	x, err := p.backend.Compile(program, p.memory.Externals(inputs.Buffers))
	if err != nil {
		inputs.Release()
		return nil, fmt.Errorf("model: compiling prediction for %d tokens: %w", t, err)
	}
	p.programs[t] = &predictorProgram{x, inputs, true}
	return p.programs[t], nil
}

// Rehearse compiles the program for texts of t tokens, if need be, ahead of its
// first use.
func (p *Predictor) Rehearse(t int) error {
	_, err := p.compiled(t)
	return err
}

// Refresh tells that the weights have changed, so that what was folded from
// them is computed anew.
func (p *Predictor) Refresh() {
	for _, x := range p.programs {
		x.stale = true
	}
}

// Logits returns [n Classes] for a batch of n ≤ batch examples; the batch's
// Targets are not used.
func (p *Predictor) Logits(ctx context.Context, b Batch, n int) ([]float32, error) {
	if n < 1 || n > p.batch {
		return nil, fmt.Errorf("model: a batch of %d examples, want 1 to %d", n, p.batch)
	}
	tokens := make([][]int32, p.batch)
	copy(tokens, b.Tokens)
	t := 0
	if p.model.Text != nil {
		t = max(TextLength(tokens, p.model.MaxTokens()), min(lengths[0], p.model.MaxTokens()))
	}
	x, err := p.compiled(t)
	if err != nil {
		return nil, err
	}
	full := Batch{Tokens: tokens, Targets: make([]int32, p.batch)}
	if p.model.Visual != nil {
		full.Pictures = make([]float32, p.batch*p.size*p.size*4)
		copy(full.Pictures, b.Pictures)
	}
	if err := x.inputs.Write(full, p.pad); err != nil {
		return nil, err
	}
	if x.stale {
		if err := x.executable.Setup(ctx); err != nil {
			return nil, err
		}
		x.stale = false
	}
	if err := x.executable.Run(ctx); err != nil {
		return nil, err
	}
	logits := make([]float32, n*p.model.Shape.Classes)
	return logits, x.inputs.Buffers["logits"].Read(0, Bytes(logits))
}

// Plan returns the memory plan for texts padded to t tokens; it allocates
// nothing on the device.
func (p *Predictor) Plan(t int) (*gpu.Plan, error) {
	if x := p.programs[t]; x != nil {
		return x.executable.Plan(), nil
	}
	program, err := p.Program(t)
	if err != nil {
		return nil, err
	}
	return gpu.NewPlan(program)
}

// Release frees the programs; the model's memory stays.
func (p *Predictor) Release() {
	for _, x := range p.programs {
		x.executable.Release()
		x.inputs.Release()
	}
	clear(p.programs)
}

// MaxTokens returns how many tokens the text tower takes, special ones
// included; 0 without one.
func (m *VLM) MaxTokens() int {
	if m.Text == nil {
		return 0
	}
	return m.Shape.Text.Positions - m.Shape.Text.Pad - 1
}

// Softmax turns logits into probabilities, in place.
func Softmax(logits []float32) {
	top := float32(math.Inf(-1))
	for _, x := range logits {
		top = max(top, x)
	}
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x - top))
	}
	for i, x := range logits {
		logits[i] = float32(math.Exp(float64(x-top)) / sum)
	}
}
