package graph

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/shared"
	"duet/shaders"
)

// A lossCase is one file of the fixture losses: how its loss is built from
// the inputs of the file and its parameters.
type lossCase struct {
	name  string
	build func(in map[string]Tensor, p lossParams) Tensor
}

type lossParams struct {
	Epsilon     float32 `json:"epsilon"`
	IgnoreIndex int     `json:"ignore_index"`
	Temperature float32 `json:"temperature"`
}

type lossFile struct {
	Inputs map[string]any
	Params lossParams
	Loss   float64
	Grads  map[string]any
}

func meanCrossEntropy(in map[string]Tensor, p lossParams) Tensor {
	logits, targets := in["logits"], in["targets"]
	c := CrossEntropy{Smoothing: p.Epsilon, IgnoreIndex: p.IgnoreIndex, Weights: in["class_weight"]}
	if len(logits.Shape()) == 3 {
		logits, targets = logits.Reshape(-1, logits.Dim(2)), targets.Reshape(-1)
	}
	return c.Loss(logits, targets)
}

func meanBCE(in map[string]Tensor, _ lossParams) Tensor {
	return in["logits"].BCEWithLogits(in["targets"])
}

// divergence is the mean over rows of KL(P‖Q), given log P and log Q.
func divergence(p, q Tensor) Tensor {
	return p.Unary("exp").Mul(p.Sub(q)).Sum().Scale(1/float32(p.Dim(0)), 0)
}

// diagonal are the targets 0, 1, … of a contrastive loss.
func diagonal(g *Graph, n int) Tensor { return g.Input("diagonal", n) }

var lossCases = []lossCase{
	{"label_smoothing", meanCrossEntropy},
	{"weighted_ce", meanCrossEntropy},
	{"ce_extreme", meanCrossEntropy},
	{"soft_target_ce", meanCrossEntropy},
	{"mlm_ce_ignore_index", meanCrossEntropy},
	{"itm_ce", meanCrossEntropy},
	{"itm_bce", meanBCE},
	{"itm_bce_extreme", meanBCE},
	{"symmetric_kl", func(in map[string]Tensor, _ lossParams) Tensor {
		p, q := in["p"].LogSoftmax(-1), in["q"].LogSoftmax(-1)
		return divergence(p, q).Add(divergence(q, p)).Scale(0.5, 0)
	}},
	{"distillation_kl", func(in map[string]Tensor, p lossParams) Tensor {
		teacher := in["teacher"].Scale(1/p.Temperature, 0).LogSoftmax(-1)
		student := in["student"].Scale(1/p.Temperature, 0).LogSoftmax(-1)
		return divergence(teacher, student).Scale(p.Temperature*p.Temperature, 0)
	}},
	{"info_nce", func(in map[string]Tensor, _ lossParams) Tensor {
		image, text := in["image"].L2Normalize(1e-12), in["text"].L2Normalize(1e-12)
		logits := image.MatMul(text, false, true).Mul(in["logit_scale"].Unary("exp"))
		targets := diagonal(logits.g, logits.Dim(0))
		return CrossEntropy{}.Loss(logits, targets).Add(CrossEntropy{}.Loss(logits.Transpose(1, 0), targets)).Scale(0.5, 0)
	}},
	{"nt_xent", func(in map[string]Tensor, p lossParams) Tensor {
		g := in["z1"].g
		z := g.Concat(0, in["z1"], in["z2"]).L2Normalize(1e-12)
		s := z.MatMul(z, false, true).Scale(1/p.Temperature, 0)
		n := s.Dim(0)
		return CrossEntropy{}.Loss(s.Add(g.Input("without diagonal", n, n)), g.Input("positives", n))
	}},
}

// TestLosses compares every loss of the fixture, in value and in gradients,
// with float64 results: 1e-5 relative and 1e-6 absolute, as its README states.
func TestLosses(t *testing.T) {
	dir := shared.Path(t, "fixtures", "losses")
	for name, open := range map[string]func(t *testing.T) gpu.Backend{
		"device": func(t *testing.T) gpu.Backend { return gputest.Open(t) },
		"twins":  func(t *testing.T) gpu.Backend { return gpu.NewReference() },
	} {
		t.Run(name, func(t *testing.T) {
			backend := open(t)
			for _, c := range lossCases {
				t.Run(c.name, func(t *testing.T) { checkLoss(t, backend, filepath.Join(dir, c.name+".json"), c) })
			}
		})
	}
}

func checkLoss(t *testing.T, backend gpu.Backend, file string, c lossCase) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want lossFile
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Grads) == 0 {
		t.Fatal("the file has no gradients")
	}
	values := map[string][]float32{"diagonal": classes([]float32{0, 1, 2, 3}), "positives": classes([]float32{4, 5, 6, 7, 0, 1, 2, 3}), "without diagonal": make([]float32, 64)}
	for i := range 8 {
		values["without diagonal"][9*i] = -1e9
	}
	shapes := map[string][]int{}
	for name, x := range want.Inputs {
		values[name], shapes[name] = flatten(x)
	}
	// Class indices have one dimension less than the logits.
	if n := len(shapes["targets"]); n > 0 && n < len(shapes["logits"]) {
		values["targets"] = classes(values["targets"])
	}
	g, err := Build(func(g *Graph) {
		in := map[string]Tensor{}
		for name := range want.Inputs {
			in[name] = g.Input(name, shapes[name]...)
		}
		loss := c.build(in, want.Params)
		g.Output("loss", loss)
		for name := range want.Grads {
			g.Output("d "+name, g.Gradients(loss, in[name])[0])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Lower(c.name, shaders.CPU)
	if err != nil {
		t.Fatal(err)
	}
	got := gputest.Run(t, backend, p, values)
	worst := near(t, "loss", got["loss"], []float32{float32(want.Loss)})
	for name, x := range want.Grads {
		v, _ := flatten(x)
		worst = max(worst, near(t, "gradient of "+name, got["d "+name], v))
	}
	t.Logf("largest error %.2g of the tolerance", worst)
}

// flatten returns the numbers of nested JSON arrays and their shape.
func flatten(x any) (values []float32, shape []int) {
	list, ok := x.([]any)
	if !ok {
		return []float32{float32(x.(float64))}, nil
	}
	shape = []int{len(list)}
	for i, e := range list {
		v, inner := flatten(e)
		values = append(values, v...)
		if i == 0 {
			shape = append(shape, inner...)
		}
	}
	return values, shape
}

// classes are int32 class indices as the words of a buffer.
func classes(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = math.Float32frombits(uint32(int32(v)))
	}
	return y
}

// near compares values one by one and returns the largest error as a share of
// what is allowed.
func near(t *testing.T, what string, got, want []float32) (worst float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		share := math.Abs(float64(got[i])-float64(w)) / (1e-5*math.Abs(float64(w)) + 1e-6)
		if !(share <= 1) {
			t.Errorf("%s [%d] is %.9g, want %.9g", what, i, got[i], w)
		}
		worst = max(worst, share)
	}
	return worst
}
