//go:build !js

package app

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/train"
)

// base trains a tiny model to start from and returns its folder.
func base(t *testing.T, dir string, fusion model.FusionKind) string {
	t.Helper()
	c := tiny(t)
	c.Recipe.MaxSteps = 10
	out := filepath.Join(t.TempDir(), "base")
	m, err := Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: c, Fusion: fusion, Out: out}, func(train.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	return out
}

// tuning are the options of a training from a model whose losses depend on
// nothing but the weights; the caller closes Init.
func tuning(t *testing.T, dir, from string, change func(c *config.Config)) TrainOptions {
	t.Helper()
	init, err := OpenInit(from)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(init, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	c.Augment, c.Recipe.PerPicture, c.Recipe.BatchNorm, c.Recipe.MaxSteps = data.Augment{}, 0, "frozen", 25
	change(c)
	return TrainOptions{Collection: open(t, dir), Config: c, Init: init, Out: filepath.Join(t.TempDir(), "tuned")}
}

// tuned trains from a model and returns its losses, its last validation, how
// many pictures and texts went through the towers alone, and the model's folder.
func tuned(t *testing.T, dir, from string, change func(c *config.Config)) (losses []float32, last train.Event, forwards int, out string) {
	t.Helper()
	o := tuning(t, dir, from, change)
	defer o.Init.Close()
	out = o.Out
	m, err := Train(t.Context(), gputest.Open(t), o, func(e train.Event) {
		switch e.Event {
		case "features":
			forwards = e.Step
		case "step":
			losses = append(losses, e.Loss)
		case "epoch":
			last = e
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Release()
	return losses, last, forwards, out
}

// changed lists the parts of the model whose tensors differ.
func changed(t *testing.T, a, b string) []string {
	t.Helper()
	values := func(dir string) map[string][]float32 {
		files, err := checkpoint.OpenModel(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer files.Close()
		weights, err := files.Weights()
		if err != nil {
			t.Fatal(err)
		}
		defer weights.Close()
		all := map[string][]float32{}
		for _, name := range weights.Names() {
			info, _ := weights.Info(name)
			if info.Dtype != checkpoint.F32 {
				continue // num_batches_tracked
			}
			if all[name], err = weights.Float32(name, nil); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	before, after := values(a), values(b)
	var parts []string
	for name, v := range after {
		if !slices.Equal(v, before[name]) {
			part := name[:strings.LastIndexByte(name, '.')]
			if strings.HasPrefix(part, "visual.layer") {
				part = part[:len("visual.layer1")]
			}
			if i := strings.Index(part, ".layer."); i > 0 {
				part = part[:i+len(".layer.0")]
			}
			if !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	slices.Sort(parts)
	return parts
}

// TestTuneHead trains the head on kept features and, to compare, with frozen
// towers that run at every step: the same losses and the same validation, each
// picture and text once through the towers, and nothing else changed.
func TestTuneHead(t *testing.T) {
	dir := drawn(t, 150)
	c := open(t, dir)
	texts := map[string]bool{}
	for _, e := range c.Examples {
		texts[e.Captions[0]] = true
	}
	heads := map[model.FusionKind][]string{
		model.Hadamard:       {"classifier", "fusion", "text_proj", "visual_proj"},
		model.CrossAttention: {"classifier", "cross_attn.k_proj", "cross_attn.out_proj", "cross_attn.q_proj", "cross_attn.v_proj", "cross_norm", "fusion", "visual_proj"},
		model.ImageOnly:      {"classifier", "fusion", "visual_proj"},
	}
	for fusion, head := range heads {
		t.Run(string(fusion), func(t *testing.T) {
			from := base(t, dir, fusion)
			if fusion == model.ImageOnly { // its configuration has no text tower
				from = base(t, dir, model.Hadamard)
			}
			side := func(c *config.Config) {
				if fusion == model.ImageOnly {
					c.Fusion, c.Text = model.ImageOnly, nil
				}
			}
			kept, val, forwards, out := tuned(t, dir, from, func(c *config.Config) { side(c); c.Recipe.Tune = model.TuneHead })
			again, valAgain, none, _ := tuned(t, dir, from, func(c *config.Config) {
				side(c)
				c.Recipe.Freeze = []string{"visual"}
				if c.Text != nil {
					c.Recipe.Freeze = append(c.Recipe.Freeze, "text")
				}
			})
			if len(kept) != 25 || len(again) != 25 || none != 0 {
				t.Fatalf("%d and %d steps, %d forwards without kept features", len(kept), len(again), none)
			}
			for i := range kept {
				if math.Abs(float64(kept[i]-again[i])) > 1e-4 {
					t.Fatalf("step %d: loss %v on kept features, %v on fresh ones", i+1, kept[i], again[i])
				}
			}
			if kept[24] == kept[0] || math.Abs(val.ValLoss-valAgain.ValLoss) > 1e-4 || val.ValTop1 != valAgain.ValTop1 {
				t.Errorf("losses %v to %v, validation %+v and %+v", kept[0], kept[24], val, valAgain)
			}
			want := c.Report.Pictures
			if fusion != model.ImageOnly {
				want += len(texts)
			}
			if forwards != want {
				t.Errorf("%d pictures and texts went through the towers, want each of %d once", forwards, want)
			}
			parts := changed(t, from, out)
			if !slices.Equal(parts, head) {
				t.Errorf("changed are %v, want %v", parts, head)
			}
		})
	}
}

// TestTuneLast checks which parts a training of the last parts changes.
func TestTuneLast(t *testing.T) {
	dir := drawn(t, 100)
	from := base(t, dir, model.Hadamard)
	_, _, _, out := tuned(t, dir, from, func(c *config.Config) { c.Recipe.Tune = model.TuneLast })
	want := []string{"classifier", "fusion", "text.encoder.layer.0", "text_proj", "visual.layer2", "visual_proj"}
	if parts := changed(t, from, out); !slices.Equal(parts, want) {
		t.Errorf("changed are %v, want %v", parts, want)
	}
}

// TestTuneHeadRecipe checks that a training of the head alone learns faster and
// longer than the model's recipe says, unless it is told how.
func TestTuneHeadRecipe(t *testing.T) {
	c := tiny(t)
	c.Recipe.LearningRate, c.Recipe.Epochs, c.Recipe.PerPicture = 1e-3, 5, 4
	c.Augment.Flip = 0.5
	for _, x := range []struct {
		o      TrainOptions
		rate   float64
		epochs int
	}{
		{TrainOptions{}, 1e-3, 5}, {TrainOptions{Tune: "last"}, 1e-3, 5}, {TrainOptions{Tune: "head"}, 4e-3, 10},
		{TrainOptions{Tune: "head", LR: 2e-3}, 2e-3, 10}, {TrainOptions{Tune: "head", Epochs: 3}, 4e-3, 3},
	} {
		copied := *c
		x.o.Config = &copied
		got, err := x.o.configuration()
		if err != nil {
			t.Fatal(err)
		}
		// What only a training of the towers uses stays for the next one.
		if r := got.Recipe; r.LearningRate != x.rate || r.Epochs != x.epochs || r.PerPicture != 4 || got.Augment.Flip != 0.5 {
			t.Errorf("tune %q, lr %g, epochs %d: %+v", x.o.Tune, x.o.LR, x.o.Epochs, r)
		}
	}
}

// TestTuneAgain checks that a training from a model whose own was of another kind,
// or of the same, begins at the pace of a whole one.
func TestTuneAgain(t *testing.T) {
	for _, x := range []struct {
		was    string
		rate   float64
		epochs int
	}{{"", 1e-3, 5}, {model.TuneLast, 1e-3, 5}, {model.TuneHead, 4e-3, 10}, {model.TuneLoRA, 8e-3, 5}} {
		c := tiny(t)
		c.Recipe.Tune, c.Recipe.LearningRate, c.Recipe.Epochs = x.was, x.rate, x.epochs
		init, err := checkpoint.OpenModelFS(fstest.MapFS{"config.json": {Data: c.Marshal()}}, "init")
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range []struct {
			o      TrainOptions
			rate   float64
			epochs int
		}{
			{TrainOptions{}, 1e-3, 5}, {TrainOptions{Tune: model.TuneAll}, 1e-3, 5}, {TrainOptions{Tune: model.TuneLast}, 1e-3, 5},
			{TrainOptions{Tune: model.TuneHead}, 4e-3, 10}, {TrainOptions{Tune: model.TuneLoRA}, 8e-3, 5},
			{TrainOptions{Tune: model.TuneLoRA, LR: 2e-3, Epochs: 3}, 2e-3, 3},
		} {
			y.o.Init = init
			got, err := y.o.configuration()
			if err != nil {
				t.Fatal(err)
			}
			if r := got.Recipe; r.LearningRate != y.rate || r.Epochs != y.epochs {
				t.Errorf("tune %q after %q: rate %g, %d epochs; want %g and %d", y.o.Tune, x.was, r.LearningRate, r.Epochs, y.rate, y.epochs)
			}
		}
	}
}

// TestTuneRefuses checks the trainings that make no sense.
func TestTuneRefuses(t *testing.T) {
	dir := drawn(t, 100)
	for tune, want := range map[string]string{"head": "--init", "some": "known are head, lora, last and all", "lora": "--init"} {
		_, err := Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, dir), Config: tiny(t), Tune: tune, Out: filepath.Join(t.TempDir(), "m")}, func(train.Event) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("tune %s: error %v, want one with %q", tune, err, want)
		}
	}
}

// TestTuneHeadResumes interrupts a training on kept features: resumed, it has
// the undisturbed one's losses to the bit.
func TestTuneHeadResumes(t *testing.T) {
	dir := drawn(t, 150)
	from := base(t, dir, model.Hadamard)
	head := func(c *config.Config) { c.Recipe.Tune, c.Recipe.Dropout = model.TuneHead, 0.1 }
	want, _, _, _ := tuned(t, dir, from, head)
	got := make([]float32, len(want))
	out := filepath.Join(t.TempDir(), "m")
	run := func(resume bool, stopAt int) error {
		o := tuning(t, dir, from, head)
		defer o.Init.Close()
		o.Out, o.Resume = out, resume
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		m, err := Train(ctx, gputest.Open(t), o, func(e train.Event) {
			if e.Event == "step" {
				if got[e.Step-1] = e.Loss; e.Step >= stopAt {
					stop()
				}
			}
		})
		if err == nil {
			m.Release()
		}
		return err
	}
	if err := run(false, 7); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("interrupted: %v", err)
	}
	if err := run(true, 1000); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("losses %v, undisturbed %v", got, want)
	}
}

// TestTooLarge checks that a training is refused, with a way forward, that takes
// more memory than the device has.
func TestTooLarge(t *testing.T) {
	t.Setenv(gpu.MemoryVariable, "100MB")
	c := tiny(t)
	c.Vision.Width, c.Vision.Blocks = 64, []int{2, 2, 2, 2}
	gputest.Open(t) // fails in CI, and skips elsewhere, where there is no adapter
	device, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	var events []train.Event
	_, err = Train(t.Context(), device, TrainOptions{Collection: open(t, drawn(t, 100)), Config: c, Out: filepath.Join(t.TempDir(), "m")}, func(e train.Event) { events = append(events, e) })
	if err == nil || !strings.Contains(err.Error(), "100 MB") || !strings.Contains(err.Error(), "--tune") || len(events) > 0 {
		t.Errorf("error %v after %d events", err, len(events))
	}
	t.Setenv(gpu.MemoryVariable, "1MB") // of a device that is opened now
	small, err := gpu.Open(t.Context(), gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	base, err := OpenInit("")
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	_, err = Train(t.Context(), small, TrainOptions{Collection: open(t, drawn(t, 100)), Init: base, Tune: model.TuneHead, Out: filepath.Join(t.TempDir(), "m")}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "train with a smaller batch") {
		t.Errorf("a training of the head: %v", err)
	}
	if held := device.Allocated().Most; held > 1<<20 {
		t.Errorf("%d bytes were asked for before", held)
	}
}

// Pictures larger than any model's are refused by the configuration's own bound,
// before anything is planned of them.
func TestTooLargePictures(t *testing.T) {
	_, err := Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, drawn(t, 50)), Config: tiny(t), ImageSize: 100_000, Out: filepath.Join(t.TempDir(), "m")}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "size 100000") {
		t.Errorf("error %v", err)
	}
}

// Of every kind of training that runs the towers at each step it is known how
// much its backward pass takes.
func TestSpeedOfTunes(t *testing.T) {
	s := Speed{Forward: time.Millisecond, Cores: 1}
	for _, tune := range []string{"", model.TuneAll, model.TuneLast, model.TuneLoRA} {
		r := train.Recipe{Batch: 10, Tune: tune}
		if got, forwards := s.time(r, 10, 0, 100, 0), 100*time.Millisecond; got <= forwards {
			t.Errorf("tune %q takes %v, and its forward passes alone %v", tune, got, forwards)
		}
	}
}

// TestFewClasses asks for a training on one class, and on none: it is refused with
// a way forward.
func TestFewClasses(t *testing.T) {
	collection := open(t, drawn(t, 20))
	for n, want := range map[int]string{0: "has no classes; a training needs at least two: a folder for each", 1: "has one class only; a training needs"} {
		collection.Classes = collection.Classes[:n:n]
		_, err := EstimateTraining(t.Context(), gpu.Info{}, TrainOptions{Collection: collection, Config: tiny(t)}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d classes: %v", n, err)
		}
		collection = open(t, drawn(t, 20))
	}
}
