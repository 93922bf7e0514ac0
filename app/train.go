package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"duet/gpu"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/nn"
	"duet/model/report"
	"duet/model/text"
	"duet/model/train"
)

// TrainOptions say what to train and how. Zero values keep what the
// configuration, or the model to start from, says.
type TrainOptions struct {
	Collection *data.Collection
	Name       string            // of the data, for the model card
	Config     *config.Config    // of a new model; nil: that of Init, or small
	Init       *checkpoint.Model // nil: from scratch, or from Towers
	Towers     *Towers           // pretrained towers to start from, without a model around them
	Out        string            // where the model goes: a folder, or a .zip
	Replace    bool              // a model that is there already, see [Vacant]
	Keep       Keeper            // takes the place of Out where set
	Resume     bool              // go on from the state that was kept

	// Tokenizer is of a model without an init; nil: one is trained on the captions
	// of the training part.
	Tokenizer *text.Tokenizer

	Fusion    model.FusionKind
	Inputs    string // "", "both", "image" or "text"
	Epochs    int
	Batch     int
	LR        float64
	ImageSize int
	Tune      string // how much of the model is trained: all, last, lora or head, see [model.VLM.Frozen]
	LoRARank  int    // of a training of that kind; 0: the model's, or 8
	Freeze    []string
	Seed      *uint64
	MaxSteps  int
	Share     float64 // of the pictures for validation; 0: 15 %
	Cache     int64   // bytes of resized pictures kept in memory; 0: 256 MiB

	KeepStopped bool // where the context ends before the first validation, but not before the first step, save the model as it stands

	SaveEvery time.Duration // how often a state to go on from is saved; 0: every 30 s
	Limit     time.Duration // where not 0: train for about this long, whatever the steps, see [train.Job]
	Before    bool          // validate before the first step, too
}

// Close closes Init and Towers.
func (o *TrainOptions) Close() {
	if o.Init != nil {
		o.Init.Close()
	}
	if o.Towers != nil {
		o.Towers.Close()
	}
}

// Train fine-tunes or trains from scratch, keeps the best model and tells
// events. When the context ends it saves a state to go on from and returns an
// error that wraps [train.ErrInterrupted].
func Train(ctx context.Context, backend gpu.Backend, o TrainOptions, event func(train.Event)) (*Model, error) {
	if err := o.CheckOut(); err != nil {
		return nil, err
	}
	plan, err := o.plan(ctx, backend.Info())
	if err != nil {
		return nil, err
	}
	m, held, err := o.prepare(ctx, backend)
	if err != nil {
		return nil, err
	}
	if o.Init != nil && within(o.Out, o.Init.Name()) {
		o.Init.Close() // Windows replaces no file that is open
	}
	event(plan)
	t := &training{keep: o.Keep, model: m, based: o.Init != nil || o.Towers != nil}
	m.Config.Training = &config.Training{
		HeldOut: held, Seed: m.Config.Recipe.Seed, Data: o.Name, Examples: len(o.Collection.Select(data.Train)), Init: o.initName(), Adapter: backend.Info().Name,
	}
	if t.fingerprint, err = fingerprint(m, o.Collection, t.unchanged()); err != nil {
		m.Release()
		return nil, err
	}
	var from train.State
	if o.Resume {
		if from, err = t.resume(); err != nil {
			m.Release()
			return nil, report.Because(err, report.BadState)
		}
	}
	cache := o.Cache
	if cache == 0 {
		cache = 256 << 20
	}
	augment := m.Config.Augment
	if m.Config.Recipe.Tune == model.TuneHead {
		augment = data.Augment{} // each picture is looked at once, as it is
	}
	job := train.Job{
		Backend: backend, Model: m.VLM, Memory: m.Memory, Recipe: m.Config.Recipe, Input: m.Input(), Augment: augment,
		Train: labelled(o.Collection.Select(data.Train)), Val: labelled(o.Collection.Select(data.Validation)), Cache: cache,
		Save: t.save, SaveEvery: cmp.Or(o.SaveEvery, 30*time.Second), Event: event, Limit: o.Limit, Before: o.Before,
	}
	end, err := job.Run(ctx, from)
	if errors.Is(err, train.ErrInterrupted) && o.KeepStopped && end.BestStep == 0 && end.Step > 0 {
		m.Config.Training.Steps, m.Config.NotSureBelow = end.Step, train.NeverSure
		if saving := o.Keep.SaveModel(m); saving != nil {
			err = errors.Join(err, saving)
		}
	}
	if err != nil {
		m.Release()
		return nil, err
	}
	done := train.Event{Event: "done", Model: o.Out, ValTop1: end.BestTop1, Step: end.Step}
	if d, ok := backend.(*gpu.Device); ok {
		done.Bytes = d.Allocated().Most
	}
	event(done)
	return m, nil
}

// plan tells what the training will take, and refuses one that takes more than
// the device has.
func (o *TrainOptions) plan(ctx context.Context, adapter gpu.Info) (train.Event, error) {
	known := *o
	if o.Config != nil {
		c := *o.Config // which an estimate changes
		known.Config = &c
	}
	e, err := EstimateTraining(ctx, adapter, known, nil)
	if err != nil {
		return train.Event{}, err
	}
	if e.TooLarge() {
		less := "train with"
		if o.Tune != model.TuneHead {
			less = "train less of the model (--tune lora or head), or with"
		}
		return train.Event{}, report.Because(fmt.Errorf("app: this training takes %s of the device's memory, and %s has about %s for it: %s a smaller batch or smaller pictures (--batch, --image-size); %s says how much there is if that is wrong",
			report.Size(e.Bytes), adapter.Name, report.Size(e.Memory), less, gpu.MemoryVariable), report.AdapterMemory)
	}
	return train.Event{Event: "plan", Bytes: e.Bytes, Memory: e.Memory, Parameters: e.Parameters, Trained: e.Trained, Steps: e.Steps}, nil
}

// CheckOut refuses a place where the model cannot go, or where no state lies to go
// on from. [Train] begins with it;
// whoever reads a collection first asks before that.
func (o *TrainOptions) CheckOut() error {
	if o.Keep == nil {
		if o.Out == "" {
			return errors.New("app: say where the model shall go (--out)")
		}
		if err := checkpoint.CanWriteModel(o.Out); err != nil {
			return fmt.Errorf("app: %w", err)
		}
		o.Keep = OnDisk(o.Out)
	}
	if o.Resume { // the model that it has come to is its own to replace
		f, err := openState(o.Keep)
		if err != nil {
			return err
		}
		return f.Close()
	}
	var taken error
	if d, ok := o.Keep.(OnDisk); ok {
		taken = Vacant(string(d), o.Replace)
	}
	// A state that is no longer needed, or none at all, is written over.
	if s, ok := SavedState(o.Keep); ok && !s.Done {
		anew := "remove it"
		if taken != nil {
			anew = "remove it and add --replace"
		}
		return fmt.Errorf("app: %s holds a training that was interrupted after step %d: go on with --resume, or %s to start anew", o.Keep, s.Step, anew)
	}
	if taken != nil {
		return fmt.Errorf("app: %w", taken)
	}
	return nil
}

// labelled leaves out what has no class.
func labelled(examples []data.Example) []data.Example {
	return slices.DeleteFunc(slices.Clone(examples), func(e data.Example) bool { return e.Label < 0 })
}

// seen are the towers of what the model shall see.
func (o *TrainOptions) seen() *Towers {
	t := *o.Towers
	switch o.Inputs {
	case "image":
		t.Text = nil
	case "text":
		t.Vision = nil
	}
	return &t
}

func (o *TrainOptions) initName() string {
	if o.Towers != nil {
		return o.seen().String()
	}
	if o.Init == nil {
		return "random weights"
	}
	return filepath.Base(o.Init.Name())
}

// prepare defines, places and fills the model to train.
func (o *TrainOptions) prepare(ctx context.Context, backend gpu.Backend) (*Model, data.HeldOut, error) {
	c, err := o.configuration()
	if err != nil {
		return nil, data.HeldOut{}, err
	}
	if (c.Recipe.Tune == model.TuneHead || c.Recipe.Tune == model.TuneLoRA) && o.Init == nil && o.Towers == nil {
		return nil, data.HeldOut{}, errors.New("app: the head alone, or a LoRA, can be trained only on towers that have learnt something: start from a model (--init), or train all of it")
	}
	held, err := o.Collection.HoldOut(ctx, c.Recipe.Seed, o.Share)
	if err != nil {
		return nil, held, err
	}
	if len(o.Collection.Classes) < 2 {
		return nil, held, fmt.Errorf("app: %w", report.TooFewClasses("the collection", len(o.Collection.Classes)))
	}
	c.SetLabels(o.Collection.Classes)
	var tokenizer *text.Tokenizer
	if c.Text != nil {
		if tokenizer, err = o.tokenizer(ctx, c); err != nil {
			return nil, held, err
		}
	}
	if err := c.Validate(); err != nil {
		return nil, held, fmt.Errorf("app: the configuration: %w", err)
	}
	m, err := define(backend, c, cmp.Or(o.Out, o.Name))
	if err != nil {
		return nil, held, err
	}
	m.Tokenizer = tokenizer
	if err := m.freeze(); err != nil {
		return nil, held, err
	}
	if err := m.place(); err != nil {
		return nil, held, err
	}
	fresh := m.VLM.Params.All()
	if o.Init != nil || o.Towers != nil {
		loaded, err := o.load(m)
		if err != nil {
			m.Release()
			return nil, held, err
		}
		fresh = slices.DeleteFunc(slices.Clone(fresh), func(p *nn.Param) bool { return loaded[p.Name] })
	}
	if err := m.Memory.InitializeOnly(c.Recipe.Seed, fresh); err != nil {
		m.Release()
		return nil, held, err
	}
	return m, held, nil
}

// freeze marks what the model's recipe leaves as it is.
func (m *Model) freeze() error {
	frozen, err := m.VLM.Frozen(m.Config.Recipe.Tune)
	if err != nil {
		return err
	}
	return m.VLM.Params.Freeze(append(frozen, m.Config.Recipe.Freeze...))
}

// tokenizer takes that of the model to start from, the one that is given, or
// trains one on the captions of the training part.
func (o *TrainOptions) tokenizer(ctx context.Context, c *config.Config) (*text.Tokenizer, error) {
	if o.Towers != nil && o.Towers.Text != nil {
		_, _, t, _, err := o.Towers.Text.text()
		return t, err
	}
	if o.Init == nil && o.Tokenizer != nil {
		c.Text.VocabSize = o.Tokenizer.VocabSize()
		return o.Tokenizer, nil
	}
	if o.Init != nil {
		if t, err := text.Load(o.Init); err == nil {
			return t, nil
		} else if !errors.Is(err, text.ErrNone) {
			return nil, fmt.Errorf("app: %s: %w", o.Init.Name(), err)
		}
		// Its embeddings mean nothing with the ids of another tokenizer.
		old, err := config.Read(o.Init, "config.json")
		if err != nil {
			return nil, fmt.Errorf("app: %s: %w", o.Init.Name(), err)
		}
		if old.Text != nil {
			return nil, fmt.Errorf("app: %s has a text tower: %w", o.Init.Name(), text.ErrNone)
		}
	}
	var captions iter.Seq[string] = func(yield func(string) bool) {
		for _, e := range o.Collection.Select(data.Train) {
			for _, s := range e.Captions {
				if !yield(c.Cleaning.Apply(s)) {
					return
				}
			}
		}
	}
	t, err := text.Train(ctx, captions, c.Text.VocabSize)
	if err != nil {
		return nil, fmt.Errorf("app: training the tokenizer: %w", err)
	}
	c.Text.VocabSize = t.VocabSize()
	return t, nil
}

// load takes over the tensors of the model to start from: all that have the
// same name and shape. The classifier is taken only for the same classes.
func (o *TrainOptions) load(m *Model) (loaded map[string]bool, err error) {
	loaded = map[string]bool{}
	if o.Towers != nil {
		j, err := o.seen().join(m.Config.Fusion)
		if err != nil {
			return nil, err
		}
		found, vision, words, err := j.sources(m.VLM)
		if err != nil {
			return nil, err
		}
		for _, t := range []*report.Tower{vision, words} {
			if t != nil && len(t.Initialised) > 0 {
				return nil, fmt.Errorf("app: %s lacks %s; duet init makes a model of it with these at random", t.Source, shortList(t.Initialised, 3))
			}
		}
		for _, s := range found {
			loaded[s.Param.Name] = true
		}
		return loaded, m.Memory.SetAll(found)
	}
	weights, err := o.Init.Weights()
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	defer weights.Close()
	old, err := config.Read(o.Init, "config.json")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	if old.LoRA != nil && (m.Config.LoRA == nil || *old.LoRA != *m.Config.LoRA) {
		return nil, fmt.Errorf("app: %s has a LoRA, which the configuration does not have or has otherwise: merge it first (duet merge)", o.Init.Name())
	}
	m.Config.StartFrom(old)
	told, err := m.Memory.Load(weights, taken(m, weights, old))
	has := map[string]bool{} // the towers
	for _, name := range told.Loaded {
		tower, _, _ := strings.Cut(name, ".")
		has[tower], loaded[name] = true, true
	}
	for _, name := range told.Missing {
		tower, _, _ := strings.Cut(name, ".")
		switch p := m.VLM.Params.Get(name); {
		case err != nil || p.New:
		case has[tower]:
			err = fmt.Errorf("it lacks %s, so its tower is another than the configuration's", name)
		case !p.State && !p.Trainable:
			err = fmt.Errorf("it lacks %s, which this training would leave as it is; train more of the model (--tune all)", name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("app: starting from %s: %w; without a configuration of its own a training takes that of the model, and --init none starts from random weights", o.Init.Name(), err)
	}
	return loaded, nil
}

// taken tells which tensors of a model to start from, with the configuration
// old, m takes over: all that have the same name and shape, the classifier only
// for the same classes, and what follows the towers only for the same fusion. The
// function returns the name, or one that no tensor has.
func taken(m *Model, weights *checkpoint.File, old *config.Config) func(name string) string {
	same := reflect.DeepEqual(old.ID2Label, m.Config.ID2Label)
	return func(name string) string {
		p := m.VLM.Params.Get(name)
		info, ok := weights.Info(name)
		fits := ok && slices.Equal(info.Shape, p.Shape)
		if name == "classifier.weight" || name == "classifier.bias" {
			fits = fits && same
		} else if old.Fusion != m.Config.Fusion && p.New && !(p.Adapter && strings.HasPrefix(name, "text.")) {
			fits = false // a LoRA of the tower is a part of it
		}
		if !fits && p.New {
			return "-"
		}
		return name // a tower that does not fit is an error that names the shapes
	}
}
