package nn

import "duet/model/graph"

// A LoRA is a change of low rank r that stands beside a linear layer's weight
// (Hu et al., 2021, https://arxiv.org/abs/2106.09685): y += (x·Aᵀ)·Bᵀ · α/r. Its
// tensors have the names that PEFT gives them.
type LoRA struct {
	A     *Param // [r in]
	B     *Param // [out r], zero at first: the layer starts as it was
	Scale float32
}

// NewLoRA defines a LoRA of the layer named name. It is trained where the parts
// that the layer belongs to are frozen.
func NewLoRA(ps *Params, name string, in, out, rank int, alpha float64) *LoRA {
	l := &LoRA{
		A:     ps.Add(name+".lora_A.weight", linearInit(in), rank, in),
		B:     ps.Add(name+".lora_B.weight", Init{}, out, rank),
		Scale: float32(alpha / float64(rank)),
	}
	for _, p := range []*Param{l.A, l.B} {
		p.Adapter, p.New = true, true
	}
	return l
}

// Forward returns what is added to the layer's result for x [M in], given
// x·Aᵀ [M r].
func (l *LoRA) Forward(low graph.Tensor, m *Mode) graph.Tensor {
	return linear(low.Scale(l.Scale, 0), l.B, m)
}

// Delta returns what [LoRA] adds to the weight [out in]: B·A · α/r.
func (l *LoRA) Delta(a, b []float32) []float32 {
	rank, in, out := l.A.Shape[0], l.A.Shape[1], l.B.Shape[0]
	delta := make([]float32, out*in)
	row := make([]float64, in)
	for o := range out {
		clear(row)
		for r := range rank {
			scale := float64(l.Scale) * float64(b[o*rank+r])
			for i, x := range a[r*in : (r+1)*in] {
				row[i] += scale * float64(x)
			}
		}
		for i, x := range row {
			delta[o*in+i] = float32(x)
		}
	}
	return delta
}
