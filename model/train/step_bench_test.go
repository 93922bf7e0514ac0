package train

import (
	"context"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
)

// smallShape is the model of the configuration small over a vocabulary of 300.
var smallShape = model.Shape{
	Width: 16, Blocks: []int{2, 2, 2, 2}, Dim: 128, Classes: 13, Fusion: model.Hadamard,
	Text: model.TextShape{Vocab: 300, Positions: 66, Hidden: 128, Layers: 2, Heads: 4, Intermediate: 512, Pad: 1, Eps: 1e-5, Std: 0.1},
}

// BenchmarkStep times a training step of the configuration small at 64 px,
// batch 32, twelve tokens; -v prints where the time goes.
func BenchmarkStep(b *testing.B) {
	device := gputest.Open(b)
	m, err := model.NewVLM(smallShape)
	if err != nil {
		b.Fatal(err)
	}
	memory, err := model.Place(device, m.Params)
	if err != nil {
		b.Fatal(err)
	}
	defer memory.Release()
	if err := memory.Initialize(1); err != nil {
		b.Fatal(err)
	}
	recipe := tinyRecipe("batch")
	recipe.Batch = 32
	s, err := NewStep(device, m, memory, recipe, 64, 1000, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Release()
	batch := model.Batch{Pictures: tinyPictures(32, 64)}
	for i := range 32 {
		batch.Tokens = append(batch.Tokens, []int32{0, 5, 6, 7, 8, 9, 10, 11, 12, 2})
		batch.Targets = append(batch.Targets, int32(i%13))
	}
	run := func() {
		if err := s.Run(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Losses(); err != nil {
			b.Fatal(err)
		}
	}
	run()
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	b.ReportMetric(32*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
	if testing.Verbose() {
		profile, err := device.Profile(context.Background(), s.programs[12].executable, 3)
		if err != nil {
			b.Fatal(err)
		}
		b.Log("\n" + profile.String())
	}
}
