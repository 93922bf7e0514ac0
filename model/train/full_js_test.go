package train

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"syscall/js"
	"testing"
	"time"

	"duet/gpu"
	"duet/gpu/promise"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/shared"
)

// seedShape is the model of the configuration seed with the five classes of
// model/testdata/torch/seed_recipe.json.
var seedShape = model.Shape{Width: 64, Blocks: []int{2, 2, 2, 2}, Fusion: model.Concat, Dim: 512, Classes: 5,
	Text: model.TextShape{Vocab: 50265, Positions: 514, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Pad: 1, Eps: 1e-5, Std: 0.02}}

// seedRecipe is the seed's.
var seedRecipe = Recipe{LearningRate: 1e-3, TowerRate: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Schedule: "constant", Batch: 4, Epochs: 1}

// fullLosses begins the line that tells the losses.
const fullLosses = "losses: "

// seedBatch is the batch of seed_recipe.json.
func seedBatch(t *testing.T) model.Batch {
	t.Helper()
	var golden struct {
		IDs     [][]int32 `json:"input_ids"`
		Mask    [][]int   `json:"attention_mask"`
		Targets []int32   `json:"targets"`
	}
	if err := json.Unmarshal(shared.Read(t, "", "full", "seed_recipe.json"), &golden); err != nil {
		t.Fatal(err)
	}
	const n, size = 4, 224
	b := model.Batch{Targets: golden.Targets, Pictures: make([]float32, n*size*size*4)}
	for i := range n * 3 * size * size { // [n 3 size size] as the golden has it
		x := float64(i)
		c, at := i/(size*size)%3, i/(3*size*size)*size*size+i%(size*size)
		b.Pictures[at*4+c] = float32(math.Sin(0.01*x) + 0.5*math.Cos(0.0007*x))
	}
	for i, ids := range golden.IDs {
		length := 0
		for _, m := range golden.Mask[i] {
			length += m
		}
		b.Tokens = append(b.Tokens, ids[:length])
	}
	return b
}

// TestFrozenSteps trains the head of the full-size model that lies beside this
// test's page, on an adapter that binds no more than WebGPU promises.
func TestFrozenSteps(t *testing.T) {
	recipe := seedRecipe
	recipe.BatchNorm = "frozen"
	fullSteps(t, true, recipe, 21, "visual", "text")
}

// TestAllSteps trains all of it, on an adapter that binds what it can.
func TestAllSteps(t *testing.T) {
	recipe := seedRecipe
	recipe.BatchNorm = "batch"
	fullSteps(t, false, recipe, 3)
}

// fullSteps prints the loss before each of some steps.
func fullSteps(t *testing.T, defaultLimits bool, recipe Recipe, steps int, frozen ...string) {
	t.Helper()
	response, err := promise.Await(t.Context(), js.Global().Call("fetch", "/full/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	blob, err := promise.Await(t.Context(), response.Call("blob"))
	if err != nil {
		t.Fatal(err)
	}
	file := data.Blob{Value: blob}
	f, err := checkpoint.Open(file, file.Size())
	if err != nil {
		t.Fatal(err)
	}
	device, err := gpu.Open(t.Context(), gpu.Options{DefaultLimits: defaultLimits})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	t.Logf("binds at most %v", gpu.Size(device.Info().Limits.StorageBinding))
	m, err := model.NewVLM(seedShape)
	if err == nil {
		err = m.Params.Freeze(frozen)
	}
	if err != nil {
		t.Fatal(err)
	}
	memory, err := model.Place(device, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Release()
	if report, err := memory.Load(f, nil); err != nil || len(report.Missing) > 0 {
		t.Fatal(report.Missing, err)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("loaded %v; the heap has %v at most", gpu.Size(file.Size()), gpu.Size(stats.HeapSys))
	s, err := NewStep(device, m, memory, recipe, 224, steps, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	batch := seedBatch(t)
	var losses []float32
	for range steps {
		start := time.Now()
		if err := s.Run(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		l, err := s.Losses()
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, l...)
		t.Logf("loss %.5f in %v", l[0], time.Since(start).Round(time.Millisecond))
	}
	text, err := json.Marshal(losses)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&stats)
	t.Logf("in the end the heap has %v at most, the adapter holds %v", gpu.Size(stats.HeapSys), gpu.Size(device.Allocated().Total()))
	if stats.HeapSys >= 300e6 {
		t.Errorf("the heap grew to %d bytes", stats.HeapSys)
	}
	fmt.Printf("%s%s\n", fullLosses, text)
}
