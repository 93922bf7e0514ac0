package train

import (
	"context"
	"math"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
)

// TestSameSeedSameBits trains vlm_tiny twice on the device, each time with a
// model, memory and programs of its own, with dropout, clipping and batch
// statistics: losses, weights and running statistics must agree to the bit, and
// another seed must give other losses.
func TestSameSeedSameBits(t *testing.T) {
	const steps = 5
	backend := gputest.Open(t)
	train := func(seed uint64) (losses []float32, weights map[string][]float32) {
		x := openTiny(t, backend, model.Concat)
		recipe := tinyRecipe("batch")
		recipe.Dropout, recipe.ClipNorm, recipe.WeightDecay, recipe.Seed = 0.1, 1, 0.01, seed
		s, err := NewStep(backend, x.model, x.memory, recipe, 96, steps, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Release()
		for range steps {
			if err := s.Run(context.Background(), x.batch); err != nil {
				t.Fatal(err)
			}
		}
		if losses, err = s.Losses(); err != nil {
			t.Fatal(err)
		}
		weights = map[string][]float32{}
		for _, p := range x.model.Params.All() {
			if weights[p.Name], err = x.memory.Get(p); err != nil {
				t.Fatal(err)
			}
		}
		return losses, weights
	}
	losses, weights := train(7)
	again, weightsAgain := train(7)
	if !sameBits(losses, again) || len(losses) != steps {
		t.Errorf("losses are %v, then %v", losses, again)
	}
	for name, w := range weights {
		if !sameBits(w, weightsAgain[name]) {
			t.Errorf("%s differs between two runs", name)
		}
	}
	if other, _ := train(8); sameBits(losses, other) {
		t.Errorf("another seed gives the same losses %v", other)
	}
	t.Logf("%d losses from %v to %v, %d tensors", steps, losses[0], losses[steps-1], len(weights))
}

func sameBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
