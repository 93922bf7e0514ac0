//go:build !js

package app

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/train"
)

// A training of a LoRA changes only it and what follows the towers; its adapter
// file holds just that; and merged, with its own model or with the one that the
// training started from, it answers the same.
func TestLoRA(t *testing.T) {
	dir := drawn(t, 120)
	for _, fusion := range []model.FusionKind{model.ConcatProduct, model.Gated} {
		t.Run(string(fusion), func(t *testing.T) {
			from := base(t, dir, fusion)
			device := gputest.Open(t)
			init, err := OpenInit(from)
			if err != nil {
				t.Fatal(err)
			}
			defer init.Close()
			out := filepath.Join(t.TempDir(), "tuned")
			m, err := Train(t.Context(), device, TrainOptions{Collection: open(t, dir), Init: init, Out: out, Tune: model.TuneLoRA, LoRARank: 4}, func(train.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			m.Release()
			for _, part := range changed(t, from, out) {
				head := slices.Contains([]string{"visual_proj", "text_proj", "fusion", "classifier"}, part)
				if !head && !strings.Contains(part, "lora_") && part != "text.encoder.layer.0" {
					t.Errorf("%s changed", part)
				}
			}
			before, after := openWeights(t, filepath.Join(from, "model.safetensors")), openWeights(t, filepath.Join(out, "model.safetensors"))
			moved := false
			for _, name := range after.Names() {
				if strings.Contains(name, "lora_B") {
					moved = moved || slices.ContainsFunc(values(t, after, name), func(x float32) bool { return x != 0 })
				}
				if _, ok := before.Info(name); !ok || !strings.HasPrefix(name, "text.") && !strings.HasPrefix(name, "visual.") && name != "fusion.weight" {
					continue
				}
				if !slices.Equal(values(t, before, name), values(t, after, name)) {
					t.Errorf("%s changed", name)
				}
			}
			if !moved {
				t.Error("the LoRA is zero as at the start")
			}
			for _, name := range openWeights(t, filepath.Join(out, adapterName)).Names() {
				if !strings.Contains(name, "lora_") && (strings.HasPrefix(name, "text.") || strings.HasPrefix(name, "visual.") || name == "fusion.weight") {
					t.Errorf("the adapter holds %s", name)
				}
			}

			batch := model.Batch{Pictures: make([]float32, 4*32*32*4), Targets: make([]int32, 4)}
			for i := range batch.Pictures {
				if i%4 < 3 {
					batch.Pictures[i] = float32(math.Sin(0.01 * float64(i)))
				}
			}
			for i := range int32(4) {
				batch.Tokens = append(batch.Tokens, []int32{0, 20 + i, 7 * i, 30, 2}[:3+i%3])
			}
			logits := func(name string) []float32 {
				return logitsOf(t, device, name, 32, func(*Model) []model.Batch { return []model.Batch{batch} })
			}
			want := logits(out)
			own, apart := filepath.Join(t.TempDir(), "own"), filepath.Join(t.TempDir(), "apart.zip")
			tuned, err := OpenFiles(out)
			if err != nil {
				t.Fatal(err)
			}
			defer tuned.Close()
			if err := Merge(tuned, "", own, false); err != nil {
				t.Fatal(err)
			}
			if err := Merge(init, filepath.Join(out, adapterName), apart, false); err != nil {
				t.Fatal(err)
			}
			merged := logits(own)
			sameAnswers(t, merged, want)
			if again := logits(apart); !slices.Equal(again, merged) {
				t.Errorf("merged from the adapter alone %v, from the model %v", again, merged)
			}
			if err := Merge(init, "", filepath.Join(t.TempDir(), "none"), false); err == nil || !strings.Contains(err.Error(), "no LoRA") {
				t.Errorf("merging a model without a LoRA: %v", err)
			}
			if err := Merge(init, filepath.Join(from, "model.safetensors"), filepath.Join(t.TempDir(), "none"), false); err == nil || !strings.Contains(err.Error(), "adapter") {
				t.Errorf("merging what is no adapter: %v", err)
			}
			if info, err := os.Stat(filepath.Join(out, adapterName)); err != nil || info.Size() > 100_000 {
				t.Errorf("the adapter: %v, %v", info, err)
			}
			if fusion == model.Gated {
				loraGoesOn(t, dir, tuned)
			}
			mergeInPlace(t, init, out)
			if again := logits(out); !slices.Equal(again, merged) {
				t.Errorf("merged in its place %v, elsewhere %v", again, merged)
			}
		})
	}
}

// mergeInPlace merges the adapter of the model at path into what takes the
// model's place: only when it is told to, and with the adapter closed by then.
func mergeInPlace(t *testing.T, base *checkpoint.Model, path string) {
	t.Helper()
	adapter := filepath.Join(path, adapterName)
	if err := Merge(base, adapter, path, false); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("merging over a model without being told to: %v", err)
	}
	x, err := openMerged(base, adapter)
	if err != nil {
		t.Fatal(err)
	}
	name := x.adapter.Names()[0]
	if err := x.Save(path, ExportHF, PartAll, true); err != nil {
		t.Fatal(err)
	}
	if _, err := x.adapter.Float32(name, nil); err == nil {
		t.Error("the adapter that was replaced is still open")
	}
}

// loraGoesOn trains another part of a model with a LoRA: what then changed is in
// no adapter, so none is written. A configuration without the LoRA is refused.
func loraGoesOn(t *testing.T, dir string, from *checkpoint.Model) {
	device := gputest.Open(t)
	out := filepath.Join(t.TempDir(), "last")
	m, err := Train(t.Context(), device, TrainOptions{Collection: open(t, dir), Init: from, Out: out, Tune: model.TuneLast}, func(train.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	if _, err := os.Stat(filepath.Join(out, adapterName)); err == nil {
		t.Error("a training of the last parts left an adapter, which does not hold what it changed")
	}
	c := tiny(t)
	c.Fusion = model.Gated
	_, err = Train(t.Context(), device, TrainOptions{Collection: open(t, dir), Init: from, Config: c, Out: filepath.Join(t.TempDir(), "m")}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "merge") {
		t.Errorf("a configuration without the model's LoRA: %v", err)
	}
}

// A training with another fusion takes over the text tower with its LoRA, but
// nothing of the fusion.
func TestLoRAOtherFusion(t *testing.T) {
	c := tiny(t)
	c.Fusion, c.LoRA = model.Hadamard, &config.LoRA{Rank: 4, Alpha: 8}
	c.SetLabels([]string{"a", "b"})
	old := *c
	from, err := define(nil, &old, "from")
	if err != nil {
		t.Fatal(err)
	}
	var tensors []checkpoint.Tensor
	for _, p := range from.VLM.Params.All() {
		tensors = append(tensors, checkpoint.Float32Tensor(p.Name, p.Shape, p.Initial(1)))
	}
	var file bytes.Buffer
	if err := checkpoint.WriteSafetensors(&file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	weights, err := checkpoint.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	c.Fusion = model.Gated
	m, err := define(nil, c, "m")
	if err != nil {
		t.Fatal(err)
	}
	name := taken(m, weights, &old)
	for _, p := range m.VLM.Params.All() {
		tower := strings.HasPrefix(p.Name, "text.") || strings.HasPrefix(p.Name, "visual.")
		want := p.Name
		if !tower && !strings.HasPrefix(p.Name, "classifier.") {
			want = "-"
		}
		if got := name(p.Name); got != want {
			t.Errorf("%s is taken from %s, want %s", p.Name, got, want)
		}
	}
}

// logitsOf asks a model that lies at path batches of as many examples each.
func logitsOf(t *testing.T, device gpu.Backend, path string, size int, batches func(*Model) []model.Batch) (all []float32) {
	t.Helper()
	files, err := OpenFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	m, err := Load(device, files)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	asked := batches(m)
	p := model.NewPredictor(device, m.VLM, m.Memory, size, len(asked[0].Tokens), 1)
	defer p.Release()
	for _, b := range asked {
		y, err := p.Logits(t.Context(), b, len(b.Tokens))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, y...)
	}
	return all
}

// sameAnswers compares a merged model's logits with those of the LoRA beside its
// weights.
func sameAnswers(t *testing.T, merged, beside []float32) {
	t.Helper()
	largest, worst := 0.0, 0.0
	for i := range beside {
		largest = max(largest, math.Abs(float64(beside[i])))
		worst = max(worst, math.Abs(float64(merged[i]-beside[i])))
	}
	t.Logf("merged logits are off by %.2g of the largest", worst/largest)
	if !(worst <= 1e-5*largest) {
		t.Errorf("merged logits %v, unmerged %v", merged, beside)
	}
}
