package model_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
	"duet/model/shared"
)

// vlmRun is one batch-norm mode of vlm_tiny's golden.json.
type vlmRun struct {
	Loss   float64
	Logits [][]float32
	Norms  map[string]float64 `json:"grad_l2"`
}

// TestVLM compares the whole classifier with vlm_tiny for its four fusions, with
// frozen and with batch statistics: loss, logits and the norm of every
// gradient; what lies between where the fixture has it. (Whole gradients and
// trajectories are compared in package train.)
func TestVLM(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for _, kind := range []model.FusionKind{model.Concat, model.Gated, model.Hadamard, model.CrossAttention} {
			for _, m := range batchNormModes {
				t.Run(string(kind)+"/"+m.name, func(t *testing.T) { compareVLM(t, b, kind, m.name, m.batch) })
			}
		}
	})
}

func compareVLM(t *testing.T, b gpu.Backend, kind model.FusionKind, mode string, batch bool) {
	root := shared.Path(t, "fixtures", "vlm_tiny")
	x := newFixtureVLM(t, b, kind, root)
	var runs struct {
		Eval, Train   vlmRun
		Intermediates map[string]json.RawMessage
	}
	readJSON(t, filepath.Join(root, string(kind), "golden.json"), &runs)
	want := runs.Eval
	if batch {
		want = runs.Train
	}
	between := map[string]bool{}
	c := x.compile(x.inputs(), func(g *graph.Graph) {
		out := x.model.Forward(x.model.NewInputs(g, 4, 1, 96, 9), &nn.Mode{Train: true, BatchStats: batch})
		loss := graph.CrossEntropy{}.Loss(out.Logits, g.Input("targets", 4))
		g.Output("loss", loss)
		g.Output("logits", out.Logits)
		x.storeGradients(g, loss, nil)
		for name, tensor := range map[string]graph.Tensor{"visual_embedding": out.Visual, "text_embedding": out.Words, "text_states": out.States, "fused": out.Fused} {
			if runs.Intermediates[name] != nil && !batch {
				between[name] = true
				g.Output(name, tensor)
			}
		}
	}, nil)
	c.run()
	rule := ruler{t: t}
	rule.within("loss", c.read("loss"), []float32{float32(want.Loss)}, 1e-5, 1e-6)
	rule.within("logits", c.read("logits"), slices.Concat(want.Logits...), 1e-4, 1e-7)
	for name := range between {
		compareIntermediate(&rule, name, c.read(name), runs.Intermediates[name])
	}
	compareNorms(&rule, c, want.Norms)
	rule.report()
}

// newFixtureVLM takes the towers from concat's file and the head from the fusion's own.
func newFixtureVLM(t *testing.T, b gpu.Backend, kind model.FusionKind, root string) *tinyVLM {
	t.Helper()
	m, err := model.NewVLM(model.Shape{Width: 16, Blocks: []int{2, 2, 2, 2}, Text: tinyText, Fusion: kind, Dim: 64, Classes: 5})
	if err != nil {
		t.Fatal(err)
	}
	x := &tinyVLM{rig: newRig(t, b, m.Params), model: m}
	readJSON(t, filepath.Join(root, string(kind), "golden.json"), &x.golden)
	inTower := func(name string) bool { return strings.HasPrefix(name, "visual.") || strings.HasPrefix(name, "text.") }
	head := filepath.Join(root, string(kind), "head.safetensors")
	if kind == model.Concat {
		head = filepath.Join(root, "concat", "model.safetensors")
	}
	loaded := 0
	for i, file := range []string{filepath.Join(root, "concat", "model.safetensors"), head} {
		report, err := x.memory.Load(openTensors(t, file), func(name string) string {
			if inTower(name) != (i == 0) {
				return "not " + name
			}
			return name
		})
		if err != nil {
			t.Fatal(err)
		}
		loaded += len(report.Loaded)
	}
	if loaded != len(m.Params.All()) {
		t.Fatalf("%d of %d parameters are in the files", loaded, len(m.Params.All()))
	}
	return x
}

// compareIntermediate compares with rows of values, or with statistics.
func compareIntermediate(rule *ruler, name string, got []float32, want json.RawMessage) {
	var rows [][]float32
	if err := json.Unmarshal(want, &rows); err == nil {
		rule.within(name, got, slices.Concat(rows...), 1e-5, 1e-6)
		return
	}
	var s stage
	if err := json.Unmarshal(want, &s); err != nil {
		rule.t.Fatal(err)
	}
	rule.within(name, statistics(got), []float32{float32(s.Mean), float32(s.Std), float32(s.Min), float32(s.Max), float32(s.L2)}, 1e-5, 1e-6)
	rule.within(name, got[:len(s.First)], s.First, 1e-5, 1e-6)
}

// compareNorms compares the norm of every gradient.
func compareNorms(rule *ruler, c *compiled, want map[string]float64) {
	trained := 0
	for _, p := range c.rig.params.All() {
		if p.State {
			continue
		}
		trained++
		norm, ok := want[p.Name]
		if !ok {
			rule.t.Errorf("the fixture has no gradient of %s", p.Name)
			continue
		}
		squares := 0.0
		for _, d := range c.read("d " + p.Name) {
			squares += float64(d) * float64(d)
		}
		rule.within("norm of the gradient of "+p.Name, []float32{float32(math.Sqrt(squares))}, []float32{float32(norm)}, 1e-4, 1e-6)
	}
	if trained != len(want) {
		rule.t.Errorf("the fixture has %d gradients, the model %d trained parameters", len(want), trained)
	}
}
