package train

import (
	"context"
	"fmt"
	"time"

	"duet/gpu"
	"duet/model"
	"duet/model/data"
	"duet/model/report"
	"duet/model/text"
)

// A Job is one training: a placed model, its data and how to train it.
type Job struct {
	Backend gpu.Backend
	Model   *model.VLM
	Memory  *model.Memory
	Recipe  Recipe
	Input   Input
	Augment data.Augment
	Train   []data.Example
	Val     []data.Example
	Cache   int64 // bytes of resized pictures to keep in memory

	// Limit, where not 0, ends the training after about this time instead of after
	// the recipe's steps: the number of steps is estimated again and again from the
	// speed so far, so that the schedule of the learning rate ends with the time.
	// Looking at the pictures of frozen towers counts, but leaves a quarter of it.
	// Such a training cannot be resumed to the bit.
	Limit time.Duration
	// Before asks for a validation before the first step, told as event "before".
	Before bool

	// Save and Event must be set. Save is called with a state to continue from: at
	// the end of every epoch, about every SaveEvery, and when the context ends.
	// best says that the model is the best so far on validation.
	Save      func(s State, best bool) error
	SaveEvery time.Duration
	Event     func(Event)
}

// Input is how pictures and words become what a model takes.
type Input struct {
	Prep      data.Prep
	Cleaning  text.Cleaning
	Tokenizer *text.Tokenizer // nil for a model of pictures alone
	MaxTokens int
}

// Encode returns the tokens of a caption.
func (in Input) Encode(caption string) []int32 {
	if in.Tokenizer == nil {
		return nil
	}
	return in.Tokenizer.Encode(in.Cleaning.Apply(caption), in.MaxTokens)
}

// Pad returns the tokenizer's padding id.
func (in Input) Pad() int32 {
	if in.Tokenizer == nil {
		return 1
	}
	return in.Tokenizer.Pad
}

// A State is where a training stands; with the tensors of a checkpoint it
// continues as if it had not been interrupted.
type State struct {
	Step     int     `json:"step"`  // steps done
	Epoch    int     `json:"epoch"` // from 0
	Next     int     `json:"next"`  // place in the epoch's order
	LossSum  float64 `json:"loss_sum"`
	LossN    int     `json:"loss_n"`
	BestTop1 float64 `json:"best_top1"`
	BestLoss float64 `json:"best_loss"`        // of the best model on the validation pictures
	BestStep int     `json:"best_step"`        // 0: none yet
	Usable   int     `json:"usable,omitempty"` // of a training of the head alone: the examples whose pictures could be read

	Done bool `json:"done"` // after the last validation

	NotSureBelow float64 `json:"not_sure_below"` // of the last validation, see chooseSure
}

// ErrInterrupted says that the context ended; the state was saved.
var ErrInterrupted = report.ErrInterrupted

// Steps returns the number of steps that a recipe takes over n examples (or
// pictures, where their examples come together), and the batch size, which is
// smaller than the recipe's where there are fewer.
func (r Recipe) Steps(n int) (steps, batch int) {
	batch = min(r.Batch, n)
	steps = r.Epochs * (n / batch)
	if r.MaxSteps > 0 && (r.MaxSteps < steps || r.Epochs == 0) {
		steps = r.MaxSteps
	}
	return steps, batch
}

// Run trains from state s on and returns the state at the end.
func (j *Job) Run(ctx context.Context, s State) (State, error) {
	if err := j.Recipe.Validate(); err != nil {
		return s, err
	}
	if len(j.Train) == 0 || len(j.Val) == 0 {
		return s, fmt.Errorf("train: %d examples to train on and %d to validate; both need some", len(j.Train), len(j.Val))
	}
	recipe := j.Recipe
	per := recipe.perPicture(j.Model)
	cache := data.NewCache(j.Cache)
	run := &run{Job: j, state: s, train: j.Train, val: j.Val, saved: time.Now(), told: map[string]bool{}}
	run.limit = j.Limit
	if recipe.Tune == model.TuneHead {
		looking := time.Now()
		if err := AllocateOptimizer(j.Memory); err != nil { // what an interruption saves
			return s, err
		}
		f, err := run.extract(ctx, cache)
		if err != nil {
			return s, err
		}
		defer f.Release()
		run.limit = max(j.Limit-time.Since(looking), j.Limit/4)
	}
	units := data.Units(run.train, per)
	total, batch := recipe.Steps(units)
	recipe.Batch = batch
	step, err := NewStep(j.Backend, j.Model, j.Memory, recipe, j.Input.Prep.Size, total, j.Input.Pad())
	if err != nil {
		return s, err
	}
	defer step.Release()
	step.Resume(s.Step)
	step.features = run.features
	run.step, run.total, run.batch, run.perEpoch = step, total, batch, max(1, units/batch)
	if run.evaluator = run.features; run.features == nil {
		run.evaluator, err = NewEvaluator(j.Backend, j.Model, j.Memory, j.Input, batch*per, cache)
		if err != nil {
			return s, err
		}
		defer run.evaluator.Release()
	}
	run.loader, err = data.NewLoader(visibleTo(j.Model, run.train), j.Input.Prep, data.LoaderOptions{
		Batch: batch, PerPicture: per, Train: true, Seed: recipe.Seed, Augment: j.Augment, DropLast: true, Cache: cache})
	if err != nil {
		return s, err
	}
	return run.all(ctx)
}

// run is a training under way.
type run struct {
	*Job
	step      *Step
	loader    *data.Loader
	evaluator validator
	train     []data.Example // that are used
	val       []data.Example
	features  *features // of frozen towers, where they are kept
	rows      []uint32  // of the examples to train on
	state     State
	total     int
	batch     int
	perEpoch  int // steps of an epoch whose pictures are all readable
	saved     time.Time
	saving    time.Duration   // how long the last save took
	started   time.Time       // the first step of this run
	limit     time.Duration   // from then on, see Job.Limit
	told      map[string]bool // pictures told as skipped
	tokens    [][]int32
	targets   []int32

	reported time.Time // when losses were last read
	examples int       // trained on since then
}

// A validator measures the model on examples.
type validator interface {
	Run(ctx context.Context, examples []data.Example, hide Hide, each func(Answer)) (Result, error)
	Refresh()
	Release()
}

// extract computes the features of all examples, for a training of the head alone.
func (r *run) extract(ctx context.Context, cache *data.Cache) (*features, error) {
	f, err := newFeatures(ctx, r.Job, min(r.Recipe.Batch, len(r.Train)), cache, seldom(func(done, total int) {
		r.Event(Event{Event: "features", Step: done, Steps: total})
	}))
	if ctx.Err() != nil {
		if f != nil {
			f.Release()
		}
		if err := r.Save(r.state, false); err != nil {
			return nil, fmt.Errorf("train: saving before the first step: %w", err)
		}
		return nil, fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	done := len(f.pictures) + len(f.skipped) + len(f.texts)
	r.Event(Event{Event: "features", Step: done, Steps: done, Skipped: r.skipped(f.skipped)})
	r.rows, r.train, _ = f.usable(r.Train)
	_, val, _ := f.usable(r.Val)
	err = nil
	switch {
	case len(r.train) == 0 || len(val) == 0:
		err = fmt.Errorf("train: of the pictures to train on %d can be read, of those to validate with %d; repair them (duet check lists them)", len(r.train), len(val))
	case r.state.Usable != 0 && r.state.Usable != len(r.train):
		err = fmt.Errorf("train: %d examples to train on can be read, and it were %d before; make the same pictures readable again to resume, or start anew", len(r.train), r.state.Usable)
	}
	if err != nil {
		f.Release()
		return nil, err
	}
	r.features, r.state.Usable = f, len(r.train)
	return f, nil
}

func (r *run) all(ctx context.Context) (State, error) {
	if r.Before {
		result, err := r.evaluator.Run(ctx, r.val, Hide{}, nil)
		if err != nil {
			return r.state, err
		}
		r.Event(Event{Event: "before", ValLoss: result.Loss, ValTop1: result.Top1, Skipped: r.skipped(result.Skipped)})
	}
	r.started = time.Now()
	r.reported = r.started
	for r.state.Step < r.total || r.state.Next > 0 { // an epoch is at its end only after its validation
		if err := r.epoch(ctx); err != nil {
			return r.state, err
		}
	}
	return r.state, nil
}

// epoch runs what is left of the current epoch, then validates and saves.
func (r *run) epoch(ctx context.Context) error {
	began := time.Now()
	begin := r.state.Step
	if r.state.Next > 0 {
		begin-- // resumed within the epoch, which made a step before
	}
	batches := r.loader.Epoch(ctx, r.state.Epoch, r.state.Next)
	if r.state.Step >= r.total { // resumed in the last validation
		batches = func(func(*data.Batch, error) bool) {}
	}
	for b, err := range batches {
		if err == nil {
			err = r.one(ctx, b)
		}
		if ctx.Err() != nil {
			return r.interrupt(ctx)
		}
		if err != nil {
			return err
		}
		if r.state.Step >= r.total {
			break
		}
		// A large model's state takes longer to save than one wants to wait often.
		if r.SaveEvery > 0 && time.Since(r.saved) > max(r.SaveEvery, 10*r.saving) {
			if err := r.save(false); err != nil {
				return err
			}
		}
	}
	if r.state.Step == begin {
		return fmt.Errorf("train: too many of the %d pictures to train on cannot be read to fill one batch of %d; choose a smaller batch (--batch), or repair them (duet check lists them)", len(r.Train), r.batch)
	}
	if err := r.losses(true); err != nil {
		return err
	}
	r.evaluator.Refresh()
	var sure []verdict
	result, err := r.evaluator.Run(ctx, r.val, Hide{}, func(a Answer) { sure = append(sure, a.verdict()) })
	if ctx.Err() != nil {
		return r.interrupt(ctx)
	}
	if err != nil {
		return err
	}
	r.state.NotSureBelow = chooseSure(sure)
	mean := r.state.LossSum / float64(max(1, r.state.LossN))
	// Few pictures held back often leave the accuracy as it was: then the loss tells.
	best := r.state.BestStep == 0 || result.Top1 > r.state.BestTop1 || result.Top1 == r.state.BestTop1 && result.Loss < r.state.BestLoss
	if best {
		r.state.BestTop1, r.state.BestLoss, r.state.BestStep = result.Top1, result.Loss, r.state.Step
	}
	r.Event(Event{Event: "epoch", Epoch: r.state.Epoch + 1, Epochs: r.epochs(), Step: r.state.Step, Steps: r.total, TrainLoss: mean, ValLoss: result.Loss, ValTop1: result.Top1,
		Seconds: time.Since(began).Seconds(), Skipped: r.skipped(append(r.loader.Skipped(), result.Skipped...))})
	r.state.Epoch++
	r.state.Next, r.state.LossSum, r.state.LossN = 0, 0, 0
	err = r.save(best)
	r.reported, r.examples = time.Now(), 0 // validation does not count in the speed
	return err
}

// epochs returns how many epochs the schedule has, the last one perhaps short.
func (r *run) epochs() int {
	return max(r.state.Epoch+1, (r.total+r.perEpoch-1)/r.perEpoch)
}

// skipped returns those skips that were not told before.
func (r *run) skipped(all []data.Skip) (fresh []data.Skip) {
	for _, s := range all {
		if key := s.String(); !r.told[key] {
			r.told[key] = true
			fresh = append(fresh, s)
		}
	}
	return fresh
}

// interrupt saves where training stands after its context ended.
func (r *run) interrupt(ctx context.Context) error {
	if err := r.losses(true); err != nil {
		return err
	}
	if err := r.save(false); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
}

func (r *run) save(best bool) error {
	if err := r.losses(true); err != nil {
		return err
	}
	start := time.Now()
	r.state.Done = r.state.Step >= r.total && r.state.Next == 0
	if err := r.Save(r.state, best); err != nil {
		return fmt.Errorf("train: saving after step %d: %w", r.state.Step, err)
	}
	r.saved, r.saving = time.Now(), time.Since(start)
	return nil
}

// one runs a step over a loaded batch.
func (r *run) one(ctx context.Context, b *data.Batch) error {
	r.tokens, r.targets = r.tokens[:0], r.targets[:0]
	for _, label := range b.Labels {
		if label < 0 { // a picture with fewer examples than others
			r.targets = append(r.targets, -100)
			continue
		}
		r.targets = append(r.targets, int32(label))
		r.examples++
	}
	batch := model.Batch{Pictures: b.Pixels, Targets: r.targets}
	switch f := r.step.features; {
	case f != nil:
		batch = model.Batch{Targets: r.targets, PictureRows: make([]uint32, len(b.Index)), TextRows: make([]uint32, len(b.Index))}
		for i, at := range b.Index {
			batch.PictureRows[i], batch.TextRows[i] = r.rows[at], f.texts[b.Captions[i]]
		}
	case r.Input.Tokenizer != nil:
		for _, s := range b.Captions {
			r.tokens = append(r.tokens, r.Input.Encode(s))
		}
		batch.Tokens = r.tokens
	}
	// A step is whole or not at all: the context counts between steps.
	if err := r.step.Run(context.WithoutCancel(ctx), batch); err != nil {
		return err
	}
	r.state.Step++
	r.state.Next = b.Next
	return r.losses(r.early()) // the first steps compile: a plan made after them may end far too soon
}

// losses reads the losses of the steps since the last time, when enough time
// has passed or the device's ring is getting full, and tells them.
func (r *run) losses(now bool) error {
	waiting := r.state.Step - r.step.read
	if waiting == 0 || (!now && waiting < ring/2 && time.Since(r.reported) < 200*time.Millisecond) {
		return nil
	}
	losses, err := r.step.Losses()
	if err != nil {
		return err
	}
	elapsed := time.Since(r.reported).Seconds()
	speed := float64(r.examples) / max(elapsed, 1e-9)
	first := r.state.Step - len(losses)
	for i, l := range losses {
		r.state.LossSum += float64(l)
		r.state.LossN++
		r.Event(Event{Event: "step", Epoch: r.state.Epoch + 1, Epochs: r.epochs(), Step: first + i + 1, Steps: r.total, Loss: l,
			LR: r.Recipe.Rate(first+i, r.total), ExamplesPerSec: speed})
	}
	r.reported, r.examples = time.Now(), 0
	r.plan()
	return nil
}

// early tells that a training that time limits has come to the end of its plan
// with much of the time left.
func (r *run) early() bool {
	return r.limit > 0 && r.state.Step >= r.total && time.Since(r.started) < r.limit*3/4
}

// plan sets the number of steps from the time that is left, where time limits
// the training.
func (r *run) plan() {
	if r.limit <= 0 || r.state.Step >= r.total && !r.early() {
		return // at its end, a plan stays
	}
	spent := time.Since(r.started)
	if spent >= r.limit {
		r.total = r.state.Step
		return
	}
	r.total = r.state.Step + int(float64(r.state.Step)*float64(r.limit-spent)/float64(spent)) + 1
	r.step.SetTotal(r.total)
}
