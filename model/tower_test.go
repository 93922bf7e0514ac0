package model_test

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/graph"
	"duet/model/nn"
	"duet/model/shared"
)

// newResNet places the ResNet of a checkpoint and loads what the file has of it.
func newResNet(t *testing.T, b gpu.Backend, f *checkpoint.File) (*rig, *model.ResNet, model.LoadReport) {
	t.Helper()
	tower, s, err := model.FindResNet(f)
	if err != nil {
		t.Fatal(err)
	}
	ps := nn.NewParams()
	net := model.NewResNet(ps, "visual.", s)
	r := newRig(t, b, ps)
	found, report, err := tower.Sources(ps.All())
	if err == nil {
		err = r.memory.SetAll(found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, net, report
}

func openPath(t *testing.T, elements ...string) *checkpoint.File {
	return openTensors(t, shared.Path(t, append([]string{"fixtures"}, elements...)...))
}

// stagesOf runs the stages of a ResNet over pictures of f and compares them with a
// golden, and what logits makes of the pooled features.
func stagesOf(t *testing.T, r *rig, net *model.ResNet, n, side int, f func(i float64) float64, names []string, golden map[string]stage, tolerance float64, logits func(pooled []float32) []float32) {
	t.Helper()
	c := r.compile(map[string][]byte{"pictures": pictures(n, side, f)}, func(g *graph.Graph) {
		x, mode := g.Input("pictures", n, side, side, 4), &nn.Mode{}
		g.Output("conv1_relu", nn.ConvNorm(net.Conv1, net.BN1, x, mode).ReLU())
		stages := net.Stages(x, mode)
		for i, name := range names {
			g.Output(name, stages[i])
		}
		g.Output("pooled", stages[len(stages)-1].MeanPool())
	}, nil)
	c.run()
	rule := ruler{t: t}
	for name, want := range golden {
		var got []float32
		if name == "logits" {
			got = logits(c.read("pooled"))
		} else {
			got = channelsFirst(c.read(name), n, want.Shape[1], want.Shape[1])
		}
		mean, std, largest := moments(got)
		rule.within(name+" statistics", []float32{mean, std, largest}, []float32{float32(want.Mean), float32(want.Std), float32(want.Max)}, tolerance, 0)
		rule.within(name+" first values", got[:len(want.First)], want.First, tolerance, 1e-6)
	}
	rule.report()
}

func moments(x []float32) (mean, std, largest float32) {
	s := statistics(x)
	return s[0], s[1], s[3]
}

// linearOf computes a linear layer of a file over rows of x.
func linearOf(t *testing.T, f *checkpoint.File, name string, x []float32) []float32 {
	t.Helper()
	w, b := floatsOf(t, f, name+".weight"), floatsOf(t, f, name+".bias")
	in := len(w) / len(b)
	var y []float32
	for row := range slices.Chunk(x, in) {
		for o := range b {
			sum := float64(b[o])
			for i, v := range row {
				sum += float64(v) * float64(w[o*in+i])
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

// TestFoldedResNet loads the genuine ResNet-18 of torchvision whose batch-norms
// are folded and of which four tensors are absent. Those are reported; for the
// goldens of layer4 they are filled as the goldens' were. (On the twins 224 pixels
// would take ten seconds.)
func TestFoldedResNet(t *testing.T) {
	const dir = "resnet18_torchvision_partial"
	f := openPath(t, dir, "resnet18_bnfolded_partial.f32.safetensors")
	var golden struct{ Stages map[string]stage }
	readFixture(t, dir, "golden_stages.json", &golden)
	if len(golden.Stages) != 7 {
		t.Fatalf("%d stages", len(golden.Stages))
	}
	for name, s := range golden.Stages { // its deviations are PyTorch's, of a sample
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		s.Std *= math.Sqrt(float64(n-1) / float64(n))
		golden.Stages[name] = s
	}
	r, net, report := newResNet(t, gputest.Open(t), f)
	missing := []string{"visual.layer4.0.conv1.weight", "visual.layer4.0.conv2.weight", "visual.layer4.1.conv1.weight", "visual.layer4.1.conv2.weight"}
	if !slices.Equal(report.Missing, missing) || !slices.Equal(report.Ignored, []string{"fc.bias", "fc.weight"}) || len(report.Loaded) != 100-4 {
		t.Errorf("%d loaded, ignored %v, missing %v", len(report.Loaded), report.Ignored, report.Missing)
	}
	for _, name := range missing {
		p := r.params.Get(name)
		values := make([]float32, p.Len())
		for i := range values {
			values[i] = float32(0.02 * math.Sin(0.37*float64(i)))
		}
		if err := r.memory.Set(p, values); err != nil {
			t.Fatal(err)
		}
	}
	stagesOf(t, r, net, 1, 224, func(i float64) float64 { return math.Sin(0.01 * i) },
		[]string{"maxpool", "layer1", "layer2", "layer3", "layer4"}, golden.Stages, 1e-4,
		func(pooled []float32) []float32 { return linearOf(t, f, "fc", pooled) })
}

// TestCIFARResNet runs the published ResNet-20 for pictures of 32 pixels, whose
// shortcuts have no weights, from both of its files.
func TestCIFARResNet(t *testing.T) {
	const dir = "resnet_cifar10"
	var golden struct {
		Stages map[string]stage
		Logits [][]float32
	}
	readFixture(t, dir, "golden.json", &golden)
	for _, name := range []string{"resnet20.safetensors", "original/resnet20-12fca82f.th"} {
		t.Run(name, func(t *testing.T) {
			f := openPath(t, dir, name)
			onBackends(t, func(t *testing.T, b gpu.Backend) {
				r, net, report := newResNet(t, b, f)
				if len(report.Missing) > 0 || !slices.Equal(slices.Sorted(slices.Values(report.Ignored)), []string{"linear.bias", "linear.weight"}) || net.Pool || net.Out != 64 {
					t.Errorf("the network %+v, report %+v", net, report)
				}
				stagesOf(t, r, net, 2, 32, func(i float64) float64 { return math.Sin(0.05*i) + 0.5*math.Cos(0.003*i) },
					[]string{"stem", "layer1", "layer2", "layer3"}, golden.Stages, 1e-4,
					func(pooled []float32) []float32 {
						logits := linearOf(t, f, "linear", pooled)
						for i, want := range slices.Concat(golden.Logits...) {
							if math.Abs(float64(want-logits[i])) > 1e-4 {
								t.Errorf("logit %d is %g, want %g", i, logits[i], want)
							}
						}
						return logits
					})
			})
		})
	}
}

// TestPaddedShortcutGradient compares the gradient that reaches a block's input
// through a shortcut without weights with its definition: where a pixel is
// taken, the gradient of the channels in the middle; else none.
func TestPaddedShortcutGradient(t *testing.T) {
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		ps := nn.NewParams()
		net := model.NewResNet(ps, "", model.ResNetShape{Width: 4, Blocks: []int{1, 1}, Stem: model.StemSmall, Shortcut: model.ShortcutPadding})
		r := newRig(t, b, ps)
		block := net.Layers[1][0]
		if err := r.memory.Initialize(1); err != nil {
			t.Fatal(err)
		}
		// The block's own convolutions give nothing, and its sums are positive.
		if err := r.memory.Set(block.BN2.Gamma, make([]float32, 8)); err != nil {
			t.Fatal(err)
		}
		if err := r.memory.Set(block.BN2.Beta, slices.Repeat([]float32{1}, 8)); err != nil {
			t.Fatal(err)
		}
		const side = 5
		x := make([]float32, side*side*4)
		dy := make([]float32, 3*3*8)
		for i := range x {
			x[i] = float32(i) / 100
		}
		for i := range dy {
			dy[i] = float32(i + 1)
		}
		c := r.compile(map[string][]byte{"x": model.Bytes(x), "dy": model.Bytes(dy)}, func(g *graph.Graph) {
			x := g.Param("x", []int{1, side, side, 4}, graph.Slot{Buffer: "x", Words: len(x)}, true)
			y := block.Forward(x, &nn.Mode{Train: true})
			g.Output("y", y)
			g.Output("dx", g.Gradients(y.Mul(g.Input("dy", 1, 3, 3, 8)).Reshape(1, -1).MatMul(g.Constant(1, 1, 72), false, true).Reshape(), x)[0])
		}, nil)
		c.run()
		y, dx := c.read("y"), c.read("dx")
		for row := range side {
			for column := range side {
				for channel := range 4 {
					i := (row*side+column)*4 + channel
					want := float32(0)
					if row%2 == 0 && column%2 == 0 {
						j := (row/2*3+column/2)*8 + 2 + channel
						want = dy[j]
						if math.Abs(float64(y[j]-1-x[i])) > 1e-6 {
							t.Errorf("y at %d is %g, want %g", j, y[j], 1+x[i])
						}
					}
					if dx[i] != want {
						t.Errorf("dx at %d, %d, %d is %g, want %g", row, column, channel, dx[i], want)
					}
				}
			}
		}
	})
}

// TestFoldingIsExact compares a folded batch-norm with the convolution and the
// bias that it stands for, bit for bit.
func TestFoldingIsExact(t *testing.T) {
	f := tensorFile(t, map[string][]int{
		"conv1.weight": {4, 3, 7, 7}, "conv1.bias": {4}, "layer1.0.conv1.weight": {4, 4, 3, 3}, "layer1.0.conv1.bias": {4},
		"layer1.0.conv2.weight": {4, 4, 3, 3}, "layer1.0.conv2.bias": {4},
	})
	onBackends(t, func(t *testing.T, b gpu.Backend) {
		r, net, report := newResNet(t, b, f)
		if len(report.Missing)+len(report.Ignored) > 0 {
			t.Errorf("report %+v", report)
		}
		c := r.compile(map[string][]byte{"pictures": pictures(1, 16, math.Sin), "bias": model.Bytes(floatsOf(t, f, "conv1.bias"))}, func(g *graph.Graph) {
			x, mode := g.Input("pictures", 1, 16, 16, 4), &nn.Mode{}
			g.Output("norm", nn.ConvNorm(net.Conv1, net.BN1, x, mode))
			g.Output("biased", x.Conv2D(net.Conv1.Weight.Tensor(g, false), 2, 3).Add(g.Input("bias", 4)))
		}, nil)
		c.run()
		if norm, bias := c.read("norm"), c.read("biased"); !slices.Equal(norm, bias) || slices.Max(norm) <= 0 {
			t.Errorf("folded %v, convolution with bias %v", norm[:8], bias[:8])
		}
	})
}

// tensorFile is a checkpoint of tensors of such shapes, with values that differ.
func tensorFile(t *testing.T, shapes map[string][]int) *checkpoint.File {
	t.Helper()
	var tensors []checkpoint.Tensor
	for name, shape := range shapes {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(math.Sin(float64(i*i + len(name))))
		}
		tensors = append(tensors, checkpoint.Float32Tensor(name, shape, values))
	}
	var out bytes.Buffer
	if err := checkpoint.WriteSafetensors(&out, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFindResNet takes shapes from names and tensors.
func TestFindResNet(t *testing.T) {
	block := func(shapes map[string][]int, prefix string, in, out int) {
		shapes[prefix+"conv1.weight"], shapes[prefix+"conv2.weight"] = []int{out, in, 3, 3}, []int{out, out, 3, 3}
	}
	resnet34 := map[string][]int{"conv1.weight": {8, 3, 7, 7}, "bn1.weight": {8}, "fc.weight": {2, 64}}
	in := 8
	for i, n := range []int{3, 4, 6, 3} {
		for j := range n {
			prefix := "layer" + string(rune('1'+i)) + "." + string(rune('0'+j)) + "."
			block(resnet34, prefix, in, 8<<i)
			if in != 8<<i {
				resnet34[prefix+"downsample.0.weight"] = []int{8 << i, in, 1, 1}
			}
			in = 8 << i
		}
	}
	inModel := map[string][]int{"text.embeddings.word_embeddings.weight": {3, 2}}
	for name, shape := range resnet34 {
		inModel["visual."+name] = shape
	}
	transformers := map[string][]int{
		"resnet.embedder.embedder.convolution.weight": {8, 3, 7, 7}, "resnet.embedder.embedder.normalization.running_mean": {8},
		"resnet.encoder.stages.0.layers.0.layer.0.convolution.weight": {8, 8, 3, 3}, "resnet.encoder.stages.0.layers.0.layer.1.convolution.weight": {8, 8, 3, 3},
		"resnet.encoder.stages.0.layers.0.layer.1.normalization.running_var": {8},
		"resnet.encoder.stages.1.layers.0.layer.0.convolution.weight":        {16, 8, 3, 3}, "resnet.encoder.stages.1.layers.0.layer.1.convolution.weight": {16, 16, 3, 3},
		"resnet.encoder.stages.1.layers.0.shortcut.convolution.weight": {16, 8, 1, 1}, "resnet.encoder.stages.1.layers.0.shortcut.normalization.bias": {16},
		"classifier.1.weight": {2, 16},
	}
	tests := []struct {
		name   string
		shapes map[string][]int
		want   model.ResNetShape
		err    string
	}{
		{"of transformers", transformers, model.ResNetShape{Width: 8, Blocks: []int{1, 1}, Stem: "conv7", Shortcut: "projection"}, ""},
		{"of transformers, with bottlenecks", map[string][]int{"resnet.embedder.embedder.convolution.weight": {8, 3, 7, 7}, "resnet.encoder.stages.0.layers.0.layer.2.convolution.weight": {8, 8, 1, 1}}, model.ResNetShape{}, "bottleneck blocks"},
		{"ResNet-34", resnet34, model.ResNetShape{Width: 8, Blocks: []int{3, 4, 6, 3}, Stem: "conv7", Shortcut: "projection"}, ""},
		{"in a model", inModel, model.ResNetShape{Width: 8, Blocks: []int{3, 4, 6, 3}, Stem: "conv7", Shortcut: "projection"}, ""},
		{"for small pictures", map[string][]int{"conv1.weight": {16, 3, 3, 3}, "layer1.0.conv1.weight": {16, 16, 3, 3}, "layer2.0.conv1.weight": {32, 16, 3, 3}},
			model.ResNetShape{Width: 16, Blocks: []int{1, 1}, Stem: "conv3", Shortcut: "padding"}, ""},
		{"a RoBERTa", map[string][]int{"embeddings.word_embeddings.weight": {3, 2}}, model.ResNetShape{}, "no conv1.weight"},
		{"grey pictures", map[string][]int{"conv1.weight": {8, 1, 7, 7}}, model.ResNetShape{}, "conv1.weight has shape [8 1 7 7]"},
		{"another stem", map[string][]int{"conv1.weight": {8, 3, 5, 5}}, model.ResNetShape{}, "stems of 7×7 and of 3×3"},
		{"no layers", map[string][]int{"conv1.weight": {8, 3, 7, 7}}, model.ResNetShape{}, "which is no ResNet"},
		{"a layer is missing", map[string][]int{"conv1.weight": {8, 3, 7, 7}, "layer2.0.conv1.weight": {16, 8, 3, 3}}, model.ResNetShape{}, "[0 1] blocks"},
		{"ResNet-50", map[string][]int{"conv1.weight": {64, 3, 7, 7}, "layer1.0.conv3.weight": {256, 64, 1, 1}}, model.ResNetShape{}, "bottleneck blocks (layer1.0.conv3.weight)"},
		{"a thousand layers", map[string][]int{"conv1.weight": {64, 3, 7, 7}, "layer1000.0.conv1.weight": {1}}, model.ResNetShape{}, "1 to 8 layers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got, err := model.FindResNet(tensorFile(t, test.shapes))
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v, want one with %q", err, test.err)
			case test.err == "" && (err != nil || got.Width != test.want.Width || !slices.Equal(got.Blocks, test.want.Blocks) || got.Stem != test.want.Stem || got.Shortcut != test.want.Shortcut):
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

// TestTransformersResNet finds the same parameters under transformers' names, as
// its source gives them.
func TestTransformersResNet(t *testing.T) {
	names := map[string]string{
		"conv1.weight": "resnet.embedder.embedder.convolution.weight", "bn1.weight": "resnet.embedder.embedder.normalization.weight",
		"layer1.0.conv1.weight": "resnet.encoder.stages.0.layers.0.layer.0.convolution.weight", "layer1.0.bn1.bias": "resnet.encoder.stages.0.layers.0.layer.0.normalization.bias",
		"layer1.0.conv2.weight": "resnet.encoder.stages.0.layers.0.layer.1.convolution.weight", "layer1.0.bn2.running_var": "resnet.encoder.stages.0.layers.0.layer.1.normalization.running_var",
		"layer2.1.conv1.weight": "resnet.encoder.stages.1.layers.1.layer.0.convolution.weight", "layer2.0.downsample.1.running_mean": "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_mean",
		"layer2.0.downsample.0.weight": "resnet.encoder.stages.1.layers.0.shortcut.convolution.weight",
	}
	ps := nn.NewParams()
	model.NewResNet(ps, "visual.", model.ResNetShape{Width: 4, Blocks: []int{1, 2}})
	shapes := map[string][]int{"classifier.1.bias": {2}}
	for short, name := range names {
		shapes[name] = ps.Get("visual." + short).Shape
	}
	tower, s, err := model.FindResNet(tensorFile(t, shapes))
	if err != nil || !slices.Equal(s.Blocks, []int{1, 2}) {
		t.Fatal(s, err)
	}
	found, report, err := tower.Sources(ps.All())
	if err != nil || len(found) != len(names) || !slices.Equal(report.Ignored, []string{"classifier.1.bias"}) {
		t.Errorf("%d found, ignored %v, %v", len(found), report.Ignored, err)
	}
	for _, source := range found {
		if want := names[strings.TrimPrefix(source.Param.Name, "visual.")]; source.Tensor != want {
			t.Errorf("%s comes from %s, want %s", source.Param.Name, source.Tensor, want)
		}
	}
}

// TestSourcesCheckShapes refuses a tower that does not fit before it is read.
func TestSourcesCheckShapes(t *testing.T) {
	f := tensorFile(t, map[string][]int{"conv1.weight": {8, 3, 7, 7}, "layer1.0.conv1.weight": {8, 8, 3, 3}, "layer1.0.conv2.weight": {8, 4, 3, 3}})
	tower, s, err := model.FindResNet(f)
	if err != nil {
		t.Fatal(err)
	}
	ps := nn.NewParams()
	model.NewResNet(ps, "visual.", s)
	_, _, err = tower.Sources(ps.All())
	if err == nil || !strings.Contains(err.Error(), "tensor layer1.0.conv2.weight has shape [8 4 3 3], the model's configuration asks for [8 8 3 3]") {
		t.Error(err)
	}
}

// TestFindRoBERTa finds the encoder under all names that it is saved with, and
// its values in both containers.
func TestFindRoBERTa(t *testing.T) {
	const dir = "roberta_tiny_synthetic"
	whole := openPath(t, dir, "model.safetensors")
	under := func(prefix string) *checkpoint.File {
		var tensors []checkpoint.Tensor
		for _, name := range whole.Names() {
			if rest, ok := strings.CutPrefix(name, "roberta."); ok {
				info, _ := whole.Info(name)
				tensors = append(tensors, checkpoint.Tensor{Name: prefix + rest, Dtype: info.Dtype, Shape: info.Shape, Write: func(w io.Writer) error { return whole.CopyFloat32(w, name) }})
			}
		}
		tensors = append(tensors, checkpoint.Float32Tensor(prefix+"pooler.dense.weight", []int{64, 64}, make([]float32, 64*64)))
		tensors = append(tensors, checkpoint.Int64Tensor(prefix+"embeddings.position_ids", []int{1, 66}, make([]int64, 66)))
		var out bytes.Buffer
		if err := checkpoint.WriteSafetensors(&out, tensors, nil); err != nil {
			t.Fatal(err)
		}
		f, err := checkpoint.Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	tests := []struct {
		name    string
		file    *checkpoint.File
		ignored int
	}{
		{"masked language model", whole, 5},
		{"as PyTorch saves it", openPath(t, dir, "pytorch_model.bin"), 5},
		{"encoder alone", under(""), 2},
		{"with its prefix", under("roberta."), 2},
		{"of a model", under("text."), 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tower, err := model.FindRoBERTa(test.file)
			if err != nil {
				t.Fatal(err)
			}
			ps := nn.NewParams()
			model.NewRoBERTa(ps, "text.", tinyText)
			found, report, err := tower.Sources(ps.All())
			if err != nil || len(report.Missing) > 0 || len(report.Ignored) != test.ignored || len(report.Loaded) != 53 {
				t.Fatalf("%d loaded, ignored %v, missing %v, %v", len(report.Loaded), report.Ignored, report.Missing, err)
			}
			for _, s := range found {
				got, err := s.Values()
				if want := floatsOf(t, whole, "roberta."+strings.TrimPrefix(s.Param.Name, "text.")); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s has other values (%v)", s.Param.Name, err)
				}
			}
		})
	}
	if _, err := model.FindRoBERTa(openPath(t, "resnet_cifar10", "resnet20.safetensors")); err == nil {
		t.Error("a ResNet is taken for a RoBERTa")
	}
}
