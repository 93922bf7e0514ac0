package model_test

import (
	"slices"
	"testing"

	"duet/gpu"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
)

// The fixture roberta_tiny_synthetic: three layers, width 64, its
// classification head and its masked-language-model head.
type tinyRoBERTa struct {
	*rig
	net       *model.RoBERTa
	dense     *nn.Linear
	out       *nn.Linear
	headDense *nn.Linear
	headNorm  *nn.LayerNorm
	headBias  *nn.Param
	golden    roBERTaGolden
	dir       string
}

type roBERTaGolden struct {
	IDs       [][]uint32    `json:"input_ids"`
	Mask      [][]uint32    `json:"attention_mask"`
	Positions [][]uint32    `json:"position_ids"`
	States    [][][]float32 `json:"last_hidden_state"`
	MLM       [][]float32   `json:"mlm_logits_first_token"`
}

var tinyText = model.TextShape{Vocab: 300, Positions: 66, Hidden: 64, Layers: 3, Heads: 4, Intermediate: 128, Pad: 1, Eps: 1e-5, Std: 0.02}

// smallArenas is a bound under which the word table of 19,200 values lies in
// five ranges of rows.
const smallArenas = 64 * 64

// newTinyRoBERTa defines the encoder with one of the two heads, in arenas of at
// most so many words.
func newTinyRoBERTa(t *testing.T, b gpu.Backend, classifier bool, words int) *tinyRoBERTa {
	t.Helper()
	const dir = "roberta_tiny_synthetic"
	ps := nn.NewParams()
	r := &tinyRoBERTa{dir: dir, net: model.NewRoBERTa(ps, "roberta.", tinyText)}
	if classifier {
		r.dense, r.out = nn.NewLinear(ps, "classifier.dense", 64, 64), nn.NewLinear(ps, "classifier.out_proj", 64, 3)
	} else {
		r.headDense, r.headNorm = nn.NewLinear(ps, "lm_head.dense", 64, 64), nn.NewLayerNorm(ps, "lm_head.layer_norm", 64, 1e-5)
		r.headBias = ps.Add("lm_head.bias", nn.Init{}, 300)
	}
	r.rig = newRigWithin(t, b, ps, words)
	r.load(dir, "model.safetensors", "classifier.safetensors")
	readFixture(t, dir, "golden.json", &r.golden)
	return r
}

// inputs are the fixture's two sequences, padded to length t.
func (r *tinyRoBERTa) inputs(t int, targets []int32) map[string][]byte {
	var ids, positions, lengths []uint32
	for i, row := range r.golden.IDs {
		for len(row) < t {
			row = append(row, 1)
		}
		n := uint32(0)
		for _, m := range r.golden.Mask[i] {
			n += m
		}
		ids, positions, lengths = append(ids, row...), append(positions, model.Positions(row, 1)...), append(lengths, n)
	}
	return map[string][]byte{"ids": model.Bytes(ids), "positions": model.Bytes(positions), "lengths": model.Bytes(lengths), "targets": model.Bytes(targets)}
}

// forward returns the states [2 t 64].
func (r *tinyRoBERTa) forward(g *graph.Graph, t int, mode *nn.Mode) graph.Tensor {
	return r.net.Forward(model.TextBatch{IDs: g.Input("ids", 2, t), Positions: g.Input("positions", 2, t), Lengths: g.Input("lengths", 2)}, mode)
}

// loss is the fixture's classification loss.
func (r *tinyRoBERTa) loss(g *graph.Graph, t int) (loss, logits graph.Tensor) {
	mode := &nn.Mode{Train: true}
	h := r.forward(g, t, mode).Select(1, 0)
	logits = r.out.Forward(r.dense.Forward(h, mode).Tanh(), mode)
	return graph.CrossEntropy{}.Loss(logits, g.Input("targets", 2)), logits
}

// TestPositions compares position ids with Hugging Face's.
func TestPositions(t *testing.T) {
	var golden roBERTaGolden
	readFixture(t, "roberta_tiny_synthetic", "golden.json", &golden)
	for i, ids := range golden.IDs {
		if got := model.Positions(ids, 1); !slices.Equal(got, golden.Positions[i]) {
			t.Errorf("positions of %v are %v, want %v", ids, got, golden.Positions[i])
		}
	}
}

// TestRoBERTaStates compares the last hidden state at the fixture's length of
// nine tokens, and padded on to twelve, which must change nothing.
func TestRoBERTaStates(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for length, words := range map[int]int{9: smallArenas, 12: model.ArenaWords} {
			r := newTinyRoBERTa(t, b, true, words)
			c := r.compile(r.inputs(length, nil), func(g *graph.Graph) {
				g.Output("states", r.forward(g, length, &nn.Mode{}))
			}, nil)
			c.run()
			rule := ruler{t: t}
			states := c.read("states")
			for i, rows := range r.golden.States {
				rule.within("states", states[i*length*64:][:9*64], slices.Concat(rows...), 1e-5, 1e-6)
			}
			rule.report()
		}
	})
}

// TestRoBERTaMaskedLanguageModel compares the logits of the tied decoder at the
// token with index 1.
func TestRoBERTaMaskedLanguageModel(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		r := newTinyRoBERTa(t, b, false, model.ArenaWords)
		c := r.compile(r.inputs(9, nil), func(g *graph.Graph) {
			mode := &nn.Mode{}
			h := r.headNorm.Forward(r.headDense.Forward(r.forward(g, 9, mode).Select(1, 1), mode).GELU(), mode)
			g.Output("logits", h.Linear(r.net.Word.Weight.Tensor(g, false)).Add(r.headBias.Tensor(g, false)))
		}, nil)
		c.run()
		rule := ruler{t: t}
		rule.within("logits", c.read("logits"), slices.Concat(r.golden.MLM...), 1e-5, 1e-6)
		rule.report()
	})
}

// roBERTaTraining is golden_training.json.
type roBERTaTraining struct {
	Targets []int32     `json:"targets"`
	Loss    float64     `json:"loss_value"`
	Logits  [][]float32 `json:"logits"`
	Losses  []float64   `json:"adamw_losses"`
	Spread  float64     `json:"max_abs_diff_float32"`
}

func (r *tinyRoBERTa) training() (golden roBERTaTraining) {
	readFixture(r.t, r.dir, "golden_training.json", &golden)
	return golden
}

// TestRoBERTaGradients compares the classification loss, its logits and every
// gradient. The gradient of the keys' bias is zero but for rounding, since a
// constant added to a row of scores changes no softmax.
func TestRoBERTaGradients(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		r := newTinyRoBERTa(t, b, true, model.ArenaWords)
		golden := r.training()
		c := r.compile(r.inputs(12, golden.Targets), func(g *graph.Graph) {
			loss, logits := r.loss(g, 12)
			g.Output("loss", loss)
			g.Output("logits", logits)
			r.storeGradients(g, loss, nil)
		}, nil)
		c.run()
		rule := ruler{t: t}
		rule.within("loss", c.read("loss"), []float32{float32(golden.Loss)}, 1e-5, 1e-6)
		rule.within("logits", c.read("logits"), slices.Concat(golden.Logits...), 1e-5, 1e-6)
		f := openFixture(t, r.dir, "grads_classification.safetensors")
		if n := len(f.Names()); n != len(r.params.All()) {
			t.Errorf("the fixture has %d gradients, the model %d parameters", n, len(r.params.All()))
		}
		for _, name := range f.Names() {
			rule.within("gradient of "+name, c.read("d "+name), floatsOf(t, f, name), 1e-4, 1e-7)
		}
		rule.report()
	})
}

// TestRoBERTaTrajectory takes ten steps of AdamW with decay 0.01 on every
// parameter, biases and norms included as the fixture has it. A table in several
// ranges of rows is trained to the same bits.
func TestRoBERTaTrajectory(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		var before []float64
		for _, words := range []int{model.ArenaWords, smallArenas} {
			r := newTinyRoBERTa(t, b, true, words)
			golden := r.training()
			losses := r.train(r.inputs(9, golden.Targets), adam(0.01), 10, func(g *graph.Graph) graph.Tensor {
				loss, _ := r.loss(g, 9)
				return loss
			})
			// Tighter than elsewhere: without the decay the losses differ by 3.6e-5.
			checkTrajectory(t, losses, golden.Losses, golden.Spread, 1e-5)
			if before != nil && !slices.Equal(losses, before) {
				t.Errorf("in small arenas the losses are %v, in large ones %v", losses, before)
			}
			before = losses
		}
	})
}
