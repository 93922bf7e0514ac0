package model_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
	"duet/model/shared"
)

// The golden of our own fusions, testdata/fusions.json: vlm_tiny's concat
// weights and vectors, through the head in float64.
type fusionGolden struct {
	Origin         string               `json:"origin"`
	ProductColumns string               `json:"product_columns"`
	ComputedIn     string               `json:"computed_in"`
	Adam           string               `json:"adam"`
	Fusions        map[string]fusionRun `json:"fusions"`
}

type fusionRun struct {
	Loss      float64              `json:"loss"`
	Logits    [][]float64          `json:"logits"`
	Fused     [][]float64          `json:"fused"`
	Gradients map[string][]float64 `json:"gradients"` // NAME@strideS holds elements 0, S, 2S, …
	Losses    []float64            `json:"adam_losses"`
}

const fusionFile = "testdata/fusions.json"

var ownFusions = []model.FusionKind{model.ConcatGELU, model.ConcatProduct}

// vlmGolden is what the tests take from vlm_tiny's golden.json.
type vlmGolden struct {
	IDs           [][]uint32 `json:"input_ids"`
	Mask          [][]uint32 `json:"attention_mask"`
	Targets       []int32    `json:"targets"`
	Intermediates struct {
		Visual [][]float64 `json:"visual_embedding"`
		Text   [][]float64 `json:"text_embedding"`
	}
}

func readVLMGolden(t *testing.T) (golden vlmGolden, weights string) {
	dir := filepath.Join(shared.Path(t, "fixtures", "vlm_tiny"), "concat")
	readJSON(t, filepath.Join(dir, "golden.json"), &golden)
	return golden, filepath.Join(dir, "model.safetensors")
}

// fusionWeight is concat's, with columns for v∘t added where asked.
func fusionWeight(concat []float32, product bool) []float32 {
	if !product {
		return concat
	}
	var w []float32
	for o := range 64 {
		w = append(w, concat[o*128:(o+1)*128]...)
		for k := range 64 {
			w = append(w, float32(0.1*math.Sin(0.37*float64(64*o+k))))
		}
	}
	return w
}

func newHead64(t *testing.T, kind model.FusionKind) *head64 {
	golden, file := readVLMGolden(t)
	f := openTensors(t, file)
	wide := func(x []float32) (y []float64) {
		for _, v := range x {
			y = append(y, float64(v))
		}
		return y
	}
	product := kind == model.ConcatProduct
	return &head64{
		product: product, v: golden.Intermediates.Visual, t: golden.Intermediates.Text, targets: golden.Targets,
		w: wide(fusionWeight(floatsOf(t, f, "fusion.weight"), product)), b: wide(floatsOf(t, f, "fusion.bias")),
		cw: wide(floatsOf(t, f, "classifier.weight")), cb: wide(floatsOf(t, f, "classifier.bias")),
	}
}

// gradients names a pass's gradients as the engine does.
func (p pass64) gradients() map[string][]float64 {
	return map[string][]float64{
		"v": slices.Concat(p.dv...), "t": slices.Concat(p.dt...),
		"fusion.weight": p.dw, "fusion.bias": p.db, "classifier.weight": p.dcw, "classifier.bias": p.dcb,
	}
}

// sampled keeps every stride-th element of long tensors.
func sampled(name string, x []float64) (string, []float64) {
	const stride = 16
	if len(x) <= 1024 {
		return name, x
	}
	var y []float64
	for i := 0; i < len(x); i += stride {
		y = append(y, x[i])
	}
	return fmt.Sprintf("%s@stride%d", name, stride), y
}

// TestFusionGolden proves the golden: the float64 head's gradients agree with
// central differences of its loss, and what it computes is what the file holds.
// UPDATE=1 writes the file.
func TestFusionGolden(t *testing.T) {
	now := fusionGolden{
		Origin:         "head of vlm_tiny: visual_embedding, text_embedding and weights of concat; f = GELU_erf(fusion(z)), z = [v;t] or [v;t;v*t], logits = classifier(f), cross-entropy, mean",
		ProductColumns: "fusion.weight[o][128+k] = 0.1*sin(0.37*(64*o+k)), rounded to float32",
		ComputedIn:     "float64",
		Adam:           "fusion and classifier only, lr 1e-3, betas 0.9 and 0.999, eps 1e-8; v and t fixed; the loss before each of ten steps and after the last",
		Fusions:        map[string]fusionRun{},
	}
	for _, kind := range ownFusions {
		h := newHead64(t, kind)
		p := h.run()
		checkHead64(t, h, p)
		run := fusionRun{Loss: p.loss, Logits: p.logits, Fused: p.fused, Gradients: map[string][]float64{}}
		for name, d := range p.gradients() {
			name, d = sampled(name, d)
			run.Gradients[name] = d
		}
		run.Losses = h.trajectory(10)
		now.Fusions[string(kind)] = run
	}
	if os.Getenv("UPDATE") != "" {
		data, err := json.Marshal(now)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(fusionFile, append(data, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var golden fusionGolden
	readJSON(t, fusionFile, &golden)
	for kind, want := range golden.Fusions {
		got := now.Fusions[kind]
		same := func(what string, a, b []float64) {
			if !slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 1e-12*max(1, math.Abs(y)) }) {
				t.Errorf("%s of %s is not what the file holds", what, kind)
			}
		}
		same("the loss", []float64{got.Loss}, []float64{want.Loss})
		same("the logits", slices.Concat(got.Logits...), slices.Concat(want.Logits...))
		same("the fused vector", slices.Concat(got.Fused...), slices.Concat(want.Fused...))
		same("the trajectory", got.Losses, want.Losses)
		for name, d := range want.Gradients {
			same("the gradient of "+name, got.Gradients[name], d)
		}
	}
	if len(golden.Fusions) != len(ownFusions) {
		t.Errorf("the file has %d fusions, want %d", len(golden.Fusions), len(ownFusions))
	}
}

// checkHead64 compares gradients with central differences, every fifth element.
func checkHead64(t *testing.T, h *head64, p pass64) {
	t.Helper()
	const step = 1e-6
	check := func(name string, x, d []float64) {
		for j := 0; j < len(x); j += max(1, min(5, len(x)/8)) {
			old := x[j]
			x[j] = old + step
			up := h.run().loss
			x[j] = old - step
			down := h.run().loss
			x[j] = old
			if want := (up - down) / (2 * step); !(math.Abs(want-d[j]) <= 1e-8) {
				t.Fatalf("the head's gradient of %s[%d] is %.9g, central differences give %.9g", name, j, d[j], want)
			}
		}
	}
	check("fusion.weight", h.w[:640], p.dw)
	check("fusion.bias", h.b, p.db)
	check("classifier.weight", h.cw, p.dcw)
	check("classifier.bias", h.cb, p.dcb)
	for i := range h.v {
		check("v", h.v[i], p.dv[i])
		check("t", h.t[i], p.dt[i])
	}
}

// tinyVLM is vlm_tiny with a fusion of our own.
type tinyVLM struct {
	*rig
	model  *model.VLM
	golden vlmGolden
}

// newTinyVLM loads it; parameters that begin with one of freeze are not trained.
func newTinyVLM(t *testing.T, b gpu.Backend, kind model.FusionKind, freeze ...string) *tinyVLM {
	t.Helper()
	golden, file := readVLMGolden(t)
	m, err := model.NewVLM(model.Shape{Width: 16, Blocks: []int{2, 2, 2, 2}, Text: tinyText, Fusion: kind, Dim: 64, Classes: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Params.Freeze(freeze); err != nil {
		t.Fatal(err)
	}
	x := &tinyVLM{newRig(t, b, m.Params), m, golden}
	f := openTensors(t, file)
	report, err := x.memory.Load(f, func(name string) string { return strings.TrimSuffix(name, "fusion.weight") })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.Missing, []string{"fusion.weight"}) {
		t.Fatalf("the file lacks %v", report.Missing)
	}
	if err := x.memory.Set(m.Params.Get("fusion.weight"), fusionWeight(floatsOf(t, f, "fusion.weight"), kind == model.ConcatProduct)); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *tinyVLM) inputs() map[string][]byte {
	var ids, positions, lengths []uint32
	for i, row := range x.golden.IDs {
		n := uint32(0)
		for _, m := range x.golden.Mask[i] {
			n += m
		}
		ids, positions, lengths = append(ids, row...), append(positions, model.Positions(row, 1)...), append(lengths, n)
	}
	return map[string][]byte{
		"pictures": pictures(4, 96, func(i float64) float64 { return math.Sin(0.011*i) + 0.5*math.Cos(0.0009*i) }),
		"ids":      model.Bytes(ids), "positions": model.Bytes(positions), "lengths": model.Bytes(lengths),
		"targets": model.Bytes(x.golden.Targets),
	}
}

func (x *tinyVLM) loss(g *graph.Graph) (graph.Tensor, model.Outputs) {
	out := x.model.Forward(x.model.NewInputs(g, 4, 1, 96, 9), &nn.Mode{Train: true})
	return graph.CrossEntropy{}.Loss(out.Logits, g.Input("targets", 4)), out
}

// compileGradients compiles loss, logits, fused vector and all gradients.
func (x *tinyVLM) compileGradients() *compiled {
	return x.compile(x.inputs(), func(g *graph.Graph) {
		loss, out := x.loss(g)
		g.Output("loss", loss)
		g.Output("logits", out.Logits)
		g.Output("fused", out.Fused)
		x.storeGradients(g, loss, map[string]graph.Tensor{"v": out.Visual, "t": out.Words})
	}, nil)
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// TestFusions compares the whole model, towers included, with the golden: loss,
// logits, fused vector and the head's gradients, then ten steps of Adam on the
// head alone.
func TestFusions(t *testing.T) {
	var golden fusionGolden
	readJSON(t, fusionFile, &golden)
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for _, kind := range ownFusions {
			t.Run(string(kind), func(t *testing.T) {
				want := golden.Fusions[string(kind)]
				x := newTinyVLM(t, b, kind)
				c := x.compileGradients()
				c.run()
				rule := ruler{t: t}
				rule.within("loss", c.read("loss"), []float32{float32(want.Loss)}, 1e-5, 1e-6)
				rule.within("logits", c.read("logits"), narrow(slices.Concat(want.Logits...)), 1e-4, 1e-7)
				rule.within("fused", c.read("fused"), narrow(slices.Concat(want.Fused...)), 1e-4, 1e-7)
				for key, d := range want.Gradients {
					name, _, strided := strings.Cut(key, "@stride")
					got := c.read("d " + name)
					if strided {
						var part []float32
						for i := 0; i < len(got); i += 16 {
							part = append(part, got[i])
						}
						got = part
					}
					rule.within("gradient of "+key, got, narrow(d), 1e-4, 1e-7)
				}
				rule.report()
				losses := newTinyVLM(t, b, kind, "visual", "text").trainHead()
				checkTrajectory(t, losses, want.Losses, 0, 1e-5)
			})
		}
	})
}

// trainHead takes ten steps of Adam on fusion and classifier, over the golden's v and t.
func (x *tinyVLM) trainHead() []float64 {
	inputs := map[string][]byte{"targets": model.Bytes(x.golden.Targets)}
	for name, vectors := range map[string][][]float64{"v": x.golden.Intermediates.Visual, "t": x.golden.Intermediates.Text} {
		inputs[name] = model.Bytes(narrow(slices.Concat(vectors...)))
	}
	return x.train(inputs, adam(0), 10, func(g *graph.Graph) graph.Tensor {
		mode := &nn.Mode{Train: true}
		fused := x.model.Fusion.Forward(x.model, model.Features{}, model.Outputs{Visual: g.Input("v", 4, 64), Words: g.Input("t", 4, 64)}, mode)
		return graph.CrossEntropy{}.Loss(x.model.Classifier.Forward(fused, mode), g.Input("targets", 4))
	})
}

// TestFusionDifferences moves the weights of each part of the model along its
// gradient, forth and back: the loss must change by the gradient's norm times
// the distance.
func TestFusionDifferences(t *testing.T) {
	backend := gputest.Open(t)
	parts := []string{"visual.conv1", "visual.bn1", "visual.layer1", "visual.layer2", "visual.layer3", "visual.layer4",
		"text.embeddings", "text.encoder.layer.0", "text.encoder.layer.1", "text.encoder.layer.2",
		"visual_proj", "text_proj", "fusion", "classifier"}
	for _, kind := range ownFusions {
		t.Run(string(kind), func(t *testing.T) {
			x := newTinyVLM(t, backend, kind)
			c := x.compileGradients()
			c.run()
			forward := x.compile(x.inputs(), func(g *graph.Graph) {
				loss, _ := x.loss(g)
				g.Output("loss", loss)
			}, nil)
			worst := 0.0
			for _, part := range parts {
				got, want := x.slope(c, forward, part)
				worst = max(worst, math.Abs(got/want-1))
				tolerance := 0.005
				if strings.HasPrefix(part, "visual.") {
					tolerance = 0.05 // ReLUs and maxima change sides on the way
				}
				if !(math.Abs(got/want-1) <= tolerance) {
					t.Errorf("%s: the gradient's norm is %.5g, central differences give %.5g", part, want, got)
				}
			}
			t.Logf("%d parts, largest deviation %.2g", len(parts), worst)
		})
	}
}

// slope returns the central difference of the loss along the gradient of the
// parameters of a part, and the gradient's norm.
func (x *tinyVLM) slope(gradients, forward *compiled, part string) (difference, norm float64) {
	x.t.Helper()
	old, gradient := map[*nn.Param][]float32{}, map[*nn.Param][]float32{}
	squares := 0.0
	for _, p := range x.params.All() {
		if p.State || !strings.HasPrefix(p.Name, part+".") {
			continue
		}
		values, err := x.memory.Get(p)
		if err != nil {
			x.t.Fatal(err)
		}
		old[p], gradient[p] = values, gradients.read("d "+p.Name)
		for _, d := range gradient[p] {
			squares += float64(d) * float64(d)
		}
	}
	norm = math.Sqrt(squares)
	// Far enough for losses in float32, near enough for the kinks of the ReLUs.
	h := 2e-4 / norm
	at := func(distance float64) float64 {
		for p, values := range old {
			moved := make([]float32, len(values))
			for i, v := range values {
				moved[i] = v + float32(distance*float64(gradient[p][i])/norm)
			}
			if err := x.memory.Set(p, moved); err != nil {
				x.t.Fatal(err)
			}
		}
		forward.run()
		return float64(forward.read("loss")[0])
	}
	up, down := at(h), at(-h)
	at(0)
	return (up - down) / (2 * h), norm
}
