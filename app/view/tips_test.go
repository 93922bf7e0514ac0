//go:build !js

package view

import (
	"image"
	"testing"
	"time"

	"duet/app/ui"

	"gioui.org/f32"
	"gioui.org/io/key"
	"gioui.org/io/pointer"
)

// shown is the tip on the stage, with where it is.
func (x *stage) shown() (string, image.Rectangle) {
	if t := x.view.tips; !t.area.Empty() {
		return t.of.text, t.area
	}
	return "", image.Rectangle{}
}

// point points at a place and waits.
func (x *stage) point(p image.Point, wait time.Duration) (string, image.Rectangle) {
	x.router.Queue(pointer.Event{Kind: pointer.Move, Source: pointer.Mouse, Position: f32.Pt(float32(p.X), float32(p.Y))})
	x.frame()
	x.frame()
	x.now = x.now.Add(wait)
	x.frame()
	return x.shown()
}

// TestTips points at everything there is, in every state: a tip comes after a
// moment, lies in the window and goes when one clicks or points elsewhere.
func TestTips(t *testing.T) {
	seen := map[string]bool{}
	for name, s := range states(&english) {
		for _, size := range []image.Point{wide, phone} {
			x := newStage(size, s)
			x.frame()
			x.frame()
			tried := map[image.Point]bool{}
			for _, n := range x.router.AppendSemantics(nil) {
				if tried[n.Desc.Bounds.Min] {
					continue
				}
				tried[n.Desc.Bounds.Min] = true
				text, at := x.point(n.Desc.Bounds.Min.Add(image.Pt(6, 6)), tipAfter)
				if text == "" {
					continue
				}
				seen[text] = true
				if !at.In(image.Rectangle{Max: size}) {
					t.Errorf("%s at %v: the tip %q lies at %v", name, size, text, at)
				}
			}
		}
	}
	for _, want := range []string{english.TipRemove, english.TipClear, english.TipCSV, english.TipJSON, english.TipUse, english.TipExport, english.TipONNX, english.TipRemoveModel, english.TipStop,
		english.TipGoOn, english.TipGiveUp, english.PresetLeads[2], "cool → neutral", scenes["en"].file + " 0.png", scenes["en"].long[0]} {
		if !seen[want] {
			t.Errorf("no tip says %q", want)
		}
	}

	x := newStage(wide, states(&english)["several"])
	x.frame()
	x.frame()
	csv := x.find(t, english.SaveCSV)
	if text, _ := x.point(csv, tipAfter-1); text != "" {
		t.Errorf("%q at once", text)
	}
	if text, _ := x.point(csv, 1); text != english.TipCSV {
		t.Errorf("%q after a moment", text)
	}
	if text, _ := x.point(image.Pt(100, 600), tipAfter); text != "" {
		t.Errorf("%q where nothing is", text)
	}
	x.point(csv, tipAfter)
	x.click(csv)
	if text, _ := x.shown(); text != "" {
		t.Errorf("%q is in the way of who has clicked", text)
	}
	x.point(image.Pt(100, 600), 0)
	for range 40 {
		x.router.MoveFocus(key.FocusForward)
		x.frame()
		x.now = x.now.Add(tipAfter)
		x.frame()
		if text, at := x.shown(); text == english.TipJSON && at.In(image.Rectangle{Max: wide}) {
			return
		}
	}
	t.Error("the keyboard finds no tip")
}

// TestTipOfWhatIsOff clicks a button which then is off, and comes back to it later:
// its tip is gone when the pointer is elsewhere.
func TestTipOfWhatIsOff(t *testing.T) {
	x := newStage(wide, states(&english)["train-done"])
	x.frame()
	x.frame()
	use := x.find(t, english.Use)
	if text, _ := x.point(use, tipAfter); text != english.TipUse {
		t.Fatalf("%q on the button", text)
	}
	x.click(use)
	x.state.Models.Using = "shapes"
	x.frame()
	x.point(image.Pt(100, 600), tipAfter)
	for _, screen := range []ui.Screen{ui.ScreenClassify, ui.ScreenTrain} {
		x.state.Screen = screen
		x.frame()
	}
	if text, _ := x.point(image.Pt(100, 601), tipAfter); text != "" {
		t.Errorf("%q where nothing is", text)
	}
}

// TestQuestionIsWhole cuts a question below a held-back picture after two lines,
// and tells all of it.
func TestQuestionIsWhole(t *testing.T) {
	s := states(&english)["train-done"]
	question := "is the large ring at the left of the picture, which partly hides a cross, of a warm, a cool or a neutral colour?"
	s.Training.Result.Cells[0][1][0].Caption = question
	x := newStage(image.Pt(1280, 1600), s)
	isCut := map[string]bool{}
	x.view.seen = func(l label, cut bool) {
		if l.lines == 2 {
			isCut[l.text] = cut
		}
	}
	x.frame()
	x.frame()
	if cut, ok := isCut[question]; !ok || !cut {
		t.Fatalf("two lines were not enough: %v", isCut)
	}
	if cut, ok := isCut["neutral"]; !ok || cut {
		t.Error("a short one is cut")
	}
	at := x.find(t, question)
	for _, down := range []int{4, 22} { // on each line
		if text, _ := x.point(at.Add(image.Pt(4, down)), tipAfter); text != question {
			t.Errorf("%d px down the tip says %q", down, text)
		}
	}
}
