package shaders_test

import (
	"encoding/json"
	"math"
	"testing"

	"duet/model/shared"
	"duet/shaders"
)

// An arena lays tensors out as the optimiser wants them.
func arena(tensors [][]float32, padding float32) (data []float32, words []int) {
	for _, x := range tensors {
		words = append(words, len(x))
		data = append(data, x...)
		for len(data)%shaders.BlockWords != 0 {
			data = append(data, padding)
		}
	}
	return data, words
}

// An optimiser is the buffers of a run of Adam over one arena.
type optimiser struct {
	hyper     shaders.AdamHyper
	decoupled bool
	blocks    []uint32
	weights   []float32
	m, v      []float32
	clip      []float32
}

func (o *optimiser) step(t *testing.T, run runner, grads []float32) {
	o.hyper.Step++
	hyper := o.hyper.Words()
	n := len(o.weights)
	if o.hyper.MaxNorm == 0 {
		run(t, shaders.Adam(n, o.decoupled, false), o.blocks, hyper, grads, o.weights, o.m, o.v)
		return
	}
	partials := zeros(shaders.GradNormWords(n))
	run(t, shaders.GradNormPartial(n), o.blocks, hyper, grads, partials)
	run(t, shaders.GradNorm(len(partials)), hyper, partials, o.clip)
	run(t, shaders.Adam(n, o.decoupled, true), o.blocks, hyper, o.clip, grads, o.weights, o.m, o.v)
}

func TestAdamVectors(t *testing.T) {
	data := shared.Read(t, "vectors", "torch-gradients", "optimizer.json")
	var cases []struct {
		Name  string
		Attrs struct {
			Kind        string
			LR          float64 `json:"lr"`
			Eps         float64
			WeightDecay float64 `json:"weight_decay"`
			Betas       []float64
			MaxNorm     float64 `json:"max_norm"`
		}
		Params []vectorTensor
		Steps  []struct {
			Grads, Params []vectorTensor
			TotalNorm     float64 `json:"total_norm"`
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	values := func(list []vectorTensor) (out [][]float32) {
		for _, v := range list {
			out = append(out, v.f())
		}
		return out
	}
	onBoth(t, func(t *testing.T, run runner) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				if len(c.Steps) == 0 {
					t.Fatal("the case has no steps")
				}
				weights, words := arena(values(c.Params), 0)
				n := len(weights)
				o := &optimiser{
					hyper: shaders.AdamHyper{Beta1: 0.9, Beta2: 0.999, Eps: c.Attrs.Eps, MaxNorm: c.Attrs.MaxNorm,
						Groups: []shaders.AdamGroup{{LearningRate: c.Attrs.LR, WeightDecay: c.Attrs.WeightDecay}}},
					decoupled: c.Attrs.Kind == "AdamW",
					blocks:    shaders.AdamBlocks(words, make([]int, len(words))),
					weights:   weights, m: zeros(n), v: zeros(n), clip: zeros(2),
				}
				if b := c.Attrs.Betas; len(b) == 2 {
					o.hyper.Beta1, o.hyper.Beta2 = b[0], b[1]
				}
				for i, s := range c.Steps {
					// What lies in the padding of gradients must not matter.
					grads, _ := arena(values(s.Grads), float32(math.NaN()))
					o.step(t, run, grads)
					want, _ := arena(values(s.Params), 0)
					nearVector(t, "weights", o.weights, want)
					if c.Attrs.MaxNorm > 0 && math.Abs(float64(o.clip[1])-s.TotalNorm) > 1e-6*s.TotalNorm {
						t.Errorf("step %d: norm %g, want %g", i, o.clip[1], s.TotalNorm)
					}
				}
			})
		}
	})
}

// Groups have their own rates and decay, frozen ones stay as they are and do
// not count in the norm; L2 decay adds to the gradient.
func TestAdamGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, run runner) {
		tensors := [][]float32{{1, 2, 3}, normal(1, 65), normal(2, 130)}
		weights, words := arena(tensors, 0)
		before, n := append([]float32(nil), weights...), len(weights)
		o := &optimiser{
			hyper: shaders.AdamHyper{Beta1: 0.5, Beta2: 0.75, Eps: 0, MaxNorm: 1e9, Groups: []shaders.AdamGroup{
				{LearningRate: 0.1, WeightDecay: 2}, {LearningRate: 1, Frozen: true}, {LearningRate: 0.01},
			}},
			blocks:  shaders.AdamBlocks(words, []int{0, 1, 2}),
			weights: weights, m: zeros(n), v: zeros(n), clip: zeros(2),
		}
		grads := zeros(n)
		for i := range grads {
			grads[i] = 1
		}
		o.step(t, run, grads)
		// The first step of Adam moves by the learning rate against the sign.
		for i, b := range before {
			want := b
			switch {
			case i < 3:
				want -= 0.1
			case i >= 64+128 && i < 64+128+130:
				want -= 0.01
			}
			if math.Abs(float64(o.weights[i]-want)) > 1e-6 {
				t.Fatalf("weight %d is %g, want %g", i, o.weights[i], want)
			}
		}
		// m = (1 − β1)·(g + λ·w)
		near(t, "m of group 0", o.m[:3], []float32{1.5, 2.5, 3.5}, 1e-6, 0)
		near(t, "m of group 1", o.m[64:192], zeros(128), 0, 0)
		if want := math.Sqrt(3 + 130); math.Abs(float64(o.clip[1])-want) > 1e-5 || o.clip[0] != 1 {
			t.Errorf("clip %v, want 1 and %g", o.clip, want)
		}
	})
}

func TestAdamOnDevice(t *testing.T) {
	for _, n := range []int{64, 4096, 64 * 301} {
		words := []int{n - 64 + 1, 1}
		if n == 64 {
			words = []int{63}
		}
		blocks := shaders.AdamBlocks(words, make([]int, len(words)))
		n := 64 * len(blocks)
		hyper := shaders.AdamHyper{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, MaxNorm: 1, Step: 3,
			Groups: []shaders.AdamGroup{{LearningRate: 1e-3, WeightDecay: 0.01}}}.Words()
		grads, weights, m, v := normal(1, n), normal(2, n), normal(3, n), normal(4, n)
		for i := range v {
			v[i] *= v[i]
		}
		for variant := range 4 {
			args := []any{blocks, hyper, []float32{0.25, 4}, grads, weights, m, v}
			if variant&2 == 0 {
				args = append(args[:2:2], args[3:]...)
			}
			compareBoth(t, 1e-6, shaders.Adam(n, variant&1 != 0, variant&2 != 0), args...)
		}
		partials := shaders.GradNormWords(n)
		squares := normal(5, 3*partials)
		for i := range squares {
			squares[i] *= squares[i]
		}
		compareBoth(t, 1e-5, shaders.GradNormPartial(n), blocks, hyper, grads, zeros(partials))
		compareBoth(t, 1e-6, shaders.GradNorm(3*partials), hyper, squares, zeros(2))
	}
}
