package model_test

import (
	"math"
	"slices"
	"testing"

	"duet/gpu"
	"duet/model"
	"duet/model/graph"
	"duet/model/nn"
)

// The fixture resnet18_width16: a quarter of ResNet-18's width, ten classes.
type tinyResNet struct {
	*rig
	net *model.ResNet
	fc  *nn.Linear
	dir string
}

func newTinyResNet(t *testing.T, b gpu.Backend) *tinyResNet {
	t.Helper()
	const dir = "resnet18_width16"
	ps := nn.NewParams()
	r := &tinyResNet{dir: dir, net: model.NewResNet(ps, "", model.ResNetShape{Width: 16, Blocks: []int{2, 2, 2, 2}}), fc: nn.NewLinear(ps, "fc", 128, 10)}
	r.rig = newRig(t, b, ps)
	r.load(dir, "model.safetensors")
	return r
}

// classify is the network with its fc.
func (r *tinyResNet) classify(x graph.Tensor, mode *nn.Mode) graph.Tensor {
	return r.fc.Forward(r.net.Forward(x, mode).MeanPool(), mode)
}

// stage is what golden_stages.json says of a feature map.
type stage struct {
	Shape               []int
	Mean, Std, Min, Max float64
	L2                  float64
	First               []float32   `json:"first16"`
	Values              [][]float32 // of the logits only
}

// TestResNetStages compares every feature map, the pooled features and the
// logits with the fixture, for pictures of 64 and of 224 pixels.
func TestResNetStages(t *testing.T) {
	inputs := []struct {
		name    string
		n, side int
		f       func(i float64) float64
	}{
		{"s64", 2, 64, func(i float64) float64 { return math.Sin(0.013 * i) }},
		{"s224", 1, 224, func(i float64) float64 { return 0.6*math.Sin(0.007*i) + 0.6*math.Cos(0.031*i) }},
	}
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for _, in := range inputs {
			t.Run(in.name, func(t *testing.T) {
				r := newTinyResNet(t, b)
				c := r.compile(map[string][]byte{"pictures": pictures(in.n, in.side, in.f)}, func(g *graph.Graph) {
					x, mode := g.Input("pictures", in.n, in.side, in.side, 4), &nn.Mode{}
					g.Output("conv1_bn_relu", nn.ConvNorm(r.net.Conv1, r.net.BN1, x, mode).ReLU())
					stages := r.net.Stages(x, mode)
					for i, name := range []string{"maxpool", "layer1", "layer2", "layer3", "layer4"} {
						g.Output(name, stages[i])
					}
					pooled := stages[4].MeanPool()
					g.Output("avgpool", pooled)
					g.Output("logits", r.fc.Forward(pooled, mode))
				}, nil)
				c.run()
				r.compareStages(c, in.name, in.n)
			})
		}
	})
}

func (r *tinyResNet) compareStages(c *compiled, input string, n int) {
	var golden struct {
		Stages map[string]map[string]stage
	}
	readFixture(r.t, r.dir, "golden_stages.json", &golden)
	full := openFixture(r.t, r.dir, "golden_activations.safetensors")
	if len(golden.Stages[input]) != 8 {
		r.t.Fatalf("the fixture has %d stages of %s", len(golden.Stages[input]), input)
	}
	rule := ruler{t: r.t}
	for name, want := range golden.Stages[input] {
		got := channelsFirst(c.read(name), n, want.Shape[1], want.Shape[1])
		if len(want.Values) > 0 {
			rule.within(name, got, slices.Concat(want.Values...), 1e-4, 1e-7)
		}
		if _, ok := full.Info(input + "." + name); ok {
			rule.within(name, got, floatsOf(r.t, full, input+"."+name), 1e-4, 1e-7)
		}
		rule.within(name+" statistics", statistics(got), []float32{float32(want.Mean), float32(want.Std), float32(want.Min), float32(want.Max), float32(want.L2)}, 1e-4, 1e-7)
		rule.within(name+" first values", got[:len(want.First)], want.First, 1e-4, 1e-7)
	}
	rule.report()
}

// statistics returns mean, standard deviation, minimum, maximum and norm.
func statistics(x []float32) []float32 {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(x))
	mean := sum / n
	return []float32{float32(mean), float32(math.Sqrt(squares/n - mean*mean)), slices.Min(x), slices.Max(x), float32(math.Sqrt(squares))}
}

// resNetTraining is golden_training.json.
type resNetTraining struct {
	Targets []int32
	Eval    resNetRun
	Train   resNetRun
}

type resNetRun struct {
	Loss   float64
	Logits [][]float32
	Losses []float64 `json:"adam_losses"`
	Spread float64   `json:"max_abs_diff_float32"`
}

func (r *tinyResNet) training() (golden resNetTraining, inputs map[string][]byte) {
	readFixture(r.t, r.dir, "golden_training.json", &golden)
	return golden, map[string][]byte{
		"pictures": pictures(4, 64, func(i float64) float64 { return math.Sin(0.013*i) + 0.5*math.Cos(0.0007*i) }),
		"targets":  model.Bytes(golden.Targets),
	}
}

// loss is the mean cross-entropy over the fixture's four pictures.
func (r *tinyResNet) loss(g *graph.Graph, mode *nn.Mode) (loss, logits, x graph.Tensor) {
	x = g.Input("pictures", 4, 64, 64, 4)
	logits = r.classify(x, mode)
	return graph.CrossEntropy{}.Loss(logits, g.Input("targets", 4)), logits, x
}

// The two modes of batch-norm, as the fixture names them.
var batchNormModes = []struct {
	name  string
	batch bool
}{{"eval", false}, {"train", true}}

// TestResNetGradients compares the loss, the logits and the gradient of every
// trainable tensor and of the pictures, for frozen and for batch statistics.
func TestResNetGradients(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for _, m := range batchNormModes {
			t.Run(m.name, func(t *testing.T) {
				r := newTinyResNet(t, b)
				golden, inputs := r.training()
				c := r.compile(inputs, func(g *graph.Graph) {
					loss, logits, x := r.loss(g, &nn.Mode{Train: true, BatchStats: m.batch})
					g.Output("loss", loss)
					g.Output("logits", logits)
					r.storeGradients(g, loss, map[string]graph.Tensor{"input": x})
				}, nil)
				c.run()
				want := golden.Eval
				if m.batch {
					want = golden.Train
				}
				rule := ruler{t: t}
				rule.within("loss", c.read("loss"), []float32{float32(want.Loss)}, 1e-5, 1e-6)
				rule.within("logits", c.read("logits"), slices.Concat(want.Logits...), 1e-4, 1e-7)
				f := openFixture(t, r.dir, "grads_"+m.name+".safetensors")
				if n := len(f.Names()); n != 63 {
					t.Errorf("the fixture has %d gradients, want those of 62 parameters and the input", n)
				}
				for _, name := range f.Names() {
					got := c.read("d " + name)
					if name == "input" {
						got = channelsFirst(got, 4, 4, 3)
					}
					rule.within("gradient of "+name, got, floatsOf(t, f, name), 1e-4, 1e-7)
				}
				rule.report()
			})
		}
	})
}

// TestResNetRunningStatistics runs one forward pass with batch statistics and
// compares the running ones, which move by a tenth.
func TestResNetRunningStatistics(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		r := newTinyResNet(t, b)
		_, inputs := r.training()
		c := r.compile(inputs, func(g *graph.Graph) {
			loss, _, _ := r.loss(g, &nn.Mode{Train: true, BatchStats: true, Momentum: 0.1})
			g.Output("loss", loss)
		}, nil)
		c.run()
		f := openFixture(t, r.dir, "running_stats_after_one_train_forward.safetensors")
		rule := ruler{t: t}
		for _, name := range f.Names() {
			got, err := r.memory.Get(r.params.Get(name))
			if err != nil {
				t.Fatal(err)
			}
			rule.within(name, got, floatsOf(t, f, name), 1e-5, 1e-6)
		}
		rule.report()
	})
}

// TestResNetTrajectory takes ten steps of Adam and compares every loss.
func TestResNetTrajectory(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		for _, m := range batchNormModes {
			t.Run(m.name, func(t *testing.T) {
				r := newTinyResNet(t, b)
				golden, inputs := r.training()
				losses := r.train(inputs, adam(0), 10, func(g *graph.Graph) graph.Tensor {
					loss, _, _ := r.loss(g, &nn.Mode{Train: true, BatchStats: m.batch})
					return loss
				})
				want := golden.Eval
				if m.batch {
					want = golden.Train
				}
				checkTrajectory(t, losses, want.Losses, want.Spread, 1e-4)
			})
		}
	})
}
