package model_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/graph"
	"duet/model/nn"
	"duet/model/shared"
	"duet/shaders"
)

// onBackends runs a test on the device and on the CPU twins.
func onBackends(t *testing.T, f func(t *testing.T, b gpu.Backend)) {
	t.Run("device", func(t *testing.T) { f(t, gputest.Open(t)) })
	t.Run("twins", func(t *testing.T) { f(t, gpu.NewReference()) })
}

// A rig runs graphs over parameters that are placed on a backend.
type rig struct {
	t       *testing.T
	backend gpu.Backend
	params  *nn.Params
	memory  *model.Memory
}

func newRig(t *testing.T, b gpu.Backend, ps *nn.Params) *rig {
	t.Helper()
	return newRigWithin(t, b, ps, model.ArenaWords)
}

// newRigWithin places the parameters in arenas of at most so many words.
func newRigWithin(t *testing.T, b gpu.Backend, ps *nn.Params, words int) *rig {
	t.Helper()
	memory, err := model.PlaceWithin(b, ps, words)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Release)
	return &rig{t, b, ps, memory}
}

// load uploads parameters from files of a fixture; together they must hold all
// of them.
func (r *rig) load(dir string, files ...string) {
	r.t.Helper()
	missing := map[string]int{}
	for _, name := range files {
		f := openFixture(r.t, dir, name)
		report, err := r.memory.Load(f, nil)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, p := range report.Missing {
			missing[p]++
		}
	}
	for name, n := range missing {
		if n == len(files) {
			r.t.Fatalf("no file holds %s", name)
		}
	}
}

func openTensors(t *testing.T, name string) *checkpoint.File {
	t.Helper()
	f, err := checkpoint.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// openFixture opens a safetensors file of the fixtures.
func openFixture(t *testing.T, dir, name string) *checkpoint.File {
	t.Helper()
	data := shared.Read(t, "fixtures", dir, name)
	f, err := checkpoint.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// readFixture reads a JSON file of the fixtures.
func readFixture(t *testing.T, dir, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(shared.Read(t, "fixtures", dir, name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func floatsOf(t *testing.T, f *checkpoint.File, name string) []float32 {
	t.Helper()
	values, err := f.Float32(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// A compiled program with the memory that is not the parameters'.
type compiled struct {
	rig        *rig
	program    *gpu.Program
	executable gpu.Executable
	buffers    map[string]gpu.Buffer
}

// compile lowers what build records, lets extend append to the program, and
// fills the externals named in inputs.
func (r *rig) compile(inputs map[string][]byte, build func(g *graph.Graph), extend func(p *gpu.Program)) *compiled {
	r.t.Helper()
	g, err := graph.Build(build)
	if err != nil {
		r.t.Fatal(err)
	}
	program, err := g.Lower(r.t.Name(), r.backend.Info().Target)
	if err != nil {
		r.t.Fatal(err)
	}
	if extend != nil {
		extend(program)
	}
	c := &compiled{rig: r, program: program, buffers: map[string]gpu.Buffer{}}
	for _, b := range program.Buffers {
		if b.Kind != gpu.External || r.memory.Buffer(b.Name) != nil {
			continue
		}
		buffer, err := r.backend.NewBuffer(b.Name, b.Size)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(buffer.Release)
		c.buffers[b.Name] = buffer
		if data := inputs[b.Name]; len(data) > 0 {
			if err := buffer.Write(0, data); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	if c.executable, err = r.backend.Compile(program, r.memory.Externals(c.buffers)); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.executable.Release)
	if err := c.executable.Setup(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (c *compiled) run() {
	c.rig.t.Helper()
	if err := c.executable.Run(context.Background()); err != nil {
		c.rig.t.Fatal(err)
	}
}

// read returns an output; parameters' gradients ("d NAME") are in the
// checkpoint's layout.
func (c *compiled) read(name string) []float32 {
	c.rig.t.Helper()
	b := c.buffers[name]
	if b == nil {
		c.rig.t.Fatalf("the program has no output %s", name)
	}
	words := 0
	for _, spec := range c.program.Buffers {
		if spec.Kind == gpu.External && spec.Name == name {
			words = spec.Words
		}
	}
	values, err := gpu.ReadFloats(b, words)
	if err != nil {
		c.rig.t.Fatal(err)
	}
	if p := c.rig.params.Get(strings.TrimPrefix(name, "d ")); p != nil && strings.HasPrefix(name, "d ") {
		values = p.Load(values)
	}
	return values
}

// storeGradients adds outputs "d NAME" for every trainable parameter that the
// loss depends on and for the named tensors.
func (r *rig) storeGradients(g *graph.Graph, loss graph.Tensor, named map[string]graph.Tensor) {
	var names []string
	var tensors []graph.Tensor
	for _, p := range r.params.All() {
		if p.Trainable && !p.State {
			names, tensors = append(names, p.Name), append(tensors, p.Tensor(g, true))
		}
	}
	for name, t := range named {
		names, tensors = append(names, name), append(tensors, t)
	}
	for i, d := range g.Gradients(loss, tensors...) {
		if d.Graph() != nil {
			g.Output("d "+names[i], d)
		}
	}
}

// train runs AdamW steps with the same decay on every parameter and returns the
// loss before each step and after the last. Unlike a train.Step it trains any
// graph, and exempts nothing from the decay.
func (r *rig) train(inputs map[string][]byte, hyper shaders.AdamHyper, steps int, build func(g *graph.Graph) graph.Tensor) []float64 {
	r.t.Helper()
	var arenas []nn.Arena
	for _, a := range r.memory.Arenas {
		if strings.HasPrefix(a.Name, nn.Weights) {
			arenas = append(arenas, a)
		}
	}
	allocate := func(name string, words int, content []byte) {
		b, err := r.memory.Allocate(name, words)
		if err == nil && len(content) > 0 {
			err = b.Write(0, content)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	hyper.Step = 1
	allocate("hyper", len(hyper.Words()), model.Bytes(hyper.Words()))
	siblings := []string{nn.Grads, nn.Weights, nn.MomentM, nn.MomentV}
	for _, a := range arenas {
		suffix := strings.TrimPrefix(a.Name, nn.Weights)
		var words, groups []int
		r.params.EachIn(a, func(_ *nn.Param, place nn.Place) {
			words, groups = append(words, place.Len()), append(groups, 0)
		})
		blocks := shaders.AdamBlocks(words, groups)
		allocate("blocks"+suffix, len(blocks), model.Bytes(blocks))
		for _, kind := range siblings {
			if kind != nn.Weights {
				allocate(kind+suffix, a.Words, nil)
			}
		}
	}
	c := r.compile(inputs, func(g *graph.Graph) {
		loss := build(g)
		g.Output("loss", loss)
		r.params.StoreGradients(g, loss)
	}, func(p *gpu.Program) {
		view := func(name string) gpu.View {
			for i, b := range p.Buffers {
				if b.Kind == gpu.External && b.Name == name {
					return gpu.View{Buffer: i, Size: b.Size}
				}
			}
			return p.External(name, int(r.memory.Buffer(name).Size()/4))
		}
		for _, a := range arenas {
			suffix := strings.TrimPrefix(a.Name, nn.Weights)
			args := []gpu.View{view("blocks" + suffix), view("hyper")}
			for _, kind := range siblings {
				args = append(args, view(kind+suffix))
			}
			p.Add("adam "+a.Name, shaders.Adam(a.Words, true, false), args...)
		}
	})
	var losses []float64
	for step := 1; step <= steps+1; step++ {
		hyper.Step = step
		if err := r.memory.Buffer("hyper").Write(0, model.Bytes(hyper.Words())); err != nil {
			r.t.Fatal(err)
		}
		c.run()
		losses = append(losses, float64(c.read("loss")[0]))
	}
	return losses
}

// adam is the goldens' optimiser: Adam at 1e-3 with the given decoupled decay.
func adam(decay float64) shaders.AdamHyper {
	return shaders.AdamHyper{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Groups: []shaders.AdamGroup{{LearningRate: 1e-3, WeightDecay: decay}}}
}

// A ruler compares tensors and keeps the largest error, as a share of the
// largest value of its tensor.
type ruler struct {
	t        *testing.T
	compared int
	worst    float64
}

// within fails the test where got and want differ by more than relative times
// the largest value of want plus absolute.
func (r *ruler) within(name string, got, want []float32, relative, absolute float64) {
	r.t.Helper()
	if len(got) != len(want) {
		r.t.Errorf("%s has %d values, want %d", name, len(got), len(want))
		return
	}
	largest, off := 0.0, 0.0
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		d := math.Abs(float64(w) - float64(got[i]))
		if !(d <= off) { // NaN too
			off = d
		}
	}
	if !(off <= relative*largest+absolute) {
		r.t.Errorf("%s is off by %.2g, its largest value is %.2g", name, off, largest)
	}
	// Where nothing is larger than the absolute tolerance a share says nothing.
	if largest > absolute {
		r.worst = max(r.worst, off/largest)
	}
	r.compared++
}

func (r *ruler) report() {
	r.t.Helper()
	r.t.Logf("%d tensors, largest error %.2g of the tensor's largest value", r.compared, r.worst)
	if r.compared == 0 {
		r.t.Error("nothing was compared")
	}
}

// checkTrajectory compares losses within ten times the deviation of the
// reference's float32 run, and floor at least.
func checkTrajectory(t *testing.T, got, want []float64, spread, floor float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d losses, want %d", len(got), len(want))
	}
	tolerance, worst := max(floor, 10*spread), 0.0
	for i := range want {
		off := math.Abs(got[i] - want[i])
		worst = max(worst, off)
		if !(off <= tolerance) {
			t.Errorf("step %d: loss %.6f, want %.6f (tolerance %.2g)", i, got[i], want[i], tolerance)
		}
	}
	t.Logf("%d losses, largest difference %.2g", len(got), worst)
}

// pictures evaluates f at the flat NCHW index of n three-channel pictures, in
// the layout of the engine: [n side side 4], the fourth channel zero.
func pictures(n, side int, f func(i float64) float64) []byte {
	out := make([]float32, n*side*side*4)
	for k := range n * 3 {
		for p := range side * side {
			out[(k/3*side*side+p)*4+k%3] = float32(f(float64(k*side*side + p)))
		}
	}
	return model.Bytes(out)
}

// channelsFirst turns [n positions stored] into [n channels positions].
func channelsFirst(x []float32, n, stored, channels int) []float32 {
	positions := len(x) / n / stored
	out := make([]float32, 0, n*positions*channels)
	for b := range n {
		for c := range channels {
			for p := range positions {
				out = append(out, x[(b*positions+p)*stored+c])
			}
		}
	}
	return out
}
