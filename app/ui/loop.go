package ui

import (
	"context"
	"sync"
	"time"

	"duet/model/report"
)

// redraw is the shortest time between two redraws for what a training tells:
// on a software adapter drawing and computing share the processor.
const redraw = 250 * time.Millisecond

// A Loop owns the state: it takes messages in, one by one, and does the effects
// that follow in goroutines. The window draws what it holds.
type Loop struct {
	engine Engine
	host   Host
	draw   func() // tells the window that there is something new
	ctx    context.Context
	end    context.CancelFunc
	work   sync.WaitGroup
	store  chan Effect // what changes files, in order

	mu    sync.Mutex // of the state
	state State

	queue struct {
		sync.Mutex
		messages []Message
		filled   chan struct{} // holds one when there is something in it
	}

	training struct {
		sync.Mutex
		stop context.CancelCauseFunc
	}
	asking     latest // the collection that is being looked at
	estimating latest // the estimate that is being made
	pulls      pulls
}

// NewLoop starts the app; draw is called from any goroutine, at once after the
// user's messages and seldom while a training tells how it goes.
func NewLoop(engine Engine, host Host, draw func()) *Loop {
	l := &Loop{engine: engine, host: host, draw: draw}
	l.ctx, l.end = context.WithCancel(context.Background())
	l.queue.filled = make(chan struct{}, 1)
	l.store = make(chan Effect, 64)
	l.state.Prefs, l.state.Version = host.Prefs(), report.Version()
	l.work.Go(l.run)
	l.work.Go(l.keep)
	l.do(StartEngine{})
	return l
}

// Send passes a message on; it returns at once and may be called while drawing.
func (l *Loop) Send(m Message) {
	l.queue.Lock()
	l.queue.messages = append(l.queue.messages, m)
	l.queue.Unlock()
	select {
	case l.queue.filled <- struct{}{}:
	default:
	}
}

// Draw calls f with the state, which does not change meanwhile. f must not keep it.
func (l *Loop) Draw(f func(s *State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
}

// Close takes in what was sent, ends all work and waits for it: a training saves
// where it stands.
func (l *Loop) Close() {
	l.end()
	l.work.Wait()
	_, effects := l.take()
	for _, e := range effects {
		if stores(e) {
			l.outcome(context.Background(), e) // the window is gone: nobody is told
		}
	}
	l.engine.Close()
}

// stores tells whether an effect changes or lists files that another might
// change: those are done one after the other.
func stores(e Effect) bool {
	switch e.(type) {
	case KeepPrefs, ListModels, RenameModel, TrashModel, RestoreModel, DiscardTraining, FindUnfinished:
		return true
	}
	return false
}

// keep does the effects that concern files, in order.
func (l *Loop) keep() {
	for {
		select {
		case <-l.ctx.Done():
			for { // what was asked for is still done
				select {
				case e := <-l.store:
					l.outcome(context.WithoutCancel(l.ctx), e)
				default:
					return
				}
			}
		case e := <-l.store:
			if m := l.outcome(l.ctx, e); m != nil {
				l.Send(m)
			}
		}
	}
}

// take takes the waiting messages in and returns the effects that follow;
// urgent says that something other than progress was among them.
func (l *Loop) take() (urgent bool, effects []Effect) {
	l.queue.Lock()
	messages := l.queue.messages
	l.queue.messages = nil
	l.queue.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		switch m.(type) {
		case Trained, Pulling:
		default:
			urgent = true
		}
		effects = append(effects, l.state.Update(m)...)
	}
	return urgent, effects
}

func (l *Loop) run() {
	var drawn time.Time
	later := time.NewTimer(time.Hour)
	later.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-later.C:
			drawn = time.Now()
			l.draw()
		case <-l.queue.filled:
			urgent, effects := l.take()
			for _, e := range effects {
				l.do(e)
			}
			switch wait := redraw - time.Since(drawn); {
			case urgent || wait <= 0:
				drawn = time.Now()
				l.draw()
			default:
				later.Reset(wait)
			}
		}
	}
}

// do does an effect in a goroutine.
func (l *Loop) do(e Effect) {
	if stores(e) {
		select {
		case l.store <- e:
		case <-l.ctx.Done():
		}
		return
	}
	ctx := l.ctx
	switch e.(type) {
	case Understand:
		l.estimating.end()
		ctx = l.asking.begin(l.ctx)
	case MakeEstimate:
		ctx = l.estimating.begin(l.ctx)
	}
	l.work.Go(func() {
		if m := l.outcome(ctx, e); m != nil && ctx.Err() == nil {
			l.Send(m)
		}
	})
}

// outcome does an effect and returns what it came to, or nil.
func (l *Loop) outcome(ctx context.Context, e Effect) Message {
	switch e := e.(type) {
	case StartEngine:
		info, err := l.engine.Start(ctx)
		return orFailed(DoingStart, err, Ready{info})
	case ReadFiles:
		read, err := l.host.Read(ctx, e.Files)
		return orFailed(DoingRead, err, read)
	case Ask:
		begun := time.Now()
		answer, err := l.engine.Classify(ctx, e.File, e.Caption)
		return Answered{e.ID, e.Asked, answer, time.Since(begun), err}
	case Understand:
		report, err := l.engine.Understand(ctx, e.Source)
		return Understood{e.Source, report, err}
	case MakeEstimate:
		estimate, err := l.engine.Estimate(ctx, e.Source, e.Setup)
		return Estimated{e.Source, e.Setup, estimate, err}
	case Train:
		return l.train(func(ctx context.Context, tell func(report.Event)) (*Result, error) {
			return l.engine.Train(ctx, e.Source, e.Setup, tell)
		})
	case ContinueTraining:
		return l.train(func(ctx context.Context, tell func(report.Event)) (*Result, error) {
			return l.engine.Continue(ctx, e.ID, tell)
		})
	case DiscardTraining:
		return orFailed(DoingTrain, l.engine.Discard(ctx, e.ID), nil)
	case FindUnfinished:
		jobs, err := l.engine.Unfinished(ctx)
		return orFailed(DoingTrain, err, FoundUnfinished{jobs})
	case StopTraining:
		l.training.Lock()
		defer l.training.Unlock()
		if l.training.stop != nil {
			l.training.stop(ErrStopped)
		}
		return nil
	case ListModels:
		models, err := l.engine.Models(ctx)
		return orFailed(DoingModel, err, Listed{models})
	case LoadModel:
		info, err := l.engine.Load(ctx, e.ID)
		if err != nil {
			return LoadFailed{err}
		}
		return Ready{info}
	case ImportModel:
		id, err := l.engine.Import(ctx, e.File)
		return orFailed(DoingModel, err, Imported{id})
	case RenameModel:
		return l.changed(ctx, l.engine.Rename(ctx, e.ID, e.Name))
	case TrashModel:
		return l.changed(ctx, l.engine.Trash(ctx, e.ID))
	case RestoreModel:
		return l.changed(ctx, l.engine.Restore(ctx, e.ID))
	case SaveModel:
		where, err := l.engine.Export(ctx, e.ID, e.Format)
		return orFailed(DoingSave, err, Saved{where})
	case SaveAnswers:
		name, content, err := answersFile(e.Format, e.Items)
		where := ""
		if err == nil {
			where, err = l.host.Save(ctx, name, content)
		}
		return orFailed(DoingSave, err, Saved{where})
	case KeepPrefs:
		return orFailed(DoingSave, l.host.KeepPrefs(e.Prefs), nil)
	}
	if m := l.onTowers(ctx, e); m != nil {
		return m
	}
	return l.onPage(ctx, e)
}

// train runs a training until its end, that of its context, or StopTraining.
func (l *Loop) train(run func(ctx context.Context, tell func(report.Event)) (*Result, error)) Message {
	ctx, stop := context.WithCancelCause(l.ctx)
	defer stop(nil)
	l.training.Lock()
	l.training.stop = stop
	l.training.Unlock()
	result, err := run(ctx, func(t report.Event) { l.Send(Trained{t}) })
	return TrainEnded{result, err}
}

// A latest is work of which only the last asked for counts.
type latest struct {
	sync.Mutex
	stop context.CancelFunc // nil: none has been asked for
}

// begin returns a context for work that begins, and ends the one before.
func (x *latest) begin(ctx context.Context) context.Context {
	x.end()
	x.Lock()
	defer x.Unlock()
	ctx, x.stop = context.WithCancel(ctx)
	return ctx
}

// end ends the work that is under way.
func (x *latest) end() {
	x.Lock()
	defer x.Unlock()
	if x.stop != nil {
		x.stop()
	}
}

// pulls are what ends the fetching of towers, by their names.
type pulls struct {
	sync.Mutex
	stop map[string]context.CancelFunc
}

func (p *pulls) begin(ctx context.Context, name string) context.Context {
	p.Lock()
	defer p.Unlock()
	if p.stop == nil {
		p.stop = map[string]context.CancelFunc{}
	}
	ctx, p.stop[name] = context.WithCancel(ctx)
	return ctx
}

func (p *pulls) end(name string) {
	p.Lock()
	defer p.Unlock()
	if stop := p.stop[name]; stop != nil {
		stop()
		delete(p.stop, name)
	}
}

// changed lists the models anew after a change.
func (l *Loop) changed(ctx context.Context, err error) Message {
	if err != nil {
		return FailedDoing{DoingModel, err}
	}
	return l.outcome(ctx, ListModels{})
}

func orFailed(doing Doing, err error, m Message) Message {
	if err != nil {
		return FailedDoing{doing, err}
	}
	return m
}
