package shaders

import (
	"fmt"
	"math"
	"strconv"
)

// An AttentionShape describes multi-head attention,
// o = softmax(q·kᵀ·Scale + mask)·v (Vaswani et al. 2017), of queries [B TQ H Dh]
// over keys [B TK HKV Dh] and values [B TK HKV Dv]; HKV divides H, heads
// h·HKV/H share keys (grouped-query attention).
//
// Its gradient is AttentionGradStats, then AttentionGradQ and AttentionGradKV
// in any order. A query whose keys are all masked has output and gradients zero;
// so has a key that no query may see.
type AttentionShape struct {
	B, H, HKV, TQ, TK int
	HeadDim           int // Dh, of queries and keys
	ValueDim          int // Dv, of values; 0: HeadDim
	Scale             float32

	Q, K, V    Columns // where the operands lie
	DQ, DK, DV Columns // where the gradients lie
	PackedKV   bool    // dk and dv lie in one buffer

	Lengths      bool // keys from lengths[b] on are masked
	Mask         bool // added to the scores; at or below -1e38 it masks
	MaskB, MaskH bool // the mask has its own B and H dimensions; else they are 1

	Target Target
}

// Columns say where rows [B·T] of heads lie in a wider buffer, in words: how far
// apart rows are, and where in a row the first head begins. The zero value is a
// dense buffer of its own.
type Columns struct{ Row, Offset int }

func (s *AttentionShape) defaults() {
	if s.HKV < 1 || s.H%s.HKV != 0 {
		panic(fmt.Sprintf("shaders: attention with %d heads over %d key heads", s.H, s.HKV))
	}
	if s.ValueDim == 0 {
		s.ValueDim = s.HeadDim
	}
	dense := func(c *Columns, row int) {
		if c.Row == 0 {
			c.Row = row
		}
	}
	dense(&s.Q, s.H*s.HeadDim)
	dense(&s.DQ, s.H*s.HeadDim)
	dense(&s.K, s.HKV*s.HeadDim)
	dense(&s.DK, s.HKV*s.HeadDim)
	dense(&s.V, s.HKV*s.ValueDim)
	dense(&s.DV, s.HKV*s.ValueDim)
}

// width is 4 where every head of every operand is made of whole vec4s.
func (s AttentionShape) width() int {
	if multiplesOf4(s.HeadDim, s.ValueDim, s.Q.Row, s.Q.Offset, s.K.Row, s.K.Offset, s.V.Row, s.V.Offset,
		s.DQ.Row, s.DQ.Offset, s.DK.Row, s.DK.Offset, s.DV.Row, s.DV.Offset) {
		return 4
	}
	return 1
}

// rows is the number of queries of all heads.
func (s AttentionShape) rows() int { return s.B * s.H * s.TQ }

// StatsWords is the size of AttentionGradStats's result in words.
func (s AttentionShape) StatsWords() int { return 2*s.rows() + s.B }

// tileRows chooses how many of n queries, or keys, an invocation takes: eight,
// fewer where there are few or where that would leave an adapter idle.
func (s AttentionShape) tileRows(n, heads int) int {
	for _, r := range []int{8, 4, 2} {
		if n > r/2 && s.B*heads*ceilDiv(n, r) >= 64 {
			return r
		}
	}
	return 1
}

// launch runs an invocation for every tile of the n queries, or keys, of each
// of the heads; constants, without those of a tile, are nil where there is
// none; flops are those of a query and a key of a head.
func (s AttentionShape) launch(file string, n, heads int, flops float64, flags, bindings []string, constants map[string]string, twin func(attentionTwin)) Launch {
	width, r, each := s.width(), s.tileRows(n, heads), 64 // blocks that a workgroup has
	label := fmt.Sprintf(" r%d", r)
	switch {
	case constants == nil: // no tiles
		label = ""
	case s.staged():
		file, r, each = file+"_staged", 16, 1
		label = fmt.Sprintf(" %d %d", s.HeadDim, s.ValueDim)
		s.stage(constants)
	default:
		constants["R"] = strconv.Itoa(r)
	}
	k := variant(file, width, flags, bindings, constants, func(c Call) { twin(newAttentionTwin(c, s, width)) })
	k.Name += label
	blocks := ceilDiv(n, r)
	words := []any{s.B, s.H, s.TQ, s.TK, s.HeadDim / width, s.ValueDim / width, s.H / s.HKV}
	for _, c := range []Columns{s.Q, s.K, s.V, s.DQ, s.DK, s.DV} {
		words = append(words, c.Row/width, c.Offset/width)
	}
	words = append(words, s.maskB(), s.maskH(), blocks, blocks*heads*s.B, s.Scale)
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(blocks*heads*s.B, each)),
		Params: params(words...),
		Flops:  flops * float64(s.rows()) * float64(s.TK),
	}
}

// staged says whether workgroups share keys and values through workgroup
// memory, of which WebGPU grants 16 KiB.
func (s AttentionShape) staged() bool {
	return s.Target == GPU && s.width() == 4 && s.HeadDim <= 64 && s.ValueDim <= 64
}

// stage sets the sizes of what is in workgroup memory and of an invocation's share.
func (s AttentionShape) stage(constants map[string]string) {
	for name, d := range map[string]int{"H": s.HeadDim / 4, "V": s.ValueDim / 4} {
		constants["D"+name] = strconv.Itoa(d)
		constants["OWN_"+name] = strconv.Itoa(16 * (d + 1))
		constants["BLOCK_"+name] = strconv.Itoa(8 * (d + 1))
		constants["SHARES_"+name] = strconv.Itoa(ceilDiv(d, 4))
	}
}

// maskB and maskH are the strides of the mask.
func (s AttentionShape) maskB() int {
	switch {
	case !s.MaskB:
		return 0
	case s.MaskH:
		return s.H * s.TQ * s.TK
	}
	return s.TQ * s.TK
}

func (s AttentionShape) maskH() int {
	if s.MaskH {
		return s.TQ * s.TK
	}
	return 0
}

// Attention computes o. Arguments: q, k, v (one buffer may hold several of
// them), [lengths [B] uint32], [mask [B|1 H|1 TQ TK]], o [B TQ H Dv],
// lse [B H TQ] (the log-sum-exp of each query's scores, 0 where all are masked).
func Attention(s AttentionShape) Launch {
	s.defaults()
	flags := []string{when(s.Lengths, "LENGTHS"), when(s.Mask, "MASK")}
	bindings := []string{"q", "k", "v", when(s.Lengths, "lengths"), when(s.Mask, "mask"), "o", "lse"}
	constants := map[string]string{"ROWS": "q", "COLUMNS": "k"}
	return s.launch("attention", s.TQ, s.H, 2*float64(s.HeadDim+s.ValueDim), flags, bindings, constants, func(a attentionTwin) {
		q, k, v := a.f(), a.f(), a.f()
		keys, mask, o, lse := a.keys(a.lengths()), a.ifF(a.Mask), a.f(), a.f()
		a.queries(func(b, h, t, row int) {
			scores, top := make([]float64, keys(b)), math.Inf(-1)
			for j := range scores {
				scores[j] = a.score(q, k, mask, b, h, t, j)
				top = max(top, scores[j])
			}
			total, sums := 0.0, make([]float64, a.ValueDim)
			for j, s := range scores {
				p := 0.0
				if s > lowestScore {
					p = math.Exp(s - top)
				}
				total += p
				for i := range sums {
					sums[i] += p * float64(v[a.v(b, h, j)+i])
				}
			}
			lse[row] = 0
			if total > 0 {
				lse[row] = float32(top + math.Log(total))
			}
			for i, sum := range sums {
				if total > 0 {
					sum /= total
				}
				o[a.o(b, h, t)+i] = float32(sum)
			}
		})
	})
}
