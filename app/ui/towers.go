package ui

import (
	"context"
	"errors"
)

// Towers is what an [Engine] also is that can fetch published models, to start
// models of one's own from.
type Towers interface {
	// Towers lists the published models that are known.
	Towers(ctx context.Context) ([]Tower, error)
	// Pull fetches one. What has arrived when the context ends is kept and gone on
	// with the next time. tell may be called often.
	Pull(ctx context.Context, name string, tell func(done, total int64)) error
	// RemoveTower takes one away, with what is incomplete of it.
	RemoveTower(ctx context.Context, name string) error
}

// A Tower is a published model.
type Tower struct {
	Name    string // OWNER/NAME
	Kind    string // vision, text, pair
	Bytes   int64  // of its weights, about; 0: not known
	Licence string
	Lacks   string // what Duet lacks to run it: tokenizer, architecture; empty: nothing
	Here    bool
	Partial int64 // bytes of it that arrived before fetching it was interrupted

	Fetching    bool
	Done, Total int64    // bytes, while it is fetched; Total 0: not known yet
	Problem     *Problem // why it could not be fetched the last time
}

// Tower returns the one of a name, or nil.
func (m *Models) Tower(name string) *Tower {
	for i := range m.Towers {
		if m.Towers[i].Name == name {
			return &m.Towers[i]
		}
	}
	return nil
}

// maxBases bounds how many of these are offered.
const maxBases = 8

// Bases lists what a training can start from: the model in use, and the towers
// that are here, those of both kinds together first.
func (m *Models) Bases() []Base {
	here := func(kind string) (names []string) {
		for _, t := range m.Towers {
			if t.Here && t.Lacks == "" && t.Kind == kind {
				names = append(names, t.Name)
			}
		}
		return names
	}
	list := []Base{{}}
	visions, texts := here("vision"), here("text")
	for _, v := range visions {
		for _, t := range texts {
			list = append(list, Base{v, t})
		}
	}
	for _, v := range visions {
		list = append(list, Base{Vision: v})
	}
	for _, t := range texts {
		list = append(list, Base{Text: t})
	}
	return list[:min(len(list), maxBases)]
}

// inputs is what a model sees that starts so.
func (b Base) inputs() string {
	switch {
	case b.Vision != "" && b.Text == "":
		return "image"
	case b.Vision == "" && b.Text != "":
		return "text"
	}
	return "both"
}

// Share is how much of a tower is there, of 1.
func (t *Tower) Share() float32 {
	switch {
	case t.Fetching && t.Total > 0:
		return float32(t.Done) / float32(t.Total)
	case t.Partial > 0 && t.Bytes > 0:
		return min(1, float32(t.Partial)/float32(t.Bytes))
	}
	return 0
}

type (
	// Pull fetches a tower, StopPull ends that, RemoveTower takes it away.
	Pull        struct{ Name string }
	StopPull    struct{ Name string }
	RemoveTower struct{ Name string }

	// TowersListed gives the towers that are known.
	TowersListed struct{ Towers []Tower }
	// Pulling says how far fetching one is, PullEnded what it came to.
	Pulling struct {
		Name        string
		Done, Total int64
	}
	PullEnded struct {
		Name  string
		Error error
	}
)

// The effects.
type (
	ListTowers struct{}
	PullTower  struct{ Name string }
	EndPull    struct{ Name string }
	DropTower  struct{ Name string }
)

// updateTowers takes in what concerns the towers.
func (s *State) updateTowers(m Message) (effects []Effect, mine bool) {
	switch m := m.(type) {
	case TowersListed:
		for i, t := range m.Towers { // what is under way is not in the list
			if had := s.Models.Tower(t.Name); had != nil {
				m.Towers[i].Fetching, m.Towers[i].Done, m.Towers[i].Total, m.Towers[i].Problem = had.Fetching, had.Done, had.Total, had.Problem
			}
		}
		s.Models.Towers = m.Towers
		return []Effect{LookAtStorage{}}, true
	case Pull:
		if t := s.Models.Tower(m.Name); t != nil && !t.Fetching && !t.Here {
			t.Fetching, t.Done, t.Total, t.Problem = true, t.Partial, 0, nil
			return []Effect{PullTower(m)}, true
		}
	case StopPull:
		if t := s.Models.Tower(m.Name); t != nil && t.Fetching {
			return []Effect{EndPull(m)}, true
		}
	case Pulling:
		if t := s.Models.Tower(m.Name); t != nil && t.Fetching {
			t.Done, t.Total = m.Done, m.Total
		}
	case PullEnded:
		s.Models.Ended = m.Name
		if t := s.Models.Tower(m.Name); t != nil {
			t.Fetching = false
			if m.Error != nil && !errors.Is(m.Error, context.Canceled) {
				t.Problem = problem(DoingPull, m.Error)
			}
		}
		return []Effect{ListTowers{}}, true
	case RemoveTower:
		if t := s.Models.Tower(m.Name); t != nil && !t.Fetching && (t.Here || t.Partial > 0) {
			t.Here, t.Partial, t.Problem = false, 0, nil
			return []Effect{DropTower(m)}, true
		}
	default:
		return nil, false
	}
	return nil, true
}

// onTowers does an effect that concerns towers; where the engine has none there
// is nothing to do.
func (l *Loop) onTowers(ctx context.Context, e Effect) Message {
	towers, ok := l.engine.(Towers)
	if !ok {
		return nil
	}
	list := func() Message {
		known, err := towers.Towers(ctx)
		return orFailed(DoingPull, err, TowersListed{known})
	}
	switch e := e.(type) {
	case ListTowers:
		return list()
	case PullTower:
		ctx := l.pulls.begin(ctx, e.Name)
		defer l.pulls.end(e.Name)
		err := towers.Pull(ctx, e.Name, func(done, total int64) { l.Send(Pulling{e.Name, done, total}) })
		if err != nil && ctx.Err() != nil {
			err = context.Canceled
		}
		return PullEnded{e.Name, err}
	case EndPull:
		l.pulls.end(e.Name)
	case DropTower:
		if err := towers.RemoveTower(ctx, e.Name); err != nil {
			return FailedDoing{DoingPull, err}
		}
		return list()
	}
	return nil
}
