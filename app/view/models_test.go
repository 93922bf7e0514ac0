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
