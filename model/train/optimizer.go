package train

import (
	"fmt"
	"strings"

	"duet/gpu"
	"duet/model"
	"duet/model/nn"
	"duet/shaders"
)

// The groups of parameters that Adam tells apart: towers and new layers have
// learning rates of their own, norms and biases no weight decay.
const (
	groupTower = iota
	groupTowerNoDecay
	groupNew
	groupNewNoDecay
	groups
)

func groupOf(p *nn.Param) int {
	g := groupTower
	if p.New {
		g = groupNew
	}
	if p.NoDecay {
		g++
	}
	return g
}

// arenas returns the arenas of trained weights.
func (s *Step) arenas() []nn.Arena {
	var out []nn.Arena
	for _, a := range s.memory.Arenas {
		if isWeights(a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// placeOptimizer allocates what Adam reads besides the arenas: the group of
// every block, the hyperparameters, and the partial sums of the gradient's norm.
func (s *Step) placeOptimizer() error {
	partials := 0
	for _, a := range s.arenas() {
		var words, group []int
		s.model.Params.EachIn(a, func(p *nn.Param, place nn.Place) {
			words = append(words, place.Len())
			group = append(group, groupOf(p))
		})
		blocks := shaders.AdamBlocks(words, group)
		b, err := s.memory.Allocate(sibling("adam_blocks", a.Name), len(blocks))
		if err != nil {
			return err
		}
		if err := b.Write(0, model.Bytes(blocks)); err != nil {
			return err
		}
		partials += shaders.GradNormWords(a.Words)
	}
	if partials == 0 {
		return fmt.Errorf("train: every parameter is frozen; nothing can be trained")
	}
	for name, words := range map[string]int{"adam_hyper": len(s.hyper(1)), "grad_norm_parts": partials, "grad_norm": 4} {
		if _, err := s.memory.Allocate(name, words); err != nil {
			return err
		}
	}
	return nil
}

func sibling(kind, weights string) string { return kind + strings.TrimPrefix(weights, nn.Weights) }

// hyper returns the hyperparameters of the step to come, counted from 1.
func (s *Step) hyper(step int) []float32 {
	r := s.recipe
	rate := r.Rate(step-1, s.total)
	h := shaders.AdamHyper{Beta1: r.Beta1, Beta2: r.Beta2, Eps: r.Eps, MaxNorm: r.ClipNorm, Step: step, Groups: make([]shaders.AdamGroup, groups)}
	for g := range h.Groups {
		group := shaders.AdamGroup{LearningRate: rate, WeightDecay: r.WeightDecay}
		if g == groupTower || g == groupTowerNoDecay {
			group.LearningRate *= r.TowerRate
		}
		if g == groupTowerNoDecay || g == groupNewNoDecay {
			group.WeightDecay = 0
		}
		h.Groups[g] = group
	}
	return h.Words()
}

// writeDynamic uploads what changes from step to step.
func (s *Step) writeDynamic() error {
	if err := s.memory.Buffer("adam_hyper").Write(0, model.Bytes(s.hyper(s.step+1))); err != nil {
		return err
	}
	rng := []uint32{uint32(s.recipe.Seed), uint32(s.recipe.Seed >> 32), uint32(s.step), 0}
	return s.memory.Buffer("rng").Write(0, model.Bytes(rng))
}

// addOptimizer appends clipping, Adam and the record of the loss to a program.
func (s *Step) addOptimizer(p *gpu.Program) {
	view := func(name string) gpu.View {
		return external(p, name, int(s.memory.Buffer(name).Size()/4))
	}
	clip := s.recipe.ClipNorm > 0
	hyper, norm := view("adam_hyper"), view("grad_norm")
	if clip {
		parts := view("grad_norm_parts")
		at := 0
		for _, a := range s.arenas() {
			n := shaders.GradNormWords(a.Words)
			p.Add("grad norm "+a.Name, shaders.GradNormPartial(a.Words), view(sibling("adam_blocks", a.Name)), hyper,
				view(sibling(nn.Grads, a.Name)), gpu.View{Buffer: parts.Buffer, Offset: int64(at) * 4, Size: gpu.Bytes(n)})
			at += n
		}
		p.Add("grad norm", shaders.GradNorm(at), hyper, parts, norm)
	}
	for _, a := range s.arenas() {
		args := []gpu.View{view(sibling("adam_blocks", a.Name)), hyper}
		if clip {
			args = append(args, norm)
		}
		for _, kind := range []string{nn.Grads, nn.Weights, nn.MomentM, nn.MomentV} {
			args = append(args, view(sibling(kind, a.Name)))
		}
		p.Add("adam "+a.Name, shaders.Adam(a.Words, true, clip), args...)
	}
	p.Add("record loss", shaders.Record(ring), view1(p, "loss"), view("rng"), view("losses"))
}

func view1(p *gpu.Program, name string) gpu.View { return external(p, name, 1) }
