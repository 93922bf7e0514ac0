//go:build !js

package view

import (
	"slices"
	"strings"
	"testing"
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
