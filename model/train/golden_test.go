package train

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
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

// golden is one fusion of fixtures/vlm_tiny.
type golden struct {
	IDs     [][]int32 `json:"input_ids"`
	Mask    [][]int32 `json:"attention_mask"`
	Targets []int32   `json:"targets"`
	Eval    goldenRun `json:"eval"`
	Train   goldenRun `json:"train"`
}

type goldenRun struct {
	Loss   float64            `json:"loss"`
	Logits [][]float64        `json:"logits"`
	GradL2 map[string]float64 `json:"grad_l2"`
	Losses []float64          `json:"adam_losses"`
	Spread float64            `json:"max_abs_diff_float32"`
}

var tinyShape = model.Shape{
	Width: 16, Blocks: []int{2, 2, 2, 2}, Dim: 64, Classes: 5,
	Text: model.TextShape{Vocab: 300, Positions: 66, Hidden: 64, Layers: 3, Heads: 4, Intermediate: 128, Pad: 1, Eps: 1e-5, Std: 0.02},
}

// tinyRecipe is that of the goldens: Adam at 1e-3 without decay, everything trained.
func tinyRecipe(batchNorm string) Recipe {
	return Recipe{LearningRate: 1e-3, TowerRate: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Schedule: "constant", Batch: 4, Epochs: 1, BatchNorm: batchNorm}
}

type tiny struct {
	golden golden
	model  *model.VLM
	memory *model.Memory
	batch  model.Batch
	dir    string // of its fixture
}

// openTiny builds a fusion of vlm_tiny on a backend with the fixture's weights.
func openTiny(t *testing.T, backend gpu.Backend, fusion model.FusionKind) *tiny {
	t.Helper()
	x := &tiny{dir: "vlm_tiny/" + string(fusion)}
	err := json.Unmarshal(shared.Read(t, "fixtures", x.dir, "golden.json"), &x.golden)
	if err != nil {
		t.Fatal(err)
	}
	shape := tinyShape
	shape.Fusion = fusion
	if x.model, err = model.NewVLM(shape); err != nil {
		t.Fatal(err)
	}
	if x.memory, err = model.Place(backend, x.model.Params); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.memory.Release)
	files := []string{"vlm_tiny/concat/model.safetensors"}
	if fusion != model.Concat {
		files = append(files, x.dir+"/head.safetensors")
	}
	missing := map[string]bool{}
	for i, name := range files {
		f := openFixture(t, name)
		// The heads of other fusions have other shapes: take only the towers from the first file.
		report, err := x.memory.Load(f, func(s string) string {
			if i == 0 && len(files) > 1 && !strings.HasPrefix(s, "visual.") && !strings.HasPrefix(s, "text.") {
				return "-" + s
			}
			return s
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range report.Missing {
			missing[name] = missing[name] || i == 0
			if i == len(files)-1 && (len(files) == 1 || !strings.HasPrefix(name, "visual.") && !strings.HasPrefix(name, "text.")) {
				t.Fatalf("%s has no tensor %s", files[i], name)
			}
		}
	}
	x.batch.Targets = x.golden.Targets
	for i, ids := range x.golden.IDs {
		n := 0
		for _, m := range x.golden.Mask[i] {
			n += int(m)
		}
		x.batch.Tokens = append(x.batch.Tokens, ids[:n])
	}
	x.batch.Pictures = tinyPictures(4, 96)
	return x
}

// openFixture opens a safetensors file of the fixtures.
func openFixture(t *testing.T, name string) *checkpoint.File {
	t.Helper()
	data := shared.Read(t, "fixtures", name)
	f, err := checkpoint.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// tinyPictures is the fixture's input sin(0.011 i) + 0.5 cos(0.0009 i) over the
// flat NCHW index, in our layout.
func tinyPictures(b, side int) []float32 {
	out := make([]float32, b*side*side*4)
	for n := range b {
		for c := range 3 {
			for p := range side * side {
				i := float64((n*3+c)*side*side + p)
				out[(n*side*side+p)*4+c] = float32(math.Sin(0.011*i) + 0.5*math.Cos(0.0009*i))
			}
		}
	}
	return out
}

func backends(t *testing.T) map[string]gpu.Backend {
	d := gputest.Open(t)
	return map[string]gpu.Backend{"kernels for CPUs": gputest.With(d, shaders.CPU), "kernels for GPUs": gputest.With(d, shaders.GPU), "twins": gpu.NewReference()}
}

var tinyFusions = []model.FusionKind{model.Concat, model.Gated, model.Hadamard, model.CrossAttention}

// TestGoldenTrajectories trains vlm_tiny for ten steps and compares every loss.
//
// concat in frozen mode hangs by a thread: after the first step one input of the
// last ReLU is 3.6e-8, below the rounding of its sum, and landing on the other
// side of zero moves later losses by 2e-4. If this case alone fails after a
// change in the order of a sum, look at that input first.
func TestGoldenTrajectories(t *testing.T) {
	for _, fusion := range tinyFusions {
		for _, mode := range []string{"frozen", "batch"} {
			t.Run(fmt.Sprintf("%s/%s", fusion, mode), func(t *testing.T) {
				x := openTiny(t, gputest.Open(t), fusion)
				losses := runTiny(t, gputest.Open(t), x, mode, 11)
				want := x.golden.Eval
				if mode == "batch" {
					want = x.golden.Train
				}
				worst := 0.0
				for i, l := range losses {
					off := math.Abs(float64(l) - want.Losses[i])
					worst = max(worst, off)
					tolerance := max(1e-4, 10*want.Spread)
					if mode == "batch" && (fusion == model.Gated || fusion == model.Hadamard) {
						// The fixture's README: sensitive, three steps tightly and the rest loosely.
						tolerance = max(1e-4, 10*want.Spread)
						if i > 3 {
							tolerance = 5e-2
						}
					}
					if !(off <= tolerance) {
						t.Errorf("step %d: loss %.6f, want %.6f (tolerance %.2g)", i, l, want.Losses[i], tolerance)
					}
				}
				t.Logf("largest difference %.2g", worst)
			})
		}
	}
}

func runTiny(t *testing.T, backend gpu.Backend, x *tiny, batchNorm string, steps int) []float32 {
	t.Helper()
	s, err := NewStep(backend, x.model, x.memory, tinyRecipe(batchNorm), 96, steps, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	for range steps {
		if err := s.Run(context.Background(), x.batch); err != nil {
			t.Fatal(err)
		}
	}
	losses, err := s.Losses()
	if err != nil {
		t.Fatal(err)
	}
	return losses
}

// TestGoldenGradients compares logits and every gradient in frozen mode with
// the fixture, on the device and on the twins.
func TestGoldenGradients(t *testing.T) {
	for name, backend := range backends(t) {
		for _, fusion := range tinyFusions {
			t.Run(fmt.Sprintf("%s/%s", name, fusion), func(t *testing.T) {
				x := openTiny(t, backend, fusion)
				compareLogits(t, backend, x)
				compareGradients(t, backend, x)
			})
		}
	}
}

func compareLogits(t *testing.T, backend gpu.Backend, x *tiny) {
	p := model.NewPredictor(backend, x.model, x.memory, 96, 4, 1)
	defer p.Release()
	logits, err := p.Logits(context.Background(), x.batch, 4)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range x.golden.Eval.Logits {
		for j, want := range row {
			if got := float64(logits[i*len(row)+j]); !(math.Abs(got-want) <= 1e-4) {
				t.Errorf("logit [%d %d] is %.6f, want %.6f", i, j, got, want)
			}
		}
	}
}

func compareGradients(t *testing.T, backend gpu.Backend, x *tiny) {
	f := openFixture(t, x.dir+"/grads_eval.safetensors")
	pictures := append([]float32(nil), x.batch.Pictures...)
	g, err := graph.Build(func(g *graph.Graph) {
		in := x.model.NewInputs(g, 4, 1, 96, 12)
		out := x.model.Forward(in, &nn.Mode{Train: true})
		loss := graph.CrossEntropy{}.Loss(out.Logits, g.Input("targets", 4))
		tensors := []graph.Tensor{in.Pictures}
		var params []*nn.Param
		for _, p := range x.model.Params.All() {
			if !p.State {
				params = append(params, p)
				tensors = append(tensors, p.Tensor(g, true))
			}
		}
		for i, d := range g.Gradients(loss, tensors...) {
			if d.Graph() == nil {
				continue // a parameter that the loss does not depend on
			}
			name := "input"
			if i > 0 {
				name = params[i-1].Name
			}
			g.Output("d "+name, d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	program, err := g.Lower("gradients", backend.Info().Target)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := model.NewBatchBuffers(backend, x.model, 4, 1, 96, 12)
	if err != nil {
		t.Fatal(err)
	}
	defer inputs.Release()
	batch := x.batch
	batch.Pictures = pictures
	if err := inputs.Write(batch, 1); err != nil {
		t.Fatal(err)
	}
	extra := map[string]gpu.Buffer{}
	for name, b := range inputs.Buffers {
		extra[name] = b
	}
	for _, b := range program.Buffers {
		if b.Kind == gpu.External && strings.HasPrefix(b.Name, "d ") {
			if extra[b.Name], err = backend.NewBuffer(b.Name, b.Size); err != nil {
				t.Fatal(err)
			}
			defer extra[b.Name].Release()
		}
	}
	e, err := backend.Compile(program, x.memory.Externals(extra))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	for _, run := range []func(context.Context) error{e.Setup, e.Run} {
		if err := run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	compared, worst := 0, 0.0
	for _, key := range f.Names() {
		name, stride := key, 1
		if i := strings.Index(key, "@stride"); i >= 0 {
			name = key[:i]
			stride, _ = strconv.Atoi(key[i+len("@stride"):])
		}
		want, err := f.Float32(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := readGradient(t, x, extra["d "+name], name)
		largest, off := 0.0, 0.0
		for i, w := range want {
			largest = max(largest, math.Abs(float64(w)))
			off = max(off, math.Abs(float64(w)-float64(got[i*stride])))
		}
		if !(off <= 1e-4*largest+1e-7) {
			t.Errorf("gradient of %s is off by %.2g, the largest is %.2g", name, off, largest)
		}
		if largest > 1e-6 { // the gradient of the keys' bias is zero but for rounding
			worst = max(worst, off/largest)
		}
		if testing.Verbose() && off > 1e-5*largest {
			t.Logf("%s: off by %.2g, largest %.2g", name, off, largest)
		}
		compared++
	}
	t.Logf("%d gradients, largest error %.2g of the tensor's largest", compared, worst)
}

func readGradient(t *testing.T, x *tiny, b gpu.Buffer, name string) []float32 {
	t.Helper()
	if b == nil {
		t.Fatalf("there is no gradient of %s", name)
	}
	values := make([]float32, b.Size()/4)
	if err := b.Read(0, model.Bytes(values)); err != nil {
		t.Fatal(err)
	}
	if name != "input" {
		return x.model.Params.Get(name).Load(values)
	}
	// Back to NCHW.
	side := 96
	out := make([]float32, 4*3*side*side)
	for n := range 4 {
		for c := range 3 {
			for p := range side * side {
				out[(n*3+c)*side*side+p] = values[(n*side*side+p)*4+c]
			}
		}
	}
	return out
}
