//go:build !js

package app

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/assets"
	"duet/gpu/gputest"
	"duet/model/config"
	"duet/model/data"
	"duet/model/train"
)

// tiny is a configuration that trains thousands of examples a second.
func tiny(t testing.TB) *config.Config {
	t.Helper()
	c, err := config.Named("small")
	if err != nil {
		t.Fatal(err)
	}
	c.Vision.Width, c.Vision.Blocks = 4, []int{1, 1}
	c.Text.Hidden, c.Text.Layers, c.Text.Heads, c.Text.Intermediate, c.ProjectionDim = 16, 1, 2, 32, 16
	c.Text.VocabSize = 300
	c.Image.Size, c.Image.ResizeShort = 32, 32
	c.Recipe.Batch, c.Recipe.Warmup, c.Recipe.MaxSteps = 8, 5, 20
	return c
}

// drawn is a small drawn collection.
func drawn(t testing.TB, rows int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "drawn")
	if _, err := assets.WriteCollection(context.Background(), dir, "rule", rows, 3, 32); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *data.Collection {
	t.Helper()
	c, err := data.OpenPath(context.Background(), dir, "", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMemoryStaysLevel compares what the device holds, and what the Go heap
// holds after a collection, at the ends of the epochs in which steps 50 and 500
// lie: there no pictures are on their way, whose number depends on the speed. By
// step 50 the programs for the length of text that every batch has and for
// validation are compiled, and the resized pictures are kept. (Another length
// would add its program when it first comes.)
func TestMemoryStaysLevel(t *testing.T) {
	device := gputest.Open(t)
	c := tiny(t)
	c.Recipe.MaxSteps, c.Recipe.Epochs, c.Recipe.Batch = 520, 0, 32
	type state struct {
		step int
		gpu  int64
		heap uint64
	}
	var at []state
	m, err := Train(t.Context(), device, TrainOptions{
		Collection: open(t, drawn(t, 600)), Config: c, Out: filepath.Join(t.TempDir(), "m"), SaveEvery: time.Second,
	}, func(e train.Event) {
		if e.Event == "epoch" && (len(at) == 0 && e.Step >= 50 || len(at) == 1 && e.Step >= 500) {
			runtime.GC()
			runtime.GC()
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			at = append(at, state{e.Step, device.Allocated().Total(), mem.HeapAlloc})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	if len(at) != 2 {
		t.Fatalf("measured %v", at)
	}
	early, late := at[0], at[1]
	t.Logf("GPU %d bytes at step %d and %d at step %d; Go heap %d KiB and %d KiB", early.gpu, early.step, late.gpu, late.step, early.heap>>10, late.heap>>10)
	if early.gpu == 0 || early.gpu != late.gpu {
		t.Errorf("the device holds %d bytes at step %d and %d at step %d", early.gpu, early.step, late.gpu, late.step)
	}
	if ratio := float64(late.heap) / float64(early.heap); ratio < 0.95 || ratio > 1.05 {
		t.Errorf("the Go heap holds %d bytes at step %d and %d at step %d, %+.1f %%", early.heap, early.step, late.heap, late.step, 100*(ratio-1))
	}
}

// TestUnreadablePicturesAreLeftOut damages pictures on both sides of a
// collection, beyond their headers: training leaves them out and names each once.
func TestUnreadablePicturesAreLeftOut(t *testing.T) {
	dir := drawn(t, 300)
	var damaged []string
	for _, side := range []string{"train", "validation"} {
		names, err := filepath.Glob(filepath.Join(dir, side, "*.png"))
		if err != nil || len(names) == 0 {
			t.Fatal(err, "no pictures")
		}
		for _, name := range names[:2] {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			// The header stays whole; each file gets bytes of its own, so that no two are equal.
			for i := len(content) / 2; i < len(content); i++ {
				content[i] = byte(i + len(damaged))
			}
			if err := os.WriteFile(name, content, 0o666); err != nil {
				t.Fatal(err)
			}
			damaged = append(damaged, filepath.Base(name))
		}
	}
	c := tiny(t)
	c.Recipe.MaxSteps, c.Recipe.Epochs = 0, 2
	var told []data.Skip
	m, err := Train(t.Context(), gputest.Open(t), TrainOptions{
		Collection: open(t, dir), Config: c, Out: filepath.Join(t.TempDir(), "m"),
	}, func(e train.Event) { told = append(told, e.Skipped...) })
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	if len(told) != len(damaged) {
		t.Errorf("%d pictures told as left out, want %d: %v", len(told), len(damaged), told)
	}
	for _, name := range damaged {
		n := 0
		for _, s := range told {
			if strings.Contains(s.String(), name) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is told %d times: %v", name, n, told)
		}
	}
}

// TestTrainWithoutAFullBatch has too few readable pictures for one batch; it
// must say so instead of going round forever.
func TestTrainWithoutAFullBatch(t *testing.T) {
	dir := drawn(t, 63)
	names, err := filepath.Glob(filepath.Join(dir, "train", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names[1:] {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for j := len(content) / 2; j < len(content); j++ {
			content[j] = byte(i + j)
		}
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: tiny(t), Out: filepath.Join(t.TempDir(), "m")}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "--batch") {
		t.Errorf("the error is %v", err)
	}
}

// TestLimit ends a training by time, with the schedule at its end.
func TestLimit(t *testing.T) {
	c := tiny(t)
	c.Recipe.Warmup = 1
	limit := 3 * time.Second
	var last train.Event
	var before, after time.Time
	m, err := Train(t.Context(), gputest.Open(t), TrainOptions{
		Collection: open(t, drawn(t, 300)), Config: c, Keep: Unkept{}, Limit: limit, Before: true,
	}, func(e train.Event) {
		switch e.Event {
		case "before":
			before = time.Now()
		case "step":
			last, after = e, time.Now()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	took := after.Sub(before)
	t.Logf("%d steps in %v, last learning rate %.2g of %.2g", last.Step, took, last.LR, c.Recipe.LearningRate)
	if took < limit/2 || took > 2*limit {
		t.Errorf("training for %v took %v", limit, took)
	}
	if last.LR > c.Recipe.LearningRate/5 {
		t.Errorf("the learning rate ends at %g of %g", last.LR, c.Recipe.LearningRate)
	}
}

// TestInterruptedTrainingSaves ends the context in the middle: the state is
// there, whole, and nothing half-written is beside it.
func TestInterruptedTrainingSaves(t *testing.T) {
	dir, out := drawn(t, 300), filepath.Join(t.TempDir(), "m")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := tiny(t)
	c.Recipe.MaxSteps = 100_000
	c.Recipe.Epochs = 0
	_, err := Train(ctx, gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: c, Out: out}, func(e train.Event) {
		if e.Event == "step" && e.Step > 5 {
			cancel()
		}
	})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("the error is %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "m" && e.Name() != "m.state" {
			t.Errorf("left over: %s", e.Name())
		}
	}
	if f := Check(t.Context(), out+".state", KindCheckpoint, "", data.Options{}); f.Verdict != data.Accept {
		t.Errorf("the state: %s", f.Reason)
	}
}

// TestStoppedBeforeItWasMeasured keeps what a training has come to when it ends
// before its first validation: nothing says when such a model is right, so it is
// never sure.
func TestStoppedBeforeItWasMeasured(t *testing.T) {
	dir, out := drawn(t, 300), filepath.Join(t.TempDir(), "m")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := tiny(t)
	c.Recipe.MaxSteps, c.Recipe.Epochs = 100_000, 0
	_, err := Train(ctx, gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: c, Out: out, KeepStopped: true}, func(e train.Event) {
		if e.Event == "step" && e.Step > 2 {
			cancel()
		}
	})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("the error is %v", err)
	}
	files, err := OpenFiles(out)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	kept, err := config.Read(files, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	if kept.Training == nil || kept.Training.Steps == 0 || kept.Training.Top1 != 0 || kept.NotSureBelow != train.NeverSure {
		t.Errorf("kept %+v, not sure below %g", kept.Training, kept.NotSureBelow)
	}
	if card := Card(files); strings.Contains(card, "not sure") || strings.Contains(card, "not trained") {
		t.Errorf("the card says %s", card)
	}
}

// TestInterruptedInTheLastValidation ends the context after the last step, while
// the model is being validated: the training is not lost, resuming ends it. Then
// its model is not lost either, unless it is said so.
func TestInterruptedInTheLastValidation(t *testing.T) {
	const steps = 12
	dir, out := drawn(t, 300), filepath.Join(t.TempDir(), "m")
	run := func(ctx context.Context, resume, replace bool, event func(train.Event)) error {
		c := tiny(t)
		c.Recipe.MaxSteps, c.Recipe.Epochs = steps, 0
		m, err := Train(ctx, gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: c, Out: out, Resume: resume, Replace: replace}, event)
		if err == nil {
			m.Release()
		}
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := run(ctx, false, false, func(e train.Event) {
		if e.Event == "step" && e.Step == steps {
			cancel()
		}
	})
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("the error is %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Fatal("there is a model before any validation")
	}
	for _, replace := range []bool{false, true} {
		if err := run(t.Context(), false, replace, func(train.Event) {}); err == nil || !strings.Contains(err.Error(), "--resume") {
			t.Errorf("begun anew over an interrupted training: %v", err)
		}
	}
	seen := map[string]int{}
	if err := run(t.Context(), true, false, func(e train.Event) { seen[e.Event]++ }); err != nil {
		t.Fatal(err)
	}
	if seen["step"] != 0 || seen["epoch"] != 1 || seen["done"] != 1 {
		t.Errorf("resumed with %v", seen)
	}
	if f := Check(t.Context(), out, KindModel, "", data.Options{}); f.Verdict != data.Accept {
		t.Errorf("the model: %s", f.Reason)
	}
	weights := read(t, filepath.Join(out, "model.safetensors"))
	if err := run(t.Context(), false, false, func(train.Event) {}); err == nil || !strings.Contains(err.Error(), out+" is there already") || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("over a finished model without being told to: %v", err)
	}
	if !bytes.Equal(read(t, filepath.Join(out, "model.safetensors")), weights) {
		t.Error("the model changed")
	}
	if err := run(t.Context(), false, true, func(train.Event) {}); err != nil {
		t.Errorf("in the place of a finished model: %v", err)
	}
}

// TestResumeRefusesOther resumes with what would not end in the same model.
func TestResumeRefusesOther(t *testing.T) {
	dir, out := drawn(t, 300), filepath.Join(t.TempDir(), "m")
	run := func(dir string, resume bool, change func(*TrainOptions, *config.Config)) error {
		c := tiny(t)
		o := TrainOptions{Collection: open(t, dir), Out: out, Resume: resume}
		change(&o, c)
		o.Config = c
		m, err := Train(t.Context(), gputest.Open(t), o, func(train.Event) {})
		if err == nil {
			m.Release()
		}
		return err
	}
	same := func(*TrainOptions, *config.Config) {}
	if err := run(dir, false, same); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, true, same); err != nil {
		t.Errorf("the same: %v", err)
	}
	fewer := open(t, dir).Select(data.Train)[0].Picture.Name
	for name, change := range map[string]func(*TrainOptions, *config.Config){
		"picture size": func(o *TrainOptions, _ *config.Config) { o.ImageSize = 64 },
		"augmentation": func(_ *TrainOptions, c *config.Config) { c.Augment.Flip = 0.5 },
		"cleaning":     func(_ *TrainOptions, c *config.Config) { c.Cleaning.NFC = !c.Cleaning.NFC },
		"seed":         func(o *TrainOptions, _ *config.Config) { o.Seed = new(uint64) },
		"fusion":       func(o *TrainOptions, _ *config.Config) { o.Fusion = "concat" },
		"examples": func(o *TrainOptions, _ *config.Config) {
			o.Collection.Examples = slices.DeleteFunc(o.Collection.Examples, func(e data.Example) bool { return e.Picture.Name == fewer })
		},
		"captions": func(o *TrainOptions, _ *config.Config) { o.Collection.Examples[0].Captions = []string{"other words"} },
	} {
		if err := run(dir, true, change); err == nil || !strings.Contains(err.Error(), "other data or settings") {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// TestEvaluateChooses evaluates on each split of a collection that has none of
// its own: the model knows what was held back.
func TestEvaluateChooses(t *testing.T) {
	dir := drawn(t, 300)
	flat := filepath.Join(t.TempDir(), "flat")
	if err := os.CopyFS(flat, os.DirFS(filepath.Join(dir, "train"))); err != nil {
		t.Fatal(err)
	}
	m, err := Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, flat), Config: tiny(t), Keep: Unkept{}}, func(train.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	n := map[string]int{}
	for _, split := range []string{"", "val", "train", "all"} {
		x, err := Evaluate(t.Context(), m, EvaluateOptions{Collection: open(t, flat), Split: split, Ablate: split == "val"})
		if err != nil {
			t.Fatalf("split %q: %v", split, err)
		}
		n[split] = x.N
		if (split == "" || split == "val") != strings.HasPrefix(x.On, recorded) {
			t.Errorf("split %q is %s", split, x.On)
		}
		if split == "val" && len(x.Ablate) != 4 {
			t.Errorf("%d passes of the ablation", len(x.Ablate))
		}
	}
	if n[""] == 0 || n["val"] != n[""] || n["train"]+n["val"] != n["all"] || n["train"] < 4*n["val"] {
		t.Errorf("examples by split: %v", n)
	}
	if _, err := Evaluate(t.Context(), m, EvaluateOptions{Collection: open(t, flat), Split: "test"}); err == nil || !strings.Contains(err.Error(), "--split") {
		t.Errorf("split test: %v", err)
	}
}

// TestInitWithoutItsTokenizer starts from a model whose tokenizer's files are
// gone or damaged: other ids would mean other words.
func TestInitWithoutItsTokenizer(t *testing.T) {
	dir, out := drawn(t, 300), filepath.Join(t.TempDir(), "m")
	m, err := Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: tiny(t), Out: out}, func(train.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	for _, gone := range []string{"tokenizer.json", "merges.txt", "vocab.json"} {
		if err := os.Remove(filepath.Join(out, gone)); err != nil {
			t.Fatal(err)
		}
		if gone == "tokenizer.json" { // the two others still make one
			continue
		}
		init, err := OpenFiles(out)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, dir), Init: init, Keep: Unkept{}}, func(train.Event) {})
		init.Close()
		if err == nil || !strings.Contains(err.Error(), "merges.txt") {
			t.Errorf("without %s: %v", gone, err)
		}
	}
}
