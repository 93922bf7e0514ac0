//go:build !js

package view

import (
	"slices"
	"strings"
	"testing"

	"duet/app/ui"
)

// TestWhyItStays says of every model that cannot be removed why, and of no other.
func TestWhyItStays(t *testing.T) {
	for name, want := range map[string]struct{ asDefault, inUse, off bool }{
		"models":         {true, false, false},
		"models-own":     {true, true, true},
		"models-loading": {true, true, true},
	} {
		x := newStage(phone, states(&english)[name])
		x.size.Y = 2000
		x.frame()
		nodes := x.mirror()
		told := func(text string) bool {
			return slices.ContainsFunc(nodes, func(n Node) bool { return strings.Contains(n.Name, text) })
		}
		off := slices.ContainsFunc(nodes, func(n Node) bool { return n.Name == english.Remove && n.Disabled })
		if told(english.StaysDefault) != want.asDefault || told(english.StaysInUse) != want.inUse || off != want.off {
			t.Errorf("%s: default %v, in use %v, a button is off %v", name, told(english.StaysDefault), told(english.StaysInUse), off)
		}
	}
}

// TestResultOfARemovedModel offers a training's model for no use as long as it is
// removed, and says so.
func TestResultOfARemovedModel(t *testing.T) {
	s := states(&english)["train-done"]
	trained := ui.Model{ID: s.Training.Result.Model, Name: s.Training.Setup.Name}
	for _, removed := range [][]ui.Model{nil, {trained, {ID: "another"}}, {{ID: "another"}}} {
		s.Models.Removed = removed
		x := newStage(wide, s)
		x.frame()
		isGone := len(removed) == 2
		told := false
		for _, n := range x.mirror() {
			told = told || n.Name == trained.Name+" was removed."
			if (n.Name == english.Use || n.Name == english.Export) && n.Disabled != isGone {
				t.Errorf("removed %v: %q is off: %v", removed, n.Name, n.Disabled)
			}
		}
		if told != isGone {
			t.Errorf("removed %v: it is told: %v", removed, told)
		}
	}
}

// TestAbout says which program this is, what it computes on and under which
// licence it is, also where not all of that is known.
func TestAbout(t *testing.T) {
	s := states(&english)["settings"]
	for _, c := range []struct {
		version string
		ready   bool
		want    []string
	}{
		{"0.1-12-gd0f5a8a", true, []string{"Version 0.1-12-gd0f5a8a", "Computes on: llvmpipe (LLVM 15.0.6, 256 bits), in software: slow, with the same answers", english.Licence}},
		{"", false, []string{english.NoVersion, english.Starting, english.Licence}},
	} {
		s.Version, s.Engine.Ready = c.version, c.ready
		x := newStage(phone, s)
		x.frame()
		for _, text := range c.want {
			if !slices.ContainsFunc(x.mirror(), func(n Node) bool { return n.Name == text }) {
				t.Errorf("%q is not told", text)
			}
		}
	}
}
