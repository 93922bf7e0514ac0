package shaders_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"duet/model/shared"
	"duet/shaders"
)

// crossEntropy runs forward and backward and returns the mean loss, the rows'
// losses and the gradient of the logits.
func crossEntropy(t testing.TB, run runner, s shaders.CrossEntropyShape, splits int, logits []float32, targets any, weight []float32, dloss float32) (float32, []float32, []float32) {
	t.Helper()
	losses, weights, saved := zeros(s.Rows), zeros(s.Rows), zeros(2*s.Rows)
	with := func(before []any, after ...any) []any {
		if s.Weighted {
			before = append(before, weight)
		}
		return append(before, after...)
	}
	if splits > 1 {
		partials := zeros(4 * s.Rows * splits)
		before := []any{logits}
		if s.Soft {
			before = append(before, targets)
		}
		run(t, shaders.CrossEntropyPartial(s, splits), with(before, partials)...)
		run(t, shaders.CrossEntropy(s, splits), with([]any{logits, targets}, partials, losses, weights, saved)...)
	} else {
		run(t, shaders.CrossEntropy(s, 1), with([]any{logits, targets}, losses, weights, saved)...)
	}
	loss, normaliser, dlogits := zeros(1), zeros(1), zeros(len(logits))
	run(t, shaders.MeanLoss(s.Rows), losses, weights, loss, normaliser)
	run(t, shaders.CrossEntropyGrad(s), with([]any{[]float32{dloss}, saved, normaliser, logits, targets}, dlogits)...)
	return loss[0], losses, dlogits
}

// bce runs forward and backward of the mean binary cross-entropy.
func bce(t testing.TB, run runner, logits, targets []float32) (float32, []float32) {
	t.Helper()
	n := len(logits)
	x, dlogits := zeros(n), zeros(n)
	run(t, shaders.BCE(n), logits, targets, x)
	for _, p := range shaders.Reduce("mean", []int{n}, []int{0}, shaders.CPU) {
		y := zeros(p.Words)
		run(t, p.Launch, x, y)
		x = y
	}
	run(t, shaders.BCEGrad(n), []float32{1}, logits, targets, dlogits)
	return x[0], dlogits
}

func classes(data []number) []int32 {
	out := make([]int32, len(data))
	for i, v := range data {
		out[i] = int32(v)
	}
	return out
}

func TestCrossEntropyVectors(t *testing.T) {
	for _, file := range []string{"cross_entropy", "cross_entropy_soft"} {
		t.Run(file, func(t *testing.T) {
			forVectors(t, file, func(t *testing.T, run runner, v vector) {
				s := shaders.CrossEntropyShape{Rows: v.Inputs[0].Shape[0], Classes: v.Inputs[0].Shape[1], Soft: file == "cross_entropy_soft"}
				var targets any = v.Inputs[1].f()
				if !s.Soft {
					targets = classes(v.Inputs[1].Data)
					s.IgnoreIndex, s.Smoothing = v.attr("ignore_index"), float32(v.Attrs["label_smoothing"].(float64))
				}
				for _, splits := range []int{1, 2, s.Classes} {
					loss, _, dlogits := crossEntropy(t, run, s, splits, v.Inputs[0].f(), targets, nil, v.OutputGrads[0].f()[0])
					nearVector(t, "loss", []float32{loss}, v.Outputs[0].f())
					nearVector(t, "dlogits", dlogits, v.InputGrads[0].f())
				}
			})
		})
	}
}

func TestBCEVectors(t *testing.T) {
	forVectors(t, "bce_with_logits", func(t *testing.T, run runner, v vector) {
		loss, dlogits := bce(t, run, v.Inputs[0].f(), v.Inputs[1].f())
		nearVector(t, "loss", []float32{loss}, v.Outputs[0].f())
		nearVector(t, "dlogits", dlogits, v.InputGrads[0].f())
	})
}

// nested reads arrays of any depth as their elements in order.
type nested []float32

func (n *nested) UnmarshalJSON(text []byte) error {
	var list []nested
	if json.Unmarshal(text, &list) == nil {
		*n = nested{}
		for _, l := range list {
			*n = append(*n, l...)
		}
		return nil
	}
	var v number
	err := json.Unmarshal(text, &v)
	*n = nested{float32(v)}
	return err
}

// The losses of ../shared/fixtures/losses, at their tolerance of 1e-5 relative
// and 1e-6 absolute.
func TestLossFixtures(t *testing.T) {
	for _, name := range []string{"label_smoothing", "weighted_ce", "ce_extreme", "soft_target_ce", "mlm_ce_ignore_index", "itm_ce", "itm_bce", "itm_bce_extreme"} {
		data := shared.Read(t, "fixtures", "losses", name+".json")
		var f struct {
			Inputs, Grads map[string]nested
			Params        map[string]number
			Loss          number
		}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, run runner) {
				logits, targets := f.Inputs["logits"], f.Inputs["targets"]
				var loss float32
				var dlogits []float32
				if name == "itm_bce" || name == "itm_bce_extreme" {
					loss, dlogits = bce(t, run, logits, targets)
				} else {
					s := shaders.CrossEntropyShape{Rows: len(targets), IgnoreIndex: -100, Smoothing: float32(f.Params["epsilon"])}
					s.Weighted = f.Inputs["class_weight"] != nil
					if v, ok := f.Params["ignore_index"]; ok {
						s.IgnoreIndex = int(v)
					}
					var to any = []float32(targets)
					if s.Soft = name == "soft_target_ce"; s.Soft {
						s.Rows = 4
					} else {
						ids := make([]int32, len(targets))
						for i, y := range targets {
							ids[i] = int32(y)
						}
						to = ids
					}
					s.Classes = len(logits) / s.Rows
					loss, _, dlogits = crossEntropy(t, run, s, 1, logits, to, f.Inputs["class_weight"], 1)
				}
				near(t, "loss", []float32{loss}, []float32{float32(f.Loss)}, 1e-5, 1e-6)
				want := f.Grads["logits"]
				if len(dlogits) != len(want) || len(want) == 0 {
					t.Fatalf("%d gradients, want %d", len(dlogits), len(want))
				}
				for i := range want {
					near(t, fmt.Sprint("dlogits of ", i), dlogits[i:i+1], want[i:i+1], 1e-5, 1e-6)
				}
			})
		})
	}
}

// A batch without any target: loss and gradient are 0.
func TestCrossEntropyAllIgnored(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		s := shaders.CrossEntropyShape{Rows: 3, Classes: 4, IgnoreIndex: -100, Smoothing: 0.1}
		loss, _, dlogits := crossEntropy(t, run, s, 1, normal(1, 12), []int32{-100, -1, 4}, nil, 1)
		if loss != 0 {
			t.Errorf("loss %g, want 0", loss)
		}
		near(t, "dlogits", dlogits, zeros(12), 0, 0)
	})
}

// Every variant over odd sizes: gradients against finite differences of the
// twin, splits against one pass, device against twin.
func TestCrossEntropyVariants(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, sizes := range [][2]int{{1, 1}, {3, 5}, {5, 64}, {65, 63}, {2, 65}} {
		for variant := range 8 {
			s := shaders.CrossEntropyShape{Rows: sizes[0], Classes: sizes[1], IgnoreIndex: 0, Weighted: variant&1 != 0, Soft: variant&2 != 0}
			if variant&4 != 0 {
				s.Smoothing = 0.2
			}
			t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
				logits, weight := normal(1, s.Rows*s.Classes), normal(2, s.Classes)
				for i := range weight {
					weight[i] = 0.5 + weight[i]*weight[i]
				}
				ids := make([]int32, s.Rows)
				for i := range ids {
					ids[i] = int32(rng.IntN(s.Classes)) // class 0 is ignored
				}
				ids[0] = int32(s.Classes - 1)
				var targets any = ids
				if s.Soft {
					q := normal(3, s.Rows*s.Classes)
					for i := range q {
						q[i] = q[i] * q[i] / float32(s.Classes)
					}
					targets = q
				}
				loss, losses, dlogits := crossEntropy(t, runTwin, s, 1, logits, targets, weight, 1)
				if s.Rows*s.Classes < 400 {
					gradcheck(t, [][]float32{logits}, [][]float32{dlogits}, []float32{1}, 0.05, 2e-4, func(in [][]float32) []float32 {
						loss, _, _ := crossEntropy(t, runTwin, s, 1, in[0], targets, weight, 1)
						return []float32{loss}
					})
				}
				for _, splits := range []int{2, 3, 7} {
					if splits > s.Classes {
						continue
					}
					l, ls, d := crossEntropy(t, runDevice, s, splits, logits, targets, weight, 1)
					near(t, "loss of splits", []float32{l}, []float32{loss}, 2e-6, 0)
					near(t, "losses of splits", ls, losses, 2e-6, 0)
					near(t, "dlogits of splits", d, dlogits, 2e-6, 0)
				}
				l, ls, d := crossEntropy(t, runDevice, s, 1, logits, targets, weight, 1)
				near(t, "loss", []float32{l}, []float32{loss}, 2e-6, 0)
				near(t, "losses", ls, losses, 2e-6, 0)
				near(t, "dlogits", d, dlogits, 2e-6, 1e-7)
			})
		}
	}
}

// Splitting copes with chunks of −∞ (masked classes), and large logits do not overflow.
func TestCrossEntropyMasked(t *testing.T) {
	inf := float32(math.Inf(-1))
	logits := []float32{inf, 300, inf, 301, inf, inf}
	s := shaders.CrossEntropyShape{Rows: 1, Classes: 6, IgnoreIndex: -100}
	onBoth(t, func(t *testing.T, run runner) {
		for _, splits := range []int{1, 2, 6} {
			loss, _, dlogits := crossEntropy(t, run, s, splits, logits, []int32{1}, nil, 1)
			near(t, "loss", []float32{loss}, []float32{1.3132617}, 1e-6, 0)
			near(t, "dlogits", dlogits, []float32{0, -0.7310586, 0, 0.7310586, 0, 0}, 1e-5, 0)
		}
	})
	if got := shaders.CrossEntropySplits(shaders.CrossEntropyShape{Rows: 32, Classes: 101}); got != 1 {
		t.Errorf("a small head is split in %d", got)
	}
	if got := shaders.CrossEntropySplits(shaders.CrossEntropyShape{Rows: 300, Classes: 50265}); got < 8 {
		t.Errorf("a vocabulary is split in %d only", got)
	}
}
