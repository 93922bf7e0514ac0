package conform

import (
	"encoding/json"
	"fmt"
	"math"

	"duet/gpu"
	"duet/shaders"
)

// An optimizerCase is some steps of Adam or AdamW over stated gradients.
type optimizerCase struct {
	Name   string
	Attrs  map[string]any
	Params []*Value
	Steps  []struct {
		Grads     []*Value
		TotalNorm *float64 `json:"total_norm"` // before clipping
		Params    []*Value // after the step
	}
}

func parseOptimizer(text []byte) ([]*Case, error) {
	var list []*optimizerCase
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	var cases []*Case
	for _, o := range list {
		c := &Case{Name: o.Name, Op: "optimizer", optimizer: o, inputs: o.Params}
		for _, s := range o.Steps {
			if len(s.Grads) != len(o.Params) || len(s.Params) != len(o.Params) {
				return nil, fmt.Errorf("case %s: a step has %d gradients and %d results for %d parameters", o.Name, len(s.Grads), len(s.Params), len(o.Params))
			}
			c.inputs, c.outputs = append(c.inputs[:len(c.inputs):len(c.inputs)], s.Grads...), append(c.outputs, s.Params...)
		}
		for _, v := range append(c.inputs, c.outputs...) {
			if v == nil {
				return nil, fmt.Errorf("case %s: a tensor is left out", o.Name)
			}
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// An arena holds tensors one after the other, as the optimiser's kernels want
// them.
type arena struct {
	words   []int // of each tensor
	offsets []int // of each tensor, in words
	size    int   // in words
}

func newArena(tensors []*Value) arena {
	var a arena
	for _, t := range tensors {
		a.words = append(a.words, t.Len())
		a.offsets = append(a.offsets, a.size)
		a.size += (t.Len() + shaders.BlockWords - 1) / shaders.BlockWords * shaders.BlockWords
	}
	return a
}

// content lays out tensors as the arena's.
func (a arena) content(tensors []*Value) []byte {
	out := make([]byte, 4*a.size)
	for i, t := range tensors {
		if t.Len() != a.words[i] {
			mismatch("%s has shape %v, want %d elements", t.Name, t.Shape, a.words[i])
		}
		copy(out[4*a.offsets[i]:], t.floats()[:4*t.Len()])
	}
	return out
}

// blocks is the content of the optimiser's table of blocks.
func (a arena) blocks() []byte {
	groups := make([]int, len(a.words))
	words := shaders.AdamBlocks(a.words, groups)
	return gpu.Floats(shaders.Words(words).F())
}

// checks compares a buffer laid out as the arena with tensors.
func (j *job) checkArena(buffer string, a arena, tensors []*Value) {
	for i, t := range tensors {
		if t != nil {
			j.checks = append(j.checks, check{buffer: buffer, offset: a.offsets[i], want: t})
		}
	}
}

// state declares an external buffer with a content.
func (j *job) state(name string, content []byte) gpu.View {
	j.contents[name] = content
	return j.program.External(name, len(content)/4)
}

// build runs the steps one after the other in one program, storing the
// parameters after each.
func (o *optimizerCase) build(name string) (*job, error) {
	attrs := newAttributes(o.Attrs)
	kind := attrs.string("kind", "")
	if kind != "Adam" && kind != "AdamW" {
		unsupported("optimizer with attribute kind %s", kind)
	}
	h := shaders.AdamHyper{Beta1: 0.9, Beta2: 0.999, Eps: attrs.float("eps", 1e-8), MaxNorm: attrs.float("max_norm", 0)}
	if betas, ok := attrs.get("betas").([]any); ok && len(betas) == 2 {
		h.Beta1, _ = betas[0].(float64)
		h.Beta2, _ = betas[1].(float64)
	}
	h.Groups = []shaders.AdamGroup{{LearningRate: attrs.float("lr", 1e-3), WeightDecay: attrs.float("weight_decay", 0)}}
	if unused := attrs.unused(); unused != "" {
		unsupported("optimizer with attribute %s", unused)
	}
	a := newArena(o.Params)
	j := &job{program: &gpu.Program{Name: name}, contents: map[string][]byte{}}
	blocks, weights := j.state("blocks", a.blocks()), j.state("weights", a.content(o.Params))
	m, v := j.state("m", make([]byte, 4*a.size)), j.state("v", make([]byte, 4*a.size))
	for i, step := range o.Steps {
		at := func(what string) string { return fmt.Sprintf("%s of step %d", what, i+1) }
		h.Step = i + 1
		hyper, grads := j.state(at("hyper"), gpu.Floats(h.Words())), j.state(at("gradients"), a.content(step.Grads))
		args := []gpu.View{blocks, hyper}
		if h.MaxNorm > 0 {
			n := shaders.GradNormWords(a.size)
			parts, clip := j.program.Temp(at("parts"), n), j.state(at("clip"), make([]byte, 16))
			j.program.Add(at("norm parts"), shaders.GradNormPartial(a.size), blocks, hyper, grads, parts)
			j.program.Add(at("norm"), shaders.GradNorm(n), hyper, parts, clip)
			args = append(args, clip)
			if step.TotalNorm != nil {
				norm := &Value{Name: at("total_norm"), DType: "float32", Data: data{*step.TotalNorm}}
				j.checks = append(j.checks, check{buffer: at("clip"), offset: 1, want: norm})
			}
		}
		j.program.Add(at("adam"), shaders.Adam(a.size, kind == "AdamW", h.MaxNorm > 0), append(args, grads, weights, m, v)...)
		j.program.Add(at("store"), shaders.Unary("identity", a.size), weights, j.program.External(at("parameters"), a.size))
		j.checkArena(at("parameters"), a, step.Params)
	}
	return j, nil
}

// buildAdam runs one step of ONNX's Adam: inputs rate, step count, then all
// tensors, all gradients, and all first and second moments; outputs tensors and
// moments. There the bias corrections scale the rate, so that eps counts 1/√(1 −
// βᵗ) of ours; at step 0 there are none.
func buildAdam(c *Case) (*job, error) {
	attrs := newAttributes(c.operators[0].Attrs)
	h := shaders.AdamHyper{Beta1: attrs.float("alpha", 0.9), Beta2: attrs.float("beta", 0.999), Eps: attrs.float("epsilon", 0)}
	decay, post := attrs.float("norm_coefficient", 0), attrs.float("norm_coefficient_post", 0)
	if unused := attrs.unused(); unused != "" {
		unsupported("Adam with attribute %s", unused)
	}
	n := (len(c.inputs) - 2) / 4
	if n < 1 || len(c.inputs) != 2+4*n || len(c.outputs) != 3*n {
		mismatch("Adam with %d inputs and %d outputs", len(c.inputs), len(c.outputs))
	}
	for _, v := range c.inputs {
		if v == nil {
			mismatch("Adam lacks an input")
		}
	}
	h.Step = int(c.inputs[1].at(0))
	h.Groups = []shaders.AdamGroup{{LearningRate: c.inputs[0].at(0), WeightDecay: decay}}
	words := h.Words()
	if h.Step == 0 {
		words[4], words[5] = 1, 1
	} else {
		words[6] = float32(h.Eps / math.Sqrt(1-math.Pow(h.Beta2, float64(h.Step))))
	}
	part := func(list []*Value, i int) []*Value { return list[i*n : (i+1)*n] }
	inputs := c.inputs[2:]
	a := newArena(part(inputs, 0))
	j := &job{program: &gpu.Program{Name: c.Name}, contents: map[string][]byte{}}
	args := []gpu.View{j.state("blocks", a.blocks()), j.state("hyper", gpu.Floats(words)),
		j.state("gradients", a.content(part(inputs, 1))), j.state("weights", a.content(part(inputs, 0))),
		j.state("m", a.content(part(inputs, 2))), j.state("v", a.content(part(inputs, 3)))}
	j.program.Add("adam", shaders.Adam(a.size, false, false), args...)
	j.program.Add("store", shaders.UnaryWith("affine", a.size, float32(1-post), 0), args[3], j.program.External("results", a.size))
	for i, buffer := range []string{"results", "m", "v"} {
		j.checkArena(buffer, a, part(c.outputs, i))
	}
	return j, nil
}
