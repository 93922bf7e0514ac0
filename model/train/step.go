package train

import (
	"context"
	"fmt"
	"math"

	"duet/gpu"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
)

// A Step is a compiled training step of a model: forward, backward, gradient
// clipping and Adam in one program for each padded text length. Its memory is
// known before anything is allocated, see [Step.Plan].
type Step struct {
	model   *model.VLM
	memory  *model.Memory
	backend gpu.Backend
	recipe  Recipe
	size    int // picture side
	batch   int // examples
	per     int // examples a picture
	total   int // steps of the schedule
	pad     int32

	features *features // of frozen towers, where these do not run

	programs map[int]*stepProgram // by text length
	step     int                  // steps done
	read     int                  // losses read so far
}

type stepProgram struct {
	program    *gpu.Program
	executable gpu.Executable
	inputs     *model.BatchBuffers
}

// ring is the number of losses kept on the device between two reads.
const ring = 64

// NewStep prepares training of a placed model for batches of recipe.Batch
// pictures of size×size, each with recipe.PerPicture examples, in a schedule of
// total steps. pad is the tokenizer's
// padding id.
func NewStep(backend gpu.Backend, m *model.VLM, memory *model.Memory, recipe Recipe, size, total int, pad int32) (*Step, error) {
	s := &Step{model: m, memory: memory, backend: backend, recipe: recipe, size: size, batch: recipe.Batch * recipe.perPicture(m), per: recipe.perPicture(m), total: total, pad: pad, programs: map[int]*stepProgram{}}
	if err := AllocateOptimizer(memory); err != nil {
		return nil, err
	}
	for name, words := range map[string]int{"rng": 4, "losses": ring} {
		if _, err := memory.Allocate(name, words); err != nil {
			return nil, err
		}
	}
	return s, s.placeOptimizer()
}

// AllocateOptimizer adds the arenas of gradients and of Adam's moments, zeroed,
// to a model's memory; those that are there stay as they are, so that moments
// may be loaded before a [Step] is made.
func AllocateOptimizer(memory *model.Memory) error {
	for _, a := range memory.Arenas {
		if !isWeights(a.Name) {
			continue
		}
		for _, kind := range []string{nn.Grads, nn.MomentM, nn.MomentV} {
			if name := sibling(kind, a.Name); memory.Buffer(name) == nil {
				if _, err := memory.Allocate(name, a.Words); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func isWeights(arena string) bool {
	return len(arena) > len(nn.Weights) && arena[:len(nn.Weights)] == nn.Weights
}

// Program builds the program for texts padded to t tokens (0 without words); it
// needs no device.
func (s *Step) Program(t int) (*gpu.Program, error) {
	var lowered *gpu.Program
	g, err := graph.Build(func(g *graph.Graph) {
		mode := &nn.Mode{Train: true, Dropout: float32(s.recipe.Dropout), RNG: g.Input("rng", 4)}
		if s.recipe.BatchNorm == "batch" {
			mode.BatchStats, mode.Momentum = true, 0.1
		}
		var out model.Outputs
		if s.features != nil {
			out = s.model.Head(s.features.inputs(g, s.batch), mode)
		} else {
			out = s.model.Forward(s.model.NewInputs(g, s.batch, s.per, s.size, t), mode)
		}
		loss := graph.CrossEntropy{Smoothing: float32(s.recipe.LabelSmoothing)}.Loss(out.Logits, g.Input("targets", s.batch))
		g.Output("loss", loss)
		s.model.Params.StoreGradients(g, loss)
	})
	if err != nil {
		return nil, err
	}
	if lowered, err = g.Lower(fmt.Sprintf("training step, %d tokens", t), s.backend.Info().Target); err != nil {
		return nil, err
	}
	s.addOptimizer(lowered)
	return lowered, nil
}

// external returns the view of an external buffer of a program, declared if
// the program does not have it yet.
func external(p *gpu.Program, name string, words int) gpu.View {
	for i, b := range p.Buffers {
		if b.Kind == gpu.External && b.Name == name {
			return gpu.View{Buffer: i, Size: b.Size}
		}
	}
	return p.External(name, words)
}

func (s *Step) compiled(t int) (*stepProgram, error) {
	if p := s.programs[t]; p != nil {
		return p, nil
	}
	program, err := s.Program(t)
	if err != nil {
		return nil, err
	}
	var inputs *model.BatchBuffers
	var externals map[string]gpu.Buffer
	if s.features != nil {
		if inputs, err = model.NewRowBuffers(s.backend, s.model, s.batch); err == nil {
			externals = s.features.externals(inputs)
		}
	} else if inputs, err = model.NewBatchBuffers(s.backend, s.model, s.batch, s.per, s.size, t); err == nil {
		externals = s.memory.Externals(inputs.Buffers)
	}
	if err != nil {
		return nil, err
	}
	x, err := s.backend.Compile(program, externals)
	if err != nil {
		inputs.Release()
		return nil, fmt.Errorf("train: compiling the step for %d tokens: %w", t, err)
	}
	p := &stepProgram{program: program, executable: x, inputs: inputs}
	s.programs[t] = p
	return p, x.Setup(context.Background())
}

// Run submits one step over b, which must have the recipe's batch size; targets
// of −100 do not count. It
// does not wait for the result; Losses does.
func (s *Step) Run(ctx context.Context, b model.Batch) error {
	p, err := s.compiled(model.TextLength(b.Tokens, s.model.MaxTokens()))
	if err != nil {
		return err
	}
	if s.step-s.read == ring {
		return fmt.Errorf("train: %d losses were not read", ring)
	}
	if err := p.inputs.Write(b, s.pad); err != nil {
		return err
	}
	if err := s.writeDynamic(); err != nil {
		return err
	}
	if err := p.executable.Run(ctx); err != nil {
		return fmt.Errorf("train: step %d: %w", s.step, err)
	}
	s.step++
	return nil
}

// Losses waits and returns the losses of the steps run since the last call,
// oldest first.
func (s *Step) Losses() ([]float32, error) {
	values := make([]float32, ring)
	if err := s.memory.Buffer("losses").Read(0, model.Bytes(values)); err != nil {
		return nil, err
	}
	var out []float32
	for ; s.read < s.step; s.read++ {
		out = append(out, values[s.read%ring])
	}
	for _, l := range out {
		if math.IsNaN(float64(l)) || math.IsInf(float64(l), 0) {
			return out, fmt.Errorf("train: the loss is no longer a number after step %d; a smaller learning rate or gradient clipping helps", s.step)
		}
	}
	return out, nil
}

// Resume continues the count of steps after an interruption.
func (s *Step) Resume(step int) { s.step, s.read = step, step }

// SetTotal changes the number of steps of the schedule.
func (s *Step) SetTotal(total int) { s.total = total }

// Plan returns the memory plan of the step for texts padded to t tokens; it
// allocates nothing on the device.
func (s *Step) Plan(t int) (*gpu.Plan, error) {
	if p := s.programs[t]; p != nil {
		return p.executable.Plan(), nil
	}
	p, err := s.Program(t)
	if err != nil {
		return nil, err
	}
	return gpu.NewPlan(p)
}

// Release frees the programs; the model's memory stays.
func (s *Step) Release() {
	for _, p := range s.programs {
		p.executable.Release()
		p.inputs.Release()
	}
	clear(s.programs)
}
