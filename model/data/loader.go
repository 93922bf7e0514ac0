package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"runtime"
	"slices"
	"sync"
)

// LoaderOptions say how examples become batches.
type LoaderOptions struct {
	Batch      int     // examples a batch; pictures where PerPicture is more than 1
	PerPicture int     // in training, how many examples of one picture a batch takes together; 0 and 1: each on its own
	Train      bool    // shuffle, sample captions and augment; else the examples in order, first captions, as they are
	Seed       uint64  // of everything random
	Augment    Augment // in training
	DropLast   bool    // leave out the last batch where it is not full
	Workers    int     // goroutines that prepare pictures; 0: one a core (one in the browser)
	Prefetch   int     // examples prepared ahead; 0: two batches
	Cache      *Cache  // of resized pictures; nil: none
}

// A Loader streams the batches of an epoch. Which examples make which batch,
// their captions and their pixels depend on the examples, the options and the
// epoch alone.
type Loader struct {
	examples   []Example
	runs       [][]int // examples that one tensor serves: see perPicture
	prep       Prep
	options    LoaderOptions
	short      int // short side of resized pictures
	normalizer *normalizer
	large      sync.Mutex // held while a large picture is decoded

	mu      sync.Mutex
	bad     map[*Picture]bool
	skipped []Skip
}

// A Batch is what one training step takes. It is overwritten by the next one.
type Batch struct {
	N        int       // pictures; less than the loader's batch size at the end of an epoch
	Pixels   []float32 // [B H W 4] with B the batch size; zero from picture N on
	Captions []string  // [N·PerPicture], "" for an example without words
	Labels   []int     // [N·PerPicture], −1 for an example without a class
	Index    []int     // [N·PerPicture], places in the loader's examples; −1 where a picture has no more
	Next     int       // where in the epoch's order the next batch begins: Epoch's start to go on from here
}

// NewLoader makes a loader of examples prepared by prep.
func NewLoader(examples []Example, prep Prep, o LoaderOptions) (*Loader, error) {
	if slices.ContainsFunc(examples, func(e Example) bool { return e.Picture != nil }) {
		if err := prep.Validate(); err != nil {
			return nil, err
		}
	} else {
		prep.Size = 0 // words alone
	}
	if err := o.Augment.Validate(); err != nil {
		return nil, err
	}
	if o.Batch < 1 {
		return nil, fmt.Errorf("data: loading batches: batch size %d: choose at least 1", o.Batch)
	}
	if len(examples) == 0 {
		return nil, errors.New("data: loading batches: there are no examples")
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Prefetch < 1 {
		o.Prefetch = 2 * o.Batch
	}
	o.PerPicture = max(1, o.PerPicture)
	if !o.Train {
		o.PerPicture = 1
	}
	l := &Loader{examples: examples, runs: perPicture(examples, o.PerPicture), prep: prep, options: o, normalizer: newNormalizer(&prep), bad: map[*Picture]bool{}}
	l.short = prep.ResizeShort
	if o.Train {
		l.short = o.Augment.short(&prep)
	}
	return l, nil
}

// Len is the number of batches of an epoch whose pictures are all readable.
func (l *Loader) Len() int {
	if l.options.DropLast {
		return len(l.runs) / l.options.Batch
	}
	return (len(l.runs) + l.options.Batch - 1) / l.options.Batch
}

// Units is the number of pictures of an epoch where at most n of one
// picture's examples come together; where each comes on its own, the number of
// examples.
func Units(examples []Example, n int) int { return len(perPicture(examples, max(1, n))) }

// Skipped returns the examples that were left out so far because their picture
// could not be decoded, each picture once.
func (l *Loader) Skipped() []Skip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.skipped)
}

// Purposes of the random numbers of one example.
const (
	drawOrder = iota
	drawCaption
	drawAugment
)

// order returns the epoch's order of the runs.
func (l *Loader) order(epoch int) []int {
	if l.options.Train {
		return newDraws(l.options.Seed, uint64(epoch), drawOrder).permutation(len(l.runs))
	}
	order := make([]int, len(l.runs))
	for i := range order {
		order[i] = i
	}
	return order
}

// perPicture gathers the examples of each picture in runs of at most n, in order
// of their first. Which of a picture's examples come together is fixed.
func perPicture(examples []Example, n int) [][]int {
	runs := make([][]int, 0, len(examples))
	type shown struct {
		picture *Picture
		copy    int
	}
	open := map[shown]int{} // the run of a picture that has room
	for i := range examples {
		p := shown{examples[i].Picture, examples[i].Copy}
		if at, ok := open[p]; ok && p.picture != nil {
			if runs[at] = append(runs[at], i); len(runs[at]) == n {
				delete(open, p)
			}
			continue
		}
		if n > 1 {
			open[p] = len(runs)
		}
		runs = append(runs, append(make([]int, 0, n), i))
	}
	return runs
}

// A job is one run of examples on its way into a batch.
type job struct {
	run    []int
	next   int           // place in the order after it
	pixels []float32     // [H W 4]
	done   chan struct{} // closed when pixels or wrong are set
	wrong  error
}

// Epoch yields the batches of an epoch from a place in its order, 0 or an
// earlier batch's Next, until the end, an error or the end of the loop. An
// example whose picture cannot be decoded is left out, and the next one takes
// its place. The only errors are the context's, and an epoch without any usable
// example.
func (l *Loader) Epoch(ctx context.Context, epoch, start int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer stop()
		jobs := l.start(ctx, &workers, epoch, start)
		size := l.prep.Len()
		b := l.newBatch(start)
		any := false
		for j := range jobs.ordered {
			select {
			case <-j.done:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
			b.Next = j.next
			if j.wrong == nil {
				copy(b.Pixels[b.N*size:], j.pixels)
				l.add(b, epoch, j.run)
				any = true
			}
			jobs.free <- j.pixels
			if b.N == l.options.Batch {
				if !yield(b, nil) {
					return
				}
				b.reset()
			}
		}
		switch {
		case ctx.Err() != nil:
			yield(nil, ctx.Err())
		case b.N > 0 && !l.options.DropLast:
			clear(b.Pixels[b.N*size:])
			yield(b, nil)
		case !any && start == 0 && len(l.runs) > 0:
			yield(nil, fmt.Errorf("data: loading batches: no example is usable: %s", listSkips(l.Skipped())))
		}
	}
}

func (l *Loader) newBatch(start int) *Batch {
	n := l.options.Batch * l.options.PerPicture
	return &Batch{
		Pixels: make([]float32, l.options.Batch*l.prep.Len()), Next: start,
		Captions: make([]string, 0, n), Labels: make([]int, 0, n), Index: make([]int, 0, n),
	}
}

func (b *Batch) reset() {
	b.N = 0
	b.Captions, b.Labels, b.Index = b.Captions[:0], b.Labels[:0], b.Index[:0]
}

// add appends a run of examples that share a picture.
func (l *Loader) add(b *Batch, epoch int, run []int) {
	b.N++
	for i := range l.options.PerPicture {
		index, label, caption := -1, -1, ""
		if i < len(run) {
			index = run[i]
			label, caption = l.examples[index].Label, l.caption(epoch, index)
		}
		b.Captions, b.Labels, b.Index = append(b.Captions, caption), append(b.Labels, label), append(b.Index, index)
	}
}

func (l *Loader) caption(epoch, index int) string {
	captions := l.examples[index].Captions
	switch {
	case len(captions) == 0:
		return ""
	case !l.options.Train:
		return captions[0]
	}
	return captions[newDraws(l.options.Seed, uint64(epoch), drawCaption, uint64(index)).intn(len(captions))]
}

// pipeline is the running preparation of an epoch.
type pipeline struct {
	ordered chan *job      // every job, in the epoch's order
	free    chan []float32 // tensors not in use: as many as are prepared ahead
}

// start sends the epoch's examples through the workers. ordered is closed at
// the end; all goroutines end with ctx.
func (l *Loader) start(ctx context.Context, workers *sync.WaitGroup, epoch, start int) *pipeline {
	order := l.order(epoch)
	start = min(max(start, 0), len(order))
	p := &pipeline{make(chan *job, l.options.Prefetch), make(chan []float32, l.options.Prefetch)}
	for range l.options.Prefetch {
		p.free <- nil // made when first used
	}
	todo := make(chan *job)
	workers.Go(func() {
		defer close(todo)
		defer close(p.ordered)
		for i, run := range order[start:] {
			j := &job{run: l.runs[run], next: start + i + 1, done: make(chan struct{})}
			select {
			case j.pixels = <-p.free:
			case <-ctx.Done():
				return
			}
			p.ordered <- j // has room for every tensor
			select {
			case todo <- j:
			case <-ctx.Done():
				return
			}
		}
	})
	for range l.options.Workers {
		workers.Go(func() {
			for j := range todo {
				if j.pixels == nil {
					j.pixels = make([]float32, l.prep.Len())
				}
				j.wrong = l.prepare(epoch, j.run[0], j.pixels)
				close(j.done)
			}
		})
	}
	return p
}

// prepare writes the tensor of an example.
func (l *Loader) prepare(epoch, index int, dst []float32) error {
	e := &l.examples[index]
	if e.Picture == nil {
		clear(dst)
		return nil
	}
	base, err := l.base(e)
	if err != nil {
		return err
	}
	if !l.augments(e) {
		l.normalizer.write(centreCrop(base, l.prep.Size), dst)
		return nil
	}
	d := newDraws(l.options.Seed, uint64(epoch), drawAugment, uint64(index))
	out, erase := l.options.Augment.apply(base, &l.prep, d)
	l.normalizer.write(out, dst)
	eraseTensor(dst, l.prep.Size, erase)
	return nil
}

func (l *Loader) augments(e *Example) bool {
	return l.options.Train && !e.Plain && l.options.Augment != (Augment{})
}

// base returns the resized picture of an example, from the cache or decoded.
func (l *Loader) base(e *Example) (*image.NRGBA, error) {
	short := l.short
	if !l.augments(e) {
		short = l.prep.ResizeShort
	}
	if w, h := e.Picture.Width, e.Picture.Height; l.augments(e) && l.options.Augment.crops() {
		short = min(short, w, h) // the crop is resized anyway: enlarge only once
	}
	key := cacheKey{e.Picture, short, l.prep.Filter}
	if base := l.options.Cache.get(key); base != nil {
		return base, nil
	}
	if e.Picture.large() {
		l.large.Lock()
		defer l.large.Unlock()
	}
	m, err := e.Picture.decode(e.Picture.maxPixels)
	var base *image.NRGBA
	if err == nil {
		base, err = l.prep.resize(m, short)
	}
	if err != nil {
		l.skip(e, err)
		return nil, err
	}
	l.options.Cache.put(key, base)
	return base, nil
}

func (l *Loader) skip(e *Example, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad[e.Picture] {
		return
	}
	l.bad[e.Picture] = true
	// Named by the picture's first row, whichever row a worker came to first.
	if i := slices.IndexFunc(l.examples, func(x Example) bool { return x.Picture == e.Picture }); i >= 0 {
		e = &l.examples[i]
	}
	reason := err.Error()
	if e.Source.File != e.Picture.Name {
		reason = fmt.Sprintf("picture %s: %s", e.Picture.Name, reason)
	}
	l.skipped = append(l.skipped, Skip{Source: e.Source, Reason: reason, Rows: 1})
}
