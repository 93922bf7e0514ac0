package ui

import (
	"context"
	"testing"
	"time"

	"duet/model/report"
)

// TestLatest ends what is no longer asked for.
func TestLatest(t *testing.T) {
	var x latest
	x.end()
	first := x.begin(t.Context())
	second := x.begin(t.Context())
	if first.Err() == nil || second.Err() != nil {
		t.Errorf("after another has begun: %v, %v", first.Err(), second.Err())
	}
	if x.end(); second.Err() == nil {
		t.Error("it goes on after its end")
	}
}

// estimator is an engine whose estimates take until they are ended, but for that
// of the last preset.
type estimator struct {
	Engine
	ended chan Preset
}

func (e estimator) Estimate(ctx context.Context, _ Source, how Setup) (report.Estimate, error) {
	if how.Preset == Thorough {
		return report.Estimate{Bytes: 3}, nil
	}
	<-ctx.Done()
	e.ended <- how.Preset
	return report.Estimate{Bytes: 1}, ctx.Err()
}

func (estimator) Start(context.Context) (Info, error)       { return Info{ModelID: "default"}, nil }
func (estimator) Models(context.Context) ([]Model, error)   { return nil, nil }
func (estimator) Unfinished(context.Context) ([]Job, error) { return nil, nil }
func (estimator) Close()                                    {}
func (estimator) Understand(context.Context, Source) (*report.Collection, error) {
	return &report.Collection{Classes: []string{"a", "b"}}, nil
}

type noHost struct{ Host }

func (noHost) Prefs() Prefs { return Prefs{} }

// TestStaleEstimates chooses presets faster than they can be estimated: the older
// estimates end, and the last one shows.
func TestStaleEstimates(t *testing.T) {
	engine := estimator{ended: make(chan Preset, 2)}
	l := NewLoop(engine, noHost{}, func() {})
	defer l.Close()
	until := func(what string, is func(s *State) bool) {
		t.Helper()
		for range 1000 {
			ok := false
			if l.Draw(func(s *State) { ok = is(s) }); ok {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("not %s", what)
	}
	until("ready", func(s *State) bool { return s.Engine.Ready })
	l.Send(Choose{Source{Name: "mine", Path: "/mine"}})
	until("understood", func(s *State) bool { return s.Training.Step == TrainConfirm })
	l.Send(SetPreset{Balanced})
	if got := <-engine.ended; got != Quick {
		t.Errorf("%v has ended", got)
	}
	l.Send(SetPreset{Thorough})
	if got := <-engine.ended; got != Balanced {
		t.Errorf("%v has ended", got)
	}
	until("estimated", func(s *State) bool { return s.Training.Estimate != nil && s.Training.Estimate.Bytes == 3 })
}
