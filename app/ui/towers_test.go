package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"duet/model/report"
)

// reason is an error with a code.
type reason string

func (r reason) Error() string { return "hub: " + string(r) }
func (r reason) Code() string  { return string(r) }

func TestTowers(t *testing.T) {
	s := ready()
	list := func() TowersListed {
		return TowersListed{[]Tower{{Name: "a"}, {Name: "b", Here: true}, {Name: "c", Bytes: 200, Partial: 50}}}
	}
	expect(t, s.Update(list()), "LookAtStorage")
	a, c := s.Models.Tower("a"), s.Models.Tower("c")
	if c.Share() != 0.25 || a.Share() != 0 {
		t.Errorf("shares %v and %v", a.Share(), c.Share())
	}
	expect(t, s.Update(Pull{"nothing"}), "")
	expect(t, s.Update(Pull{"b"}), "")
	expect(t, s.Update(StopPull{"a"}), "")
	expect(t, s.Update(Pull{"a"}), "PullTower")
	expect(t, s.Update(Pull{"a"}), "")
	expect(t, s.Update(RemoveTower{"a"}), "")
	expect(t, s.Update(Pulling{"a", 30, 120}), "")

	// A list that comes meanwhile knows nothing of it.
	s.Update(list())
	if a = s.Models.Tower("a"); !a.Fetching || a.Share() != 0.25 {
		t.Errorf("%+v", a)
	}
	expect(t, s.Update(StopPull{"a"}), "EndPull")
	expect(t, s.Update(PullEnded{"a", fmt.Errorf("pulling: %w", context.Canceled)}), "ListTowers")
	if a.Fetching || a.Problem != nil || s.Models.Ended != "a" {
		t.Errorf("%+v", a)
	}
	s.Update(Pull{"a"})
	expect(t, s.Update(PullEnded{"a", reason("gated")}), "ListTowers")
	if a.Problem == nil || a.Problem.Code != "gated" || a.Problem.Text != "gated" || s.Problem != nil {
		t.Errorf("%+v, and of all %+v", a.Problem, s.Problem)
	}
	s.Update(Pull{"a"})
	if a.Problem != nil {
		t.Error("the problem of the last time is still there")
	}
	expect(t, s.Update(PullEnded{"a", nil}), "ListTowers")
	expect(t, s.Update(RemoveTower{"b"}), "DropTower")
	expect(t, s.Update(RemoveTower{"c"}), "DropTower")
	expect(t, s.Update(RemoveTower{"c"}), "")
}

// shelf fetches until it is stopped.
type shelf struct {
	Engine
	begun chan string
}

func (s shelf) Towers(context.Context) ([]Tower, error) { return []Tower{{Name: "a"}}, nil }
func (s shelf) Pull(ctx context.Context, name string, tell func(done, total int64)) error {
	tell(1, 2)
	s.begun <- name
	<-ctx.Done()
	return errors.New("hub: it broke off")
}
func (s shelf) RemoveTower(context.Context, string) error { return reason("disk") }

func TestTowersAreFetchedUntilStopped(t *testing.T) {
	l := &Loop{engine: shelf{begun: make(chan string)}}
	l.queue.filled = make(chan struct{}, 1)
	l.state.Update(l.onTowers(t.Context(), ListTowers{}))
	ended := make(chan Message)
	go func() { ended <- l.onTowers(t.Context(), PullTower{"a"}) }()
	<-l.engine.(shelf).begun
	l.onTowers(t.Context(), EndPull{"a"})
	if m, ok := (<-ended).(PullEnded); !ok || m.Name != "a" || !errors.Is(m.Error, context.Canceled) {
		t.Errorf("it ended with %+v", m)
	}
	if m, ok := l.queue.messages[0].(Pulling); !ok || m.Done != 1 || m.Total != 2 {
		t.Errorf("it told %+v", l.queue.messages)
	}
	if m, ok := l.onTowers(t.Context(), DropTower{"a"}).(FailedDoing); !ok || m.Doing != DoingPull {
		t.Errorf("removing came to %+v", m)
	}
	if (&Loop{}).onTowers(t.Context(), ListTowers{}) != nil {
		t.Error("an engine without towers lists some")
	}
}

// TestBases starts a training from towers that are here: those of both kinds
// together first, and one alone, which then sees its own side only.
func TestBases(t *testing.T) {
	s := &State{Engine: EngineState{Ready: true}}
	s.Models.Towers = []Tower{
		{Name: "a/net", Kind: "vision", Here: true}, {Name: "b/words", Kind: "text", Here: true}, {Name: "c/far", Kind: "text"},
		{Name: "d/odd", Kind: "text", Here: true, Lacks: "tokenizer"}, {Name: "e/both", Kind: "pair", Here: true, Lacks: "architecture"},
	}
	bases := s.Models.Bases()
	if want := []Base{{}, {"a/net", "b/words"}, {Vision: "a/net"}, {Text: "b/words"}}; !slices.Equal(bases, want) {
		t.Fatalf("bases %v, want %v", bases, want)
	}
	s.Training = Training{Step: TrainConfirm, Setup: Setup{Inputs: "both"}}
	expect(t, s.Update(SetBase{bases[3]}), "MakeEstimate")
	if s.Training.Setup.Inputs != "text" {
		t.Errorf("a text tower sees %s", s.Training.Setup.Inputs)
	}
	expect(t, s.Update(SetBase{bases[3]}), "")
	s.Update(Estimated{Setup: Setup{Inputs: "text"}, Estimate: report.Estimate{Bytes: 1}})
	if s.Training.Estimate != nil {
		t.Error("an estimate of another base was taken")
	}
	expect(t, s.Update(SetBase{Base{}}), "MakeEstimate")
	if s.Training.Setup.Inputs != "both" {
		t.Errorf("a model sees %s", s.Training.Setup.Inputs)
	}
}
