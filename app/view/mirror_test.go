//go:build !js

package view

import (
	"image"
	"slices"
	"testing"

	"gioui.org/io/key"
	"gioui.org/unit"
)

// mirror reads what the last frame of a stage shows.
func (x *stage) mirror() []Node {
	var r reader
	return r.read(&x.ops, x.size, unit.Metric{PxPerDp: 1, PxPerSp: 1})
}

// TestMirror reads the frames of every state: what can be clicked has a name and
// lies in the window, and a click in its middle reaches it.
func TestMirror(t *testing.T) {
	for name, s := range states(&english) {
		for _, size := range []image.Point{{X: 1280, Y: 1600}, {X: 400, Y: 800}} {
			x := newStage(size, s)
			x.frame()
			x.frame()
			nodes := x.mirror()
			if !slices.ContainsFunc(nodes, func(n Node) bool { return n.Role == Radio && n.Name == english.Settings }) {
				t.Errorf("%s at %v: no tab leads to the settings, there are %+v", name, size, nodes)
			}
			if !slices.ContainsFunc(nodes, func(n Node) bool { return n.Role == Heading || n.Role == Field || n.Role == Picture }) {
				t.Errorf("%s at %v: nothing says where one is", name, size)
			}
			for _, n := range nodes {
				b := n.Bounds
				if n.Name == "" || b.X < 0 || b.Y < 0 || b.X+b.Width > float32(size.X) || b.Y+b.Height > float32(size.Y) || b.Width < 1 || b.Height < 1 {
					t.Errorf("%s at %v: %+v", name, size, n)
				}
			}
		}
	}
	want := []Node{
		{Role: Radio, Name: english.Train, Selected: true},
		{Role: Button, Name: "19 cool → neutral", Selected: true},
		{Role: Button, Name: "76 neutral → neutral"},
		{Role: Button, Name: english.Use},
	}
	x := newStage(image.Pt(1280, 1600), states(&english)["train-done"])
	x.frame()
	for _, w := range want {
		if !slices.ContainsFunc(x.mirror(), func(n Node) bool { n.Bounds = w.Bounds; return n == w }) {
			t.Errorf("no %+v among %+v", w, x.mirror())
		}
	}
}

// TestMirrorFollows types into a field and moves the keyboard on: the mirror
// shows the words, and what has the keyboard.
func TestMirrorFollows(t *testing.T) {
	x := newStage(image.Pt(1280, 800), states(&english)["one"])
	x.frame()
	at := slices.IndexFunc(x.mirror(), func(n Node) bool { return n.Role == Field })
	b := x.mirror()[at].Bounds
	x.click(image.Pt(int(b.X+b.Width/2), int(b.Y+b.Height/2)))
	x.router.Queue(key.SelectionEvent(key.Range{Start: 0, End: 100}), key.EditEvent{Range: key.Range{Start: 0, End: 100}, Text: "一只猫"})
	x.frame()
	x.frame()
	if n := x.mirror()[at]; n.Value != "一只猫" || !n.Focused || n.Name != english.WordsHint {
		t.Errorf("the field is %+v", n)
	}
	x.router.MoveFocus(key.FocusForward)
	x.frame()
	x.frame()
	focused := 0
	for _, n := range x.mirror() {
		if n.Focused {
			focused++
			if n.Role == Field {
				t.Errorf("the keyboard is still in %+v", n)
			}
		}
	}
	if focused != 1 {
		t.Errorf("%d things have the keyboard", focused)
	}
}

// TestStatus tells what has come about in each state, without steps in it.
func TestStatus(t *testing.T) {
	for name, want := range map[string]struct {
		text  string
		alert bool
	}{
		"empty":           {"", false},
		"problem":         {english.Problems[1] + ": None of the files is a picture that can be read. JPEG, PNG, GIF, BMP and WebP can.", true},
		"one":             {"picture-0.png: warm, 81\u00a0%", false},
		"several":         {"picture-01.png: cool, 81\u00a0%, not sure", false},
		"train-running":   {"epoch 7 of 10. Right, of the pictures held back: 78\u00a0%", false},
		"train-done":      {"shapes is right for 80.0\u00a0% of 380 examples it has not learnt from", false},
		"saved":           {"Saved as Downloads/duet-answers.csv", false},
		"models":          {"", false},
		"towers":          {"torchvision/resnet18: It is here.", false},
		"towers-problems": {"some/tower-6: " + english.TowerCorrupt, false},
	} {
		x := newStage(image.Pt(1280, 800), states(&english)[name])
		if text, alert := x.view.status(x.state); text != want.text || alert != want.alert {
			t.Errorf("%s: %q, %v, want %q, %v", name, text, alert, want.text, want.alert)
		}
	}
}
