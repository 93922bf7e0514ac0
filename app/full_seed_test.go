//go:build !js

package app

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/gpu/gputest/tab"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/fullsize"
	"duet/model/train"
)

// seedRecipe is model/testdata/torch/seed_recipe.json.
type seedRecipe struct {
	IDs     [][]int32 `json:"input_ids"`
	Mask    [][]int   `json:"attention_mask"`
	Targets []int32   `json:"targets"`
	All     seedRun   `json:"all"`
	Frozen  seedRun   `json:"frozen_towers"`
}

type seedRun struct {
	Losses []float64 `json:"losses"`
	Spread float64   `json:"max_abs_diff_float32"`
}

func (r seedRecipe) batch() model.Batch {
	const n, size = 4, 224
	b := model.Batch{Targets: r.Targets, Pictures: make([]float32, n*size*size*4)}
	for i := range n * 3 * size * size {
		x := float64(i)
		c, at := i/(size*size)%3, i/(3*size*size)*size*size+i%(size*size)
		b.Pictures[at*4+c] = float32(math.Sin(0.01*x) + 0.5*math.Cos(0.0007*x))
	}
	for i, ids := range r.IDs {
		length := 0
		for _, m := range r.Mask[i] {
			length += m
		}
		b.Tokens = append(b.Tokens, ids[:length])
	}
	return b
}

// seedModel joins towers of full size as duet init does.
func seedModel(t testing.TB) string {
	t.Helper()
	vision, words := fullsize.Towers(t, 1)
	out := filepath.Join(t.TempDir(), "joined")
	told, err := Init(t.Context(), InitOptions{Vision: vision, Text: words, Classes: []string{"animal", "food", "room", "vehicle", "other"}, Fusion: model.Concat, Seed: 1, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("joined %d parameters", told.Description.Parameters)
	return out
}

// TestFullSeedRecipe trains the joined towers as the configuration seed says and
// compares the losses with PyTorch's on the same weights and batch.
func TestFullSeedRecipe(t *testing.T) {
	fullOnly(t)
	text, err := os.ReadFile("../model/testdata/torch/seed_recipe.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden seedRecipe
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	files, err := checkpoint.OpenModel(seedModel(t))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	device := gputest.OpenDefault(t)
	for _, c := range []struct {
		name string
		tune string
		norm string
		run  seedRun
	}{{"all layers", model.TuneAll, "batch", golden.All}, {"frozen towers", model.TuneHead, "frozen", golden.Frozen}} {
		t.Run(c.name, func(t *testing.T) {
			seed, err := config.Named("seed")
			if err != nil {
				t.Fatal(err)
			}
			recipe := seed.Recipe
			recipe.BatchNorm = c.norm
			m := seedLoad(t, device, files, c.tune)
			defer m.Release()
			before := device.Allocated()
			losses := seedSteps(t, m, recipe, golden.batch(), len(c.run.Losses))
			after := device.Allocated()
			t.Logf("memory before the first step %v, after the last %v, at most %v", gpu.Size(before.Total()), gpu.Size(after.Total()), gpu.Size(after.Most))
			for i, l := range losses {
				d, within := math.Abs(float64(l)-c.run.Losses[i]), max(1e-3, 10*c.run.Spread)
				if i == 0 {
					within = 1e-4 * c.run.Losses[0]
				}
				t.Logf("loss %d: %.7f, PyTorch's %.7f, off by %.1e of %.1e", i, l, c.run.Losses[i], d, within)
				if !(d <= within) {
					t.Errorf("loss %d is %g, PyTorch's is %g", i, l, c.run.Losses[i])
				}
			}
		})
	}
}

// seedLoad puts the model on the device with so much of it to be trained.
func seedLoad(t testing.TB, device gpu.Backend, files *checkpoint.Model, tune string) *Model {
	t.Helper()
	c, err := config.Read(files, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	c.Recipe.Tune = tune
	m, err := define(device, c, files.Name())
	if err == nil {
		err = m.freeze()
	}
	if err == nil {
		err = m.place()
	}
	if err != nil {
		t.Fatal(err)
	}
	weights, err := files.Weights()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	if report, err := m.Memory.Load(weights, nil); err != nil || len(report.Missing) > 0 {
		t.Fatal(report.Missing, err)
	}
	return m
}

// seedSteps trains on one batch and returns the loss before each step.
func seedSteps(t testing.TB, m *Model, recipe train.Recipe, batch model.Batch, steps int) (losses []float32) {
	t.Helper()
	s, err := train.NewStep(m.Backend, m.VLM, m.Memory, recipe, 224, steps, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	plan, err := s.Plan(16)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a step's program takes %v", gpu.Size(plan.Peak()))
	for range steps {
		start := time.Now()
		if err := s.Run(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
		l, err := s.Losses()
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, l...)
		t.Logf("a step in %v", time.Since(start).Round(time.Millisecond))
	}
	return losses
}

// TestFullSeedInTab trains the same model in the browser and compares the losses:
// its head on an adapter that binds no more than 128 MiB, all of it on one that
// binds more. The heap stays below 300 MB.
func TestFullSeedInTab(t *testing.T) {
	fullOnly(t)
	dir := filepath.Join(t.TempDir(), "full")
	if err := os.Rename(seedModel(t), dir); err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("../model/testdata/torch/seed_recipe.json")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "seed_recipe.json"), golden, 0o666)
	}
	var want seedRecipe
	if err == nil {
		err = json.Unmarshal(golden, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	for test, run := range map[string]seedRun{"TestFrozenSteps": want.Frozen, "TestAllSteps": want.All} {
		t.Run(test, func(t *testing.T) {
			out := tab.RunFor(t, 25*time.Minute, "duet/model/train", true, []string{dir}, "-test.run=^"+test+"$")
			for line := range strings.Lines(out) {
				if strings.Contains(line, "full_js_test.go") {
					t.Log(strings.TrimSpace(line))
				}
			}
			_, line, _ := strings.Cut(out, "\nlosses: ")
			line, _, _ = strings.Cut(line, "\n")
			var losses []float64
			if err := json.Unmarshal([]byte(line), &losses); err != nil || len(losses) < 3 {
				t.Fatalf("%d losses (%v) in:\n%s", len(losses), err, out)
			}
			worst := 0.0
			for i, l := range losses {
				d, within := math.Abs(l-run.Losses[i]), max(1e-3, 10*run.Spread)
				if i == 0 {
					within = 1e-4 * run.Losses[0]
				}
				worst = max(worst, d)
				if !(d <= within) {
					t.Errorf("loss %d is %g in the tab, PyTorch's is %g", i, l, run.Losses[i])
				}
			}
			t.Logf("first loss %.7f, PyTorch's %.7f; the largest difference of %d losses %.1e", losses[0], run.Losses[0], len(losses), worst)
		})
	}
}
