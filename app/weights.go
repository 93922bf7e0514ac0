package app

import (
	"context"

	"duet/gpu"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/data"
)

// EvaluatePacked evaluates a model whose towers' weights lie on the device in one
// of the ways that [model.VLM.Pack] knows, and tells what that costs: the same
// examples go through the model as it is, too.
func EvaluatePacked(ctx context.Context, backend gpu.Backend, files *checkpoint.Model, weights string, o EvaluateOptions) (*Evaluation, error) {
	if weights == "" || weights == model.WeightsF32 {
		m, err := Load(backend, files)
		if err != nil {
			return nil, err
		}
		defer m.Release()
		return Evaluate(ctx, m, o)
	}
	pass := func(weights string, o EvaluateOptions) (*Evaluation, []int, int, error) {
		m, err := LoadPacked(backend, files, weights)
		if err != nil {
			return nil, nil, 0, err
		}
		defer m.Release()
		var answers []int
		each := o.Each
		o.Each = func(e data.Example, answer int) {
			answers = append(answers, answer)
			if each != nil {
				each(e, answer)
			}
		}
		result, err := Evaluate(ctx, m, o)
		return result, answers, m.bytes(), err
	}
	result, packed, bytes, err := pass(weights, o)
	if err != nil {
		return nil, err
	}
	o.Ablate, o.Each = false, nil
	whole, exact, wholeBytes, err := pass(model.WeightsF32, o)
	if err != nil {
		return nil, err
	}
	same := 0
	for i := range packed {
		if packed[i] == exact[i] {
			same++
		}
	}
	whole.Classes, whole.Confusion = nil, nil
	result.Packed = &PackedWeights{Weights: weights, Bytes: bytes, Float32Bytes: wholeBytes, Float32: whole.Result, Same: same}
	return result, nil
}

// bytes is the device memory of the model's parameters.
func (m *Model) bytes() int {
	n := 0
	for _, a := range m.Memory.Arenas {
		n += 4 * a.Words
	}
	return n
}
