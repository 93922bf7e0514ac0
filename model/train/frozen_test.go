package train

import (
	"context"
	"strings"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
)

// TestFrozenStaysTheSame trains with the image tower frozen and batch
// statistics: its weights and running statistics must not move by a bit, and the
// rest must.
func TestFrozenStaysTheSame(t *testing.T) {
	backend := gputest.Open(t)
	x := openTiny(t, backend, model.Concat)
	weights := func() map[string][]float32 {
		all := map[string][]float32{}
		for _, p := range x.model.Params.All() {
			values, err := x.memory.Get(p)
			if err != nil {
				t.Fatal(err)
			}
			all[p.Name] = values
		}
		return all
	}
	before := weights()
	if err := x.model.Params.Freeze([]string{"visual"}); err != nil {
		t.Fatal(err)
	}
	memory, err := model.Place(backend, x.model.Params) // anew: what is not trained lies elsewhere
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Release)
	x.memory = memory
	for _, p := range x.model.Params.All() {
		if err := memory.Set(p, before[p.Name]); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewStep(backend, x.model, x.memory, tinyRecipe("batch"), 96, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	for range 3 {
		if err := s.Run(context.Background(), x.batch); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Losses(); err != nil {
		t.Fatal(err)
	}
	frozen := 0
	for name, now := range weights() {
		same := sameBits(now, before[name])
		switch tower := strings.HasPrefix(name, "visual."); {
		case tower && !same:
			t.Errorf("%s is frozen and has moved", name)
		case tower:
			frozen++
		case same && name == "visual_proj.weight":
			t.Errorf("%s is trained and has not moved", name)
		}
	}
	if frozen < 60 {
		t.Errorf("only %d tensors of the image tower", frozen)
	}
}
