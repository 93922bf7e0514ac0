package model

import (
	"fmt"

	"duet/shaders"
)

// The ways in which the towers' weights may lie on a device. Arithmetic is
// float32 with all of them.
const (
	WeightsF32  = "f32"
	WeightsF16  = "f16"  // half floats: half the memory
	WeightsInt8 = "int8" // bytes with a scale a row: a quarter
)

// CheckWeights refuses what [VLM.Pack] does not know.
func CheckWeights(weights string) error {
	_, err := weightFormat(weights)
	return err
}

func weightFormat(weights string) (shaders.Format, error) {
	formats := map[string]shaders.Format{"": shaders.F32, WeightsF32: shaders.F32, WeightsF16: shaders.F16, WeightsInt8: shaders.I8}
	format, ok := formats[weights]
	if !ok {
		return format, fmt.Errorf("model: weights %.40q; known are %s, %s and %s", weights, WeightsF32, WeightsF16, WeightsInt8)
	}
	return format, nil
}

// Pack lets the towers' weights lie so from the next [Place] on, for a model that
// is not trained. What follows the towers stays float32.
func (m *VLM) Pack(weights string) error {
	format, err := weightFormat(weights)
	if err != nil {
		return err
	}
	if format != shaders.F32 {
		m.Params.Pack(format, "visual", "text")
	}
	return nil
}
