package ui

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"duet/app"
	"duet/gpu"
)

type coded struct{ error }

func (coded) Code() string { return "no-webgpu" }

// TestProblemsHaveCodes keeps the code of an error, however it is wrapped.
func TestProblemsHaveCodes(t *testing.T) {
	s := &State{}
	s.Update(FailedDoing{DoingStart, fmt.Errorf("app: %w", coded{errors.New("no WebGPU")})})
	if p := s.Problem; p == nil || p.Code != "no-webgpu" || p.Text != "no WebGPU" || !s.Engine.Failed {
		t.Errorf("%+v, %+v", p, s.Engine)
	}
	expect(t, s.Update(Retry{}), "StartEngine")
	if s.Problem != nil || s.Engine.Failed {
		t.Errorf("while it is tried again: %+v, %+v", s.Problem, s.Engine)
	}
	s.Update(FailedDoing{DoingRead, errors.New("no code")})
	if s.Problem.Code != "" {
		t.Errorf("%+v", s.Problem)
	}
}

// TestSoftwareIsToldOnce tells why it is slow until that was read.
func TestSoftwareIsToldOnce(t *testing.T) {
	s := &State{}
	s.Update(Ready{Info{Class: gpu.Discrete}})
	if s.Hint != NoHint {
		t.Error("a graphics card is called slow")
	}
	s.Update(Ready{Info{Class: gpu.Software}})
	if s.Hint != HintSoftware {
		t.Error("nothing is told")
	}
	expect(t, s.Update(DismissHint{}), "KeepPrefs")
	s.Update(Ready{Info{Class: gpu.Software}})
	if s.Hint != NoHint || !s.Prefs.ToldSoftware {
		t.Error("told twice")
	}
}

// TestNewVersion offers a version, keeps it from interrupting a training, and
// does not ask again once it was put off.
func TestNewVersion(t *testing.T) {
	s := ready()
	s.Update(CameVersion{})
	if s.Page.Version != VersionNew {
		t.Fatal(s.Page.Version)
	}
	s.Training.Step = TrainRunning
	expect(t, s.Update(TakeVersion{}), "")
	s.Training.Step = TrainDone
	expect(t, s.Update(TakeVersion{}), "ReloadForIt")
	s.Update(VersionIsHeld{})
	if s.Page.Version != VersionHeld {
		t.Error(s.Page.Version)
	}
	s.Update(PutOffVersion{})
	if s.Page.Version != VersionLater {
		t.Error(s.Page.Version)
	}
}

// A pageHost is a host that is a page, as far as the test asks.
type pageHost struct {
	Host
	room Storage
	free bool
}

func (h *pageHost) Storage(context.Context) (Storage, error)  { return h.room, nil }
func (h *pageHost) TakeVersion(context.Context) (bool, error) { return h.free, nil }
func (h *pageHost) Persist(context.Context) (Storage, error) {
	h.room.Persistent = true
	return h.room, nil
}

// TestPageEffects does the effects of a page, and those of a window, where there
// is nothing to do.
func TestPageEffects(t *testing.T) {
	s := ready()
	expect(t, s.Update(Listed{[]Model{{ID: app.Default}}}), "LookAtStorage")
	page := &Loop{host: &pageHost{room: Storage{Used: 7, Lasting: true}}}
	for _, test := range []struct {
		effect Effect
		want   Message
	}{
		{LookAtStorage{}, SawStorage{Storage{Used: 7, Lasting: true}}},
		{AskToPersist{}, SawStorage{Storage{Used: 7, Lasting: true, Persistent: true}}},
		{ReloadForIt{}, VersionIsHeld{}},
	} {
		if got := page.outcome(t.Context(), test.effect); got != test.want {
			t.Errorf("%T comes to %+v, want %+v", test.effect, got, test.want)
		}
		if got := (&Loop{}).outcome(t.Context(), test.effect); got != nil {
			t.Errorf("in a window %T comes to %+v", test.effect, got)
		}
	}
	page.host.(*pageHost).free = true
	if got := page.outcome(t.Context(), ReloadForIt{}); got != nil {
		t.Errorf("%+v", got)
	}
	s.Update(SawStorage{Storage{Used: 7}})
	s.Update(SawTraffic{Traffic{Sent: 3}})
	if s.Page.Storage.Used != 7 || s.Page.Traffic.Sent != 3 {
		t.Errorf("%+v", s.Page)
	}
}
