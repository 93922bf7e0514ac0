package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/shaders"
)

// randomGraphs is how many random graphs the properties are checked on.
const randomGraphs = 40

// sound returns graph number seed when it can be judged: away from points
// without a derivative, well conditioned, and with moderate values.
func sound(t *testing.T, seed uint64) (*randomGraph, *oracle, map[string][]float64) {
	t.Helper()
	r, g, err := buildRandom(seed, 12, false)
	if err != nil {
		t.Fatalf("graph %d: %v", seed, err)
	}
	inputs := map[string][]float64{}
	for name, x := range r.input {
		for _, v := range x {
			inputs[name] = append(inputs[name], float64(v))
		}
	}
	o := evaluate(g, inputs)
	if o.kink < 1e-4 || o.condition > 10 || o.largest() > 50 {
		return nil, nil, nil
	}
	return r, o, inputs
}

// TestRandomGraphs checks, on random graphs full of shared operands and
// residuals, that
//
//   - values and gradients on the twins agree with a float64 evaluation and its
//     central differences, in graphs with and without gradients (where other
//     values are free to be fused away),
//   - kernel fusion changes neither,
//   - the device agrees with the twins,
//   - no two live buffers share memory, and
//   - every kernel-fusion rule took part somewhere.
func TestRandomGraphs(t *testing.T) {
	device := gputest.Open(t)
	rules := map[string]int{}
	judged, saved := 0, 0
	var worst spread
	for seed := uint64(0); judged < randomGraphs; seed++ {
		if seed > 20*randomGraphs {
			t.Fatalf("only %d of %d random graphs can be judged", judged, seed)
		}
		r, o, inputs := sound(t, seed)
		if r == nil {
			continue
		}
		judged++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for _, gradients := range []bool{false, true} {
				fused, plain := lowerRandom(t, seed, gradients, false), lowerRandom(t, seed, gradients, true)
				saved += len(plain.Dispatch) - len(fused.Dispatch)
				countRules(t, seed, gradients, rules)
				checkSharing(t, fused)
				twins := gputest.Run(t, gpu.NewReference(), fused, r.input)
				for _, name := range append(r.outputs, "loss") {
					want := o.of(storedAs(o.g, name))
					worst.value = max(worst.value, off(t, name, twins[name], want, 2e-5))
				}
				if gradients {
					worst.gradient = max(worst.gradient, checkAgainstDifferences(t, r, o, inputs, twins))
				}
				unfused := gputest.Run(t, gpu.NewReference(), plain, r.input)
				onDevice := gputest.Run(t, device, fused, r.input)
				for name, want := range unfused {
					worst.fusion = max(worst.fusion, off(t, "fused "+name, twins[name], widen(want), 1e-4))
					worst.device = max(worst.device, off(t, name+" on the device", onDevice[name], widen(twins[name]), 1e-4))
				}
				if t.Failed() {
					t.Fatalf("graph %d, gradients %v:\n%s\n%s", seed, gradients, o.g, fused)
				}
			}
		})
	}
	t.Logf("%d graphs, %d dispatches saved by fusion; largest errors, as shares of a tensor's largest value: values %.2g, gradients %.2g, fusion %.2g, device %.2g",
		judged, saved, worst.value, worst.gradient, worst.fusion, worst.device)
	for _, rule := range fusionRules {
		if rules[rule] == 0 {
			t.Errorf("no random graph used the rule %s; used were %v", rule, rules)
		}
	}
	t.Logf("rules used: %v", rules)
}

// TestFusedGradientsKeepTheirOrder is a feature map with a residual block and a
// convolution over it: the convolution's gradient adds the block's masked one,
// which batch-norm's gradient must then not make in passing, further down.
func TestFusedGradientsKeepTheirOrder(t *testing.T) {
	r := &randomGraph{rng: rand.New(rand.NewPCG(1, 2)), input: map[string][]float32{}}
	lower := func(unfused bool) *gpu.Program {
		g, err := Build(func(g *Graph) {
			r.g = g
			x, gamma, beta, w := r.input32("x", 2, 3, 3, 4), r.input32("gamma", 4), r.input32("beta", 4), r.input32("w", 4, 3, 3, 4)
			block := x.BatchNorm(gamma, beta, g.Constant(0, 4), g.Constant(1, 4), 1e-5, 0).Add(x).ReLU()
			loss := block.Add(x.Conv2D(w, 1, 1)).Tanh().Sum()
			for i, d := range g.Gradients(loss, x, gamma, beta, w) {
				g.Output(fmt.Sprint("d", i), d)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		g.unfused = unfused
		p, err := g.Lower("block beside convolution", shaders.CPU)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	fused, plain := lower(false), lower(true)
	if len(fused.Dispatch) >= len(plain.Dispatch) {
		t.Errorf("%d dispatches with fusion, %d without", len(fused.Dispatch), len(plain.Dispatch))
	}
	got := gputest.Run(t, gpu.NewReference(), fused, r.input)
	for name, want := range gputest.Run(t, gpu.NewReference(), plain, r.input) {
		off(t, name, got[name], widen(want), 1e-5)
	}
}

type spread struct{ value, gradient, fusion, device float64 }

func lowerRandom(t *testing.T, seed uint64, gradients, unfused bool) *gpu.Program {
	t.Helper()
	_, g, err := buildRandom(seed, 12, gradients)
	if err != nil {
		t.Fatal(err)
	}
	g.unfused = unfused
	p, err := g.Lower(fmt.Sprintf("random %d", seed), gputest.Open(t).Info().Target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// storedAs returns the tensor that is the output of that name.
func storedAs(g *Graph, name string) Tensor {
	for _, s := range g.stores {
		if s.slot.Buffer == name {
			return s.t
		}
	}
	panic("no output " + name)
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// off returns the largest difference as a share of the largest value, at least
// of 0.1, and fails the test where it is above tolerance.
func off(t *testing.T, name string, got []float32, want []float64, tolerance float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", name, len(got), len(want))
	}
	largest, worst := 0.1, 0.0
	for i, w := range want {
		largest = max(largest, math.Abs(w))
		if d := math.Abs(float64(got[i]) - w); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= tolerance*largest) {
		t.Errorf("%s is off by %.2g, its largest value is %.2g", name, worst, largest)
	}
	return worst / largest
}

// checkAgainstDifferences compares gradients with central differences of the
// float64 evaluation: for every leaf along a random direction, which reaches
// all of its elements, and for a few of them alone.
func checkAgainstDifferences(t *testing.T, r *randomGraph, o *oracle, inputs map[string][]float64, got map[string][]float32) (worst float64) {
	t.Helper()
	const h = 1e-6
	rng := rand.New(rand.NewPCG(5, uint64(len(inputs))))
	loss := func(name string, moved []float64) float64 {
		old := inputs[name]
		inputs[name] = moved
		defer func() { inputs[name] = old }()
		return evaluate(o.g, inputs).of(r.loss)[0]
	}
	for _, name := range r.trainable {
		x, d := inputs[name], got["d "+name]
		if d == nil {
			d = make([]float32, len(x)) // the loss does not depend on it
		}
		size := 0.1
		for _, v := range d {
			size = max(size, math.Abs(float64(v)))
		}
		for try := range 4 {
			direction := make([]float64, len(x))
			if try == 0 {
				for i := range direction {
					direction[i] = rng.NormFloat64() / math.Sqrt(float64(len(x)))
				}
			} else {
				direction[rng.IntN(len(x))] = 1
			}
			up := zip(x, direction, func(a, b float64) float64 { return a + h*b })
			down := zip(x, direction, func(a, b float64) float64 { return a - h*b })
			want, have := (loss(name, up)-loss(name, down))/(2*h), 0.0
			for i, u := range direction {
				have += float64(d[i]) * u
			}
			share := math.Abs(want-have) / size
			worst = max(worst, share)
			if !(share <= 1e-4) {
				t.Errorf("gradient of %s is %.6g, central differences give %.6g; its largest element is %.2g", name, have, want, size)
			}
		}
	}
	return worst
}

// checkSharing checks a plan by its own count of uses: buffers of one slot are
// never alive together and fit into it, and the peak is what all buffers take.
func checkSharing(t *testing.T, p *gpu.Program) {
	t.Helper()
	plan, err := gpu.NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	first, last := map[int]int{}, map[int]int{}
	for i, d := range slices.Concat(p.Setup, p.Dispatch) {
		for _, a := range d.Args {
			if _, ok := first[a.Buffer]; !ok {
				first[a.Buffer] = i
			}
			last[a.Buffer] = i
		}
	}
	peak := plan.Uniforms
	for _, s := range plan.Slots {
		peak += s.Size
		for i, b := range s.Buffers {
			if p.Buffers[b].Size > s.Size {
				t.Errorf("%s does not fit into its slot", p.Buffers[b].Name)
			}
			for _, c := range s.Buffers[:i] {
				if first[b] <= last[c] && first[c] <= last[b] {
					t.Errorf("%s and %s are alive together and share a slot", p.Buffers[b].Name, p.Buffers[c].Name)
				}
			}
		}
	}
	for i, b := range p.Buffers {
		_, used := first[i]
		switch {
		case b.Kind == gpu.Temp && used && plan.SlotOf[i] < 0:
			t.Errorf("%s has no memory", b.Name)
		case b.Kind == gpu.Persistent && used:
			peak += b.Size
		}
	}
	if peak != plan.Peak() {
		t.Errorf("the plan's peak is %d bytes, its buffers take %d", plan.Peak(), peak)
	}
}

// fusionRules names what kernel fusion makes, see fuse.
var fusionRules = []string{
	"matmul+bias", "matmul+residual", "matmul+relu", "matmul+gelu",
	"conv2d+bias", "conv2d+residual", "conv2d+relu", "conv2d+gelu", "conv2d_grad_input+residual",
	"fusion+gelu", "batchnorm+relu", "batchnorm+residual+relu",
	"batchnorm_grad+relu", "batchnorm_grad+residual+relu", "layernorm+residual", "layernorm+residual+sum",
}

// countRules counts the kernels that fusion makes of a graph.
func countRules(t *testing.T, seed uint64, gradients bool, rules map[string]int) {
	_, g, err := buildRandom(seed, 12, gradients)
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string, used bool) {
		if used {
			rules[kind]++
		}
	}
	for _, n := range fuse(g, g.reachable(g.nodes)) {
		switch o := n.op.(type) {
		case matmul:
			add("matmul+bias", o.Bias)
			add("matmul+residual", o.Residual)
			add("matmul+"+o.Act, o.Act != "")
		case conv2D:
			add("conv2d+bias", o.Bias)
			add("conv2d+residual", o.Residual)
			add("conv2d+"+o.Act, o.Act != "")
		case conv2DGradInput:
			add("conv2d_grad_input+residual", o.residual)
		case fusion:
			add("fusion+"+o.act, o.act != "")
		case batchNorm:
			add("batchnorm+relu", o.relu && !o.residual)
			add("batchnorm+residual+relu", o.relu && o.residual)
		case batchNormGrad:
			add("batchnorm_grad+relu", o.relu && !o.residual)
			add("batchnorm_grad+residual+relu", o.relu && o.residual)
		case layerNorm:
			add("layernorm+residual", o.residual && len(n.out) == 3)
			add("layernorm+residual+sum", len(n.out) > 3)
		}
	}
}
