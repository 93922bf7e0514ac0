package train

import (
	"context"
	"math"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
)

// TestPicturesShared trains vlm_tiny on two pictures with two texts each, once
// with the image tower running once a picture and once with each picture given
// twice: losses and weights must agree. Batch-norm is frozen, since a batch's
// own variance would count each picture once here and twice there.
func TestPicturesShared(t *testing.T) {
	for name, backend := range map[string]gpu.Backend{"device": gputest.Open(t), "reference": gpu.NewReference()} {
		for _, fusion := range []model.FusionKind{model.Concat, model.Hadamard, model.CrossAttention} {
			t.Run(name+"/"+string(fusion), func(t *testing.T) {
				run := func(per int) ([]float32, map[string][]float32) {
					x := openTiny(t, backend, fusion)
					picture := len(x.batch.Pictures) / 4
					two := append(append([]float32(nil), x.batch.Pictures[:picture]...), x.batch.Pictures[2*picture:3*picture]...)
					b := x.batch
					recipe := tinyRecipe("frozen")
					recipe.LearningRate, recipe.Eps = 1e-2, 1 // so that a step is about the gradient, not its sign
					recipe.Batch, recipe.PerPicture = 2, 2
					b.Pictures = two
					if per == 1 {
						recipe.Batch, recipe.PerPicture = 4, 1
						b.Pictures = append(append(append(append([]float32(nil), two[:picture]...), two[:picture]...), two[picture:]...), two[picture:]...)
					}
					b.Targets = append([]int32(nil), b.Targets...)
					b.Targets[3] = -100 // a picture with one text less
					s, err := NewStep(backend, x.model, x.memory, recipe, 96, 2, 1)
					if err != nil {
						t.Fatal(err)
					}
					defer s.Release()
					for range 2 {
						if err := s.Run(context.Background(), b); err != nil {
							t.Fatal(err)
						}
					}
					losses, err := s.Losses()
					if err != nil {
						t.Fatal(err)
					}
					weights := map[string][]float32{}
					for _, p := range x.model.Params.All() {
						if weights[p.Name], err = x.memory.Get(p); err != nil {
							t.Fatal(err)
						}
					}
					return losses, weights
				}
				shared, weights := run(2)
				twice, want := run(1)
				for i := range shared {
					if d := math.Abs(float64(shared[i] - twice[i])); !(d <= 1e-5) {
						t.Errorf("step %d: loss %v, with each picture given twice %v", i, shared[i], twice[i])
					}
				}
				worst := 0.0
				for name, w := range weights {
					for i := range w {
						worst = max(worst, math.Abs(float64(w[i]-want[name][i])))
					}
				}
				if !(worst <= 1e-6) {
					t.Errorf("weights differ by %.2g", worst)
				}
				t.Logf("losses %v, weights differ by %.2g", shared, worst)
			})
		}
	}
}
