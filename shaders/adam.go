package shaders

import (
	"fmt"
	"math"
)

// An AdamGroup is what the tensors of one group share.
type AdamGroup struct {
	LearningRate float64 // η of the step to come
	WeightDecay  float64 // λ
	Frozen       bool    // weights and moments stay as they are
}

// AdamHyper holds everything about Adam that may change from step to step. The
// host writes [AdamHyper.Words] into the storage buffer hyper before each.
type AdamHyper struct {
	Beta1, Beta2, Eps float64
	MaxNorm           float64 // of all gradients together; 0 does not clip
	Step              int     // t, counted from 1
	Groups            []AdamGroup
}

// Words returns the content of hyper, 8 + 4·len(Groups) words. The bias
// corrections are computed in float64.
func (h AdamHyper) Words() []float32 {
	t := float64(h.Step)
	values := []float64{
		h.Beta1, 1 - h.Beta1, h.Beta2, 1 - h.Beta2,
		1 / (1 - math.Pow(h.Beta1, t)), 1 / math.Sqrt(1-math.Pow(h.Beta2, t)), h.Eps, h.MaxNorm,
	}
	for _, g := range h.Groups {
		trained := 1.0
		if g.Frozen {
			trained = 0
		}
		values = append(values, g.LearningRate, g.WeightDecay, trained, 0)
	}
	words := make([]float32, len(values))
	for i, v := range values {
		words[i] = float32(v)
	}
	return words
}

// BlockWords is the alignment of tensors in an arena, in words: the 256 bytes
// that WebGPU asks of a binding's offset.
const BlockWords = 64

// AdamBlocks returns the content of blocks for an arena that holds tensors one
// after the other, each beginning at a multiple of [BlockWords]: for each block
// its group and how many of its words are data (what lies behind is padding
// that the optimiser must not see). words and groups are by tensor.
func AdamBlocks(words, groups []int) []uint32 {
	var blocks []uint32
	for i, n := range words {
		if groups[i] < 0 || groups[i] >= 1<<24 {
			panic(fmt.Sprintf("shaders: group %d of tensor %d is out of range", groups[i], i))
		}
		for ; n > 0; n -= BlockWords {
			blocks = append(blocks, uint32(min(n, BlockWords))<<24|uint32(groups[i]))
		}
	}
	return blocks
}

// Adam updates the weights of an arena of n words (a multiple of [BlockWords]):
// Adam with L2 decay, or AdamW when decoupled. With clip it scales gradients by
// what [GradNorm] found. Arguments: blocks [n/64] (uint32, [AdamBlocks]), hyper
// ([AdamHyper.Words]), [clip [2]], grads [n], weights [n], m [n], v [n].
func Adam(n int, decoupled, clip bool) Launch {
	if n%BlockWords != 0 {
		panic(fmt.Sprintf("shaders: adam: an arena of %d words is no whole number of blocks", n))
	}
	bindings := []string{"blocks", "hyper", when(clip, "clip"), "grads", "weights", "m", "v"}
	k := variant("adam", 1, []string{when(decoupled, "DECOUPLED"), when(clip, "CLIP")}, bindings, nil, func(c Call) {
		b := taker{c: c}
		blocks, hyper, scale := b.words(), b.f(), b.ifF(clip)
		grads, weights, m, v := b.f(), b.f(), b.f(), b.f()
		h := func(i int) float64 { return float64(hyper[i]) }
		for i := range 4 * c.U(0) {
			group := 8 + 4*int(blocks[i/BlockWords]&0xffffff)
			if hyper[group+2] == 0 {
				continue
			}
			g, w := 0.0, float64(weights[i])
			if i%BlockWords < int(blocks[i/BlockWords]>>24) {
				g = float64(grads[i])
			}
			if clip {
				g *= float64(scale[0])
			}
			if decoupled {
				w *= 1 - h(group)*h(group+1)
			} else {
				g += h(group+1) * w
			}
			m1 := h(0)*float64(m[i]) + h(1)*g
			v1 := h(2)*float64(v[i]) + h(3)*g*g
			m[i], v[i] = float32(m1), float32(v1)
			weights[i] = float32(w - h(group)*h(4)*m1/(math.Sqrt(v1)*h(5)+h(6)))
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n/4, 64)), Params: params(n / 4), Flops: 14 * float64(n)}
}

// GradNormWords returns how many partial sums [GradNormPartial] makes of an
// arena of n words: a multiple of [BlockWords], so that those of several arenas
// can stand one after the other in one buffer.
func GradNormWords(n int) int {
	const most, least = 128, 4 // chunks: up to 2,048 invocations, in multiples of 64
	return 16 * max(least, min(most, ceilDiv(n/BlockWords, 64)/least*least))
}

// GradNormPartial adds up the squares of an arena's gradients, frozen groups
// and padding left out. Arguments: blocks [n/64], hyper, grads [n], partials
// [GradNormWords(n)].
func GradNormPartial(n int) Launch {
	if n%BlockWords != 0 {
		panic(fmt.Sprintf("shaders: gradnorm: an arena of %d words is no whole number of blocks", n))
	}
	k := load("gradnorm_partial", "gradnorm_partial", nil, nil, func(c Call) {
		blocks, hyper, grads, partials := c.Buffers[0], c.Buffers[1].F(), c.Buffers[2].F(), c.Buffers[3].F()
		chunk := c.U(2)
		for i := range 16 * c.U(1) {
			sum := 0.0
			for b := i / 16 * chunk; b < min((i/16+1)*chunk, c.U(0)); b++ {
				if hyper[8+4*int(blocks[b]&0xffffff)+2] == 0 {
					continue
				}
				first := i % 16 * 4
				for j := first; j < min(first+4, int(blocks[b]>>24)); j++ {
					sum += float64(grads[BlockWords*b+j]) * float64(grads[BlockWords*b+j])
				}
			}
			partials[i] = float32(sum)
		}
	})
	chunks := GradNormWords(n) / 16
	blocks := n / BlockWords
	return Launch{Kernel: k, Groups: Spread(ceilDiv(16*chunks, 64)), Params: params(blocks, chunks, ceilDiv(blocks, chunks)), Flops: 2 * float64(n)}
}

// GradNorm finds the norm of all gradients and the factor that clips it to
// MaxNorm. words is the number of partial sums of all arenas together.
// Arguments: hyper, partials [words], clip [2] (factor, norm).
func GradNorm(words int) Launch {
	k := load("gradnorm", "gradnorm", nil, nil, func(c Call) {
		hyper, partials, clip := c.Buffers[0].F(), c.Buffers[1].F(), c.Buffers[2].F()
		sum := 0.0
		for _, p := range partials[:4*c.U(0)] {
			sum += float64(p)
		}
		norm, scale := math.Sqrt(sum), 1.0
		if bound := float64(hyper[7]); bound > 0 {
			scale = min(1, bound/(norm+1e-6))
		}
		clip[0], clip[1] = float32(scale), float32(norm)
	})
	return Launch{Kernel: k, Groups: Spread(1), Params: params(words / 4), Flops: float64(words)}
}

func adamVariants() []Kernel {
	out := []Kernel{GradNormPartial(BlockWords).Kernel, GradNorm(BlockWords).Kernel}
	for variant := range 4 {
		out = append(out, Adam(BlockWords, variant&1 != 0, variant&2 != 0).Kernel)
	}
	return out
}
