package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"duet/gpu"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
	"duet/shaders"
)

// A Case is a named benchmark.
type Case struct {
	Name  string
	Build func(shaders.Target) (*Work, error)
	Large bool // takes minutes on a software adapter
}

// Cases lists the benchmarks.
func Cases() []Case {
	return []Case{
		{Name: "resnet18", Build: func(t shaders.Target) (*Work, error) { return resnet18(t, 1) }},
		{Name: "resnet18_b32", Build: func(t shaders.Target) (*Work, error) { return resnet18(t, 32) }, Large: true},
		{Name: "roberta_base", Build: func(t shaders.Target) (*Work, error) { return roberta(t, 1, 12, 768, 12) }},
		{Name: "roberta_base_b32", Build: func(t shaders.Target) (*Work, error) { return roberta(t, 32, 12, 768, 12) }, Large: true},
		{Name: "roberta_small", Build: func(t shaders.Target) (*Work, error) { return roberta(t, 1, 6, 384, 6) }},
		{Name: "matmul512", Build: matmul512},
		{Name: "train_resnet18_b8_64", Build: trainResNet18},
		{Name: "train_layer_h384_b4_s64", Build: trainLayer},
		{Name: "train_transfer_b8_64", Build: trainTransfer},
		{Name: "train_head_b32", Build: trainHead},
	}
}

// For lists the benchmarks that an adapter of that class runs unless told
// otherwise.
func For(class gpu.Class) []Case {
	return slices.DeleteFunc(Cases(), func(c Case) bool { return c.Large && class == gpu.Software })
}

// Find returns the case of that name.
func Find(name string) (Case, error) {
	var names []string
	for _, c := range Cases() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Case{}, fmt.Errorf("bench: there is no case %s; known are %v", name, names)
}

// A Work is a program with what its external buffers start from.
type Work struct {
	Program *gpu.Program
	Content map[string][]float32 // of externals; zero where there is none
	Words   map[string][]uint32  // the same, for integers
	Output  string               // the external that is read back after each run
	Length  int                  // its elements
}

// Flops and Bytes return what one run computes and moves.
func (w *Work) Flops() float64 {
	sum := 0.0
	for _, d := range w.Program.Dispatch {
		sum += d.Flops
	}
	return sum
}

// Bytes returns the bytes that the dispatches of one run bind.
func (w *Work) Bytes() float64 {
	sum := 0.0
	for _, d := range w.Program.Dispatch {
		sum += float64(d.Bytes())
	}
	return sum
}

// A Bench is a case ready to run.
type Bench struct {
	Work   *Work
	Cold   time.Duration // building, compiling and the first run
	Create time.Duration // of that, everything before the first run
	Y      [3]float32    // first, second and last element of the output of the last run

	backend    gpu.Backend
	executable gpu.Executable
	externals  map[string]gpu.Buffer
	output     []float32
}

// Prepare builds and compiles a case and runs it once.
func Prepare(ctx context.Context, backend gpu.Backend, c Case) (*Bench, error) {
	start := time.Now()
	work, err := c.Build(backend.Info().Target)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", c.Name, err)
	}
	b := &Bench{Work: work, backend: backend, externals: map[string]gpu.Buffer{}, output: make([]float32, work.Length)}
	if err := b.compile(ctx); err != nil {
		b.Release()
		return nil, fmt.Errorf("bench: %s: %w", c.Name, err)
	}
	b.Create = time.Since(start)
	if _, err := b.Run(ctx); err != nil {
		b.Release()
		return nil, fmt.Errorf("bench: %s: %w", c.Name, err)
	}
	b.Cold = time.Since(start)
	work.Content = nil // on the device now
	return b, nil
}

func (b *Bench) compile(ctx context.Context) error {
	for _, spec := range b.Work.Program.Buffers {
		if spec.Kind != gpu.External {
			continue
		}
		buffer, err := b.backend.NewBuffer(spec.Name, spec.Size)
		if err != nil {
			return err
		}
		b.externals[spec.Name] = buffer
		if x := b.Work.Content[spec.Name]; len(x) > 0 {
			err = buffer.Write(0, model.Bytes(x))
		} else if x := b.Work.Words[spec.Name]; len(x) > 0 {
			err = buffer.Write(0, model.Bytes(x))
		}
		if err != nil {
			return err
		}
	}
	var err error
	if b.executable, err = b.backend.Compile(b.Work.Program, b.externals); err != nil {
		return err
	}
	return b.executable.Setup(ctx)
}

// Run runs the case once and reads its output back.
func (b *Bench) Run(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := b.executable.Run(ctx); err != nil {
		return 0, err
	}
	if err := b.externals[b.Work.Output].Read(0, model.Bytes(b.output)); err != nil {
		return 0, err
	}
	elapsed := time.Since(start)
	b.Y = [3]float32{b.output[0], b.output[min(1, len(b.output)-1)], b.output[len(b.output)-1]}
	return elapsed, nil
}

// Median runs the case at least three times, and up to rounds times within the
// budget, and returns the median.
func (b *Bench) Median(ctx context.Context, rounds int, budget time.Duration) (time.Duration, error) {
	var times []time.Duration
	for start := time.Now(); len(times) < 3 || (len(times) < rounds && time.Since(start) < budget); {
		t, err := b.Run(ctx)
		if err != nil {
			return 0, err
		}
		times = append(times, t)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// Release frees the case.
func (b *Bench) Release() {
	if b.executable != nil {
		b.executable.Release()
	}
	for _, x := range b.externals {
		x.Release()
	}
}

// draw is the xorshift generator of the peers' model files, so that weights
// are the same numbers.
type draw struct{ seed uint32 }

func newDraw() *draw { return &draw{12345} }

// uniform returns n numbers within ±s.
func (d *draw) uniform(n int, s float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		d.seed ^= d.seed << 13
		d.seed ^= d.seed >> 17
		d.seed ^= d.seed << 5
		out[i] = float32((float64(d.seed)/4294967296*2 - 1) * s)
	}
	return out
}

// A builder collects the parameters of a case and their values while its graph
// is built.
type builder struct {
	target shaders.Target
	params *nn.Params
	values map[*nn.Param][]float32 // in the checkpoint's layout
	work   *Work
}

func newBuilder(t shaders.Target) *builder {
	return &builder{target: t, params: nn.NewParams(), values: map[*nn.Param][]float32{}, work: &Work{Content: map[string][]float32{}, Words: map[string][]uint32{}}}
}

// param defines a parameter with its values.
func (b *builder) param(values []float32, shape ...int) *nn.Param {
	p := b.params.Add(fmt.Sprintf("w%d", len(b.values)), nn.Init{}, shape...)
	b.values[p] = values
	return p
}

// place lays the parameters out and fills the content of their arenas.
func (b *builder) place() []nn.Arena {
	arenas := b.params.Layout(1 << 24)
	for _, a := range arenas {
		b.work.Content[a.Name] = make([]float32, a.Words)
	}
	for p, values := range b.values {
		values = p.Store(values)
		for _, place := range p.Places() {
			copy(b.work.Content[place.Buffer][place.Offset:], values[:place.Len()])
			values = values[place.Len():]
		}
	}
	return arenas
}

// forward lowers a forward pass whose output is stored in y.
func (b *builder) forward(name string, build func(g *graph.Graph) graph.Tensor) (*Work, error) {
	b.place()
	g, err := graph.Build(func(g *graph.Graph) {
		y := build(g)
		b.work.Output, b.work.Length = "y", y.Len()
		g.Output("y", y)
	})
	if err != nil {
		return nil, err
	}
	b.work.Program, err = g.Lower(name, b.target)
	return b.work, err
}

// training lowers a training step: loss, gradients of all trainable
// parameters, and Adam.
func (b *builder) training(name string, rate float64, build func(g *graph.Graph) graph.Tensor) (*Work, error) {
	arenas := b.place()
	g, err := graph.Build(func(g *graph.Graph) {
		loss := build(g)
		b.work.Output, b.work.Length = "loss", 1
		g.Output("loss", loss)
		b.params.StoreGradients(g, loss)
	})
	if err != nil {
		return nil, err
	}
	program, err := g.Lower(name, b.target)
	if err != nil {
		return nil, err
	}
	b.work.Program = program
	view := func(name string, words int) gpu.View {
		for i, x := range program.Buffers {
			if x.Kind == gpu.External && x.Name == name {
				return gpu.View{Buffer: i, Size: x.Size}
			}
		}
		return program.External(name, words)
	}
	hyper := shaders.AdamHyper{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Step: 1, Groups: []shaders.AdamGroup{{LearningRate: rate}}}.Words()
	b.work.Content["hyper"] = hyper
	for _, a := range arenas {
		if len(a.Name) < len(nn.Weights) || a.Name[:len(nn.Weights)] != nn.Weights {
			continue
		}
		suffix := a.Name[len(nn.Weights):]
		var words, groups []int
		b.params.EachIn(a, func(_ *nn.Param, place nn.Place) {
			words, groups = append(words, place.Len()), append(groups, 0)
		})
		b.work.Words["blocks"+suffix] = shaders.AdamBlocks(words, groups)
		program.Add("adam "+a.Name, shaders.Adam(a.Words, true, false), view("blocks"+suffix, len(b.work.Words["blocks"+suffix])),
			view("hyper", len(hyper)), view(nn.Grads+suffix, a.Words), view(a.Name, a.Words), view(nn.MomentM+suffix, a.Words), view(nn.MomentV+suffix, a.Words))
	}
	return b.work, nil
}
