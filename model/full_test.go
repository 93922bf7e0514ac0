package model_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duet/gpu/gputest"
	"duet/model"
	"duet/model/fullsize"
)

// full skips what only make full runs: minutes and gigabytes.
func full(t testing.TB) {
	t.Helper()
	if os.Getenv("DUET_FULL") == "" {
		t.Skip("a full-size model takes minutes and gigabytes: make full runs this")
	}
}

// fullShape is the seed: a torchvision ResNet-18 and a RoBERTa-base.
var fullShape = model.Shape{Width: 64, Blocks: []int{2, 2, 2, 2}, Fusion: model.Concat, Dim: 512, Classes: 10,
	Text: model.TextShape{Vocab: 50265, Positions: 514, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Pad: 1, Eps: 1e-5, Std: 0.02}}

// TestFullPacked loads the full-size model in every format on a device that may
// bind no more than 128 MiB, and compares the logits of eight examples.
func TestFullPacked(t *testing.T) {
	full(t)
	vision, text := fullsize.Towers(t, 1)
	device := gputest.Open(t)
	batch := mixedBatch(8, 224, 16, fullShape.Text.Vocab)
	var exact []float32
	for _, c := range []struct {
		weights string
		within  float64
	}{{model.WeightsF32, 0}, {model.WeightsF16, 5e-3}, {model.WeightsInt8, 5e-2}} {
		m, err := model.NewVLM(fullShape)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Pack(c.weights); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		memory, err := model.Place(device, m.Params)
		if err != nil {
			t.Fatal(err)
		}
		if err := memory.Initialize(3); err != nil {
			t.Fatal(err)
		}
		for prefix, name := range map[string]string{"visual.": vision, "text.": filepath.Join(text, "model.safetensors")} {
			f := openTensors(t, name)
			report, err := memory.Load(f, func(s string) string {
				rest, ok := strings.CutPrefix(s, prefix)
				if !ok {
					return "-"
				}
				if _, ok := f.Info("roberta." + rest); ok {
					return "roberta." + rest
				}
				return rest
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range report.Missing {
				if strings.HasPrefix(name, prefix) {
					t.Errorf("%s is missing", name)
				}
			}
		}
		loaded := time.Since(start)
		words := 0
		for _, a := range memory.Arenas {
			words += a.Words
		}
		p := model.NewPredictor(device, m, memory, 224, 1, 1)
		var logits []float32
		for i := range 8 {
			one := model.Batch{Pictures: batch.Pictures[i*224*224*4:][:224*224*4], Tokens: batch.Tokens[i : i+1]}
			if i == 1 {
				start = time.Now()
			}
			y, err := p.Logits(t.Context(), one, 1)
			if err != nil {
				t.Fatal(err)
			}
			logits = append(logits, y...)
		}
		each := time.Since(start) / 7
		if exact == nil {
			exact = logits
		}
		largest, worst, same := 0.0, 0.0, 0
		for i := range logits {
			largest = max(largest, math.Abs(float64(exact[i])))
			worst = max(worst, math.Abs(float64(logits[i]-exact[i])))
		}
		for i := range 8 {
			if best(logits[i*10:i*10+10]) == best(exact[i*10:i*10+10]) {
				same++
			}
		}
		t.Logf("%s: %d MB of parameters, loaded in %v, an answer in %v; logits off by %.2g of the largest, %d of 8 answers the same", c.weights, 4*words/1e6, loaded, each, worst/largest, same)
		if worst > c.within*largest || same < 7 {
			t.Errorf("%s: logits off by %g of the largest, want %g; %d of 8 answers the same", c.weights, worst/largest, c.within, same)
		}
		p.Release()
		memory.Release()
	}
}
