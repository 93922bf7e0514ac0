//go:build !js

package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/fullsize"
	"duet/model/train"
)

// TestFullLoRA trains a LoRA of rank 8 on a ResNet-18 and a RoBERTa-base: only it
// and the head change, its file has at most 6 MB, and merged the model answers
// the same.
func TestFullLoRA(t *testing.T) {
	fullOnly(t)
	vision, words := fullsize.Towers(t, 1)
	towers, err := OpenTowers(vision, words)
	if err != nil {
		t.Fatal(err)
	}
	defer towers.Close()
	device := gputest.OpenDefault(t)
	dir := t.TempDir()
	tuned, merged := filepath.Join(dir, "tuned"), filepath.Join(dir, "merged")
	m, err := Train(t.Context(), device, TrainOptions{
		Collection: open(t, drawn(t, 12)), Towers: towers, Tune: model.TuneLoRA, Batch: 2, MaxSteps: 2, Out: tuned,
	}, func(e train.Event) {
		switch e.Event {
		case "plan":
			t.Logf("trains %d of %d parameters, takes %v", e.Trained, e.Parameters, gpu.Size(e.Bytes))
		case "step":
			t.Logf("loss %.4f", e.Loss)
		case "done":
			t.Logf("held %v at most", gpu.Size(e.Bytes))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	info, err := os.Stat(filepath.Join(tuned, adapterName))
	if err != nil || info.Size() > 6e6 {
		t.Fatalf("the adapter: %v, %v", info, err)
	}
	t.Logf("the adapter has %d bytes", info.Size())

	after := openWeights(t, filepath.Join(tuned, "model.safetensors"))
	same := func(prefix, theirs string, before *checkpoint.File) {
		n := 0
		for _, name := range after.Names() {
			rest, ok := strings.CutPrefix(name, prefix)
			if !ok || strings.Contains(name, "lora_") {
				continue
			}
			n++
			if !slices.Equal(values(t, before, theirs+rest), values(t, after, name)) {
				t.Errorf("%s changed", name)
			}
		}
		t.Logf("%d tensors of %s are as they were", n, strings.TrimSuffix(prefix, "."))
	}
	same("visual.", "", towers.Vision.Weights)
	same("text.", "roberta.", towers.Text.Weights)

	files, err := OpenFiles(tuned)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := Merge(files, "", merged, false); err != nil {
		t.Fatal(err)
	}
	logits := func(path string) []float32 {
		return logitsOf(t, device, path, 224, func(m *Model) (batches []model.Batch) {
			for _, x := range photos(t, m)[:3] {
				batches = append(batches, model.Batch{Pictures: x.pixels, Tokens: [][]int32{m.Input().Encode(x.words)}, Targets: []int32{0}})
			}
			return batches
		})
	}
	sameAnswers(t, logits(merged), logits(tuned))
}
