//go:build !js

package view

import (
	"fmt"
	"image"
	"testing"
	"time"

	"duet/app/ui"
	"duet/assets"

	"gioui.org/f32"
	"gioui.org/io/input"
	"gioui.org/io/key"
	"gioui.org/io/pointer"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/text"
	"gioui.org/unit"
)

// A stage draws a view without a window.
type stage struct {
	view   *View
	state  *ui.State
	router input.Router
	ops    op.Ops
	size   image.Point
	sent   []ui.Message
	now    time.Time
}

func newStage(size image.Point, s *ui.State) *stage {
	shaper := text.NewShaper(text.NoSystemFonts(), text.WithCollection(goFaces()))
	return newStageIn(size, &english, NewTheme(shaper, false), s)
}

func newStageIn(size image.Point, texts *Texts, theme *Theme, s *ui.State) *stage {
	x := &stage{state: s, size: size, now: time.Unix(1e9, 0)}
	thumbs := NewThumbs(func(f ui.File, side int) (image.Image, error) { return drawn(len(f.Name), min(side, 256)) }, func() {})
	x.view = New(theme, texts, thumbs, func(m ui.Message) { x.sent = append(x.sent, m) })
	x.view.Choose = func(Choice, string) {}
	x.view.languages = Languages
	return x
}

// drawn is a picture of the sample collection.
func drawn(i, side int) (image.Image, error) {
	sample, err := assets.Draw("rule", 1, i, max(side, assets.MinSize))
	return sample.Image, err
}

// frame draws once and takes the input of the last one.
func (x *stage) frame() {
	x.ops.Reset()
	gtx := layout.Context{Ops: &x.ops, Source: x.router.Source(), Constraints: layout.Exact(x.size), Metric: unit.Metric{PxPerDp: 1, PxPerSp: 1},
		Now: x.now}
	x.view.Layout(gtx, x.state)
	x.router.Frame(&x.ops)
}

// click clicks at a place.
func (x *stage) click(p image.Point) {
	at := f32.Pt(float32(p.X), float32(p.Y))
	x.router.Queue(pointer.Event{Kind: pointer.Press, Buttons: pointer.ButtonPrimary, Source: pointer.Mouse, Position: at},
		pointer.Event{Kind: pointer.Release, Source: pointer.Mouse, Position: at})
	x.frame()
	x.frame()
}

// find returns where a text begins: the bounds of its node end anywhere.
func (x *stage) find(t *testing.T, label string) image.Point {
	t.Helper()
	for _, n := range x.router.AppendSemantics(nil) {
		if n.Desc.Label == label {
			return n.Desc.Bounds.Min.Add(image.Pt(4, 4))
		}
	}
	t.Fatalf("nothing is labelled %q", label)
	return image.Point{}
}

// TestClicks clicks what is on the screens and checks what is sent.
func TestClicks(t *testing.T) {
	all := states(&english)
	for _, c := range []struct {
		state, label string
		want         ui.Message
	}{
		{"empty", english.Train, ui.Go{Screen: ui.ScreenTrain}},
		{"several", english.RemoveThis, ui.Remove{ID: 2}},
		{"several", english.ClearAll, ui.Clear{}},
		{"several", english.SaveCSV, ui.ExportAnswers{Format: "csv"}},
		{"problem", english.Dismiss, ui.Dismiss{}},
		{"train-unfinished", english.GoOn, ui.Continue{ID: "m"}},
		{"train-confirm", english.Start, ui.Start{}},
		{"train-confirm", english.Presets[2], ui.SetPreset{Preset: ui.Thorough}},
		{"train-confirm", english.Inputs[1], ui.SetInputs{Inputs: "image"}},
		{"no-adapter", english.TryAgain, ui.Retry{}},
		{"train-running", english.Stop, ui.Stop{}},
		{"train-done", english.Use, ui.Use{ID: "shapes"}},
		{"models", english.Card, ui.ShowCard{ID: "default"}},
		{"models", english.Use, ui.Use{ID: "shapes"}},
		{"models", english.ONNX, ui.ExportModel{ID: "default", Format: ui.FormatONNX}},
		{"towers", english.Fetch, ui.Pull{Name: "torchvision/resnet34"}},
		{"towers", english.StopFetch, ui.StopPull{Name: "FacebookAI/roberta-base"}},
		{"towers", english.GoOn, ui.Pull{Name: "distilbert/distilroberta-base"}},
		{"towers", english.Remove, ui.RemoveTower{Name: "torchvision/resnet18"}},
		{"page", english.Reload, ui.TakeVersion{}},
		{"page", english.Later, ui.PutOffVersion{}},
		{"page", english.KeepStorage, ui.Persist{}},
		{"hint", english.Dismiss, ui.DismissHint{}},
		{"settings", english.Dark, ui.SetPrefs{Prefs: ui.Prefs{Theme: "dark"}}},
		{"settings", chinese.Language, ui.SetPrefs{Prefs: ui.Prefs{Language: "zh"}}},
	} {
		x := newStage(image.Pt(1280, 1600), all[c.state])
		x.frame()
		x.click(x.find(t, c.label))
		if len(x.sent) != 1 || fmt.Sprint(x.sent[0]) != fmt.Sprint(c.want) {
			t.Errorf("%s, %q: sent %+v, want %+v", c.state, c.label, x.sent, c.want)
		}
	}
}

// TestKeyboard goes through the screen of a result with the tabulator: it comes
// to everything that can be clicked, and Return clicks it.
func TestKeyboard(t *testing.T) {
	x := newStage(image.Pt(1280, 1600), states(&english)["train-done"])
	x.frame()
	seen := map[string]bool{}
	for range 60 {
		x.router.MoveFocus(key.FocusForward)
		x.frame()
		x.sent = nil
		x.router.Queue(key.Event{Name: key.NameReturn, State: key.Press}, key.Event{Name: key.NameReturn, State: key.Release})
		x.frame()
		x.frame()
		for _, m := range x.sent {
			seen[fmt.Sprintf("%T%v", m, m)] = true
		}
	}
	for _, want := range []ui.Message{ui.Go{Screen: ui.ScreenModels}, ui.Use{ID: "shapes"}, ui.ExportModel{ID: "shapes"}, ui.Back{}, ui.OpenCell{Truth: 3, Answer: 3}, ui.OpenCell{Truth: 0, Answer: 1}} {
		if !seen[fmt.Sprintf("%T%v", want, want)] {
			t.Errorf("the keyboard does not come to %T %+v", want, want)
		}
	}
}

// TestTyping types words for a picture: they are sent when Return is pressed.
func TestTyping(t *testing.T) {
	x := newStage(image.Pt(1280, 800), states(&english)["one"])
	x.frame()
	at := image.Point{}
	for _, n := range x.router.AppendSemantics(nil) {
		if n.Desc.Class == semantic.Editor {
			at = n.Desc.Bounds.Min.Add(image.Pt(4, 4))
		}
	}
	x.click(at)
	x.router.Queue(key.SelectionEvent(key.Range{Start: 0, End: 100}), key.EditEvent{Range: key.Range{Start: 0, End: 100}, Text: "what is it? 什么"})
	x.frame()
	if len(x.sent) > 0 {
		t.Errorf("sent %+v while typing", x.sent)
	}
	x.router.Queue(key.Event{Name: key.NameReturn, State: key.Press})
	x.frame()
	x.frame()
	want := ui.SetCaption{ID: 1, Text: "what is it? 什么"}
	if len(x.sent) != 1 || x.sent[0] != want {
		t.Errorf("sent %+v, want %+v", x.sent, want)
	}
}

// TestTypedIsNotLost types without pressing Return and goes on with the mouse:
// what was typed is sent first.
func TestTypedIsNotLost(t *testing.T) {
	x := newStage(image.Pt(1280, 1600), states(&english)["several"])
	x.frame()
	for _, n := range x.router.AppendSemantics(nil) {
		if n.Desc.Class == semantic.Editor {
			x.click(n.Desc.Bounds.Min.Add(image.Pt(4, 4)))
		}
	}
	x.router.Queue(key.SelectionEvent(key.Range{Start: 0, End: 100}), key.EditEvent{Range: key.Range{Start: 0, End: 100}, Text: "half a"})
	x.frame()
	x.click(x.find(t, "picture-0.png"))
	want := []ui.Message{ui.SetCaption{ID: 2, Text: "half a"}, ui.Select{ID: 1}}
	if fmt.Sprintf("%+v", x.sent) != fmt.Sprintf("%+v", want) {
		t.Errorf("sent %+v, want %+v", x.sent, want)
	}
}

// TestPathStays types the places of two pictures where there are no dialogs: the
// field is there, too, once there is a picture, and what is typed next replaces
// what was.
func TestPathStays(t *testing.T) {
	for _, name := range []string{"no-dialog", "one-no-dialog", "several-no-dialog"} {
		x := newStage(image.Pt(1280, 800), states(&english)[name])
		x.frame()
		for _, path := range []string{"/pictures/a.png", "/pictures/b.png"} {
			x.sent = nil
			fields := 0
			for _, n := range x.mirror() {
				if n.Role == Field && (n.Name == english.PathHint || n.Name == english.PathMore) {
					fields++
					x.click(image.Pt(int(n.Bounds.X)+20, int(n.Bounds.Y+n.Bounds.Height/2)))
				}
			}
			x.router.Queue(key.SelectionEvent(key.Range{Start: 0, End: 100}), key.EditEvent{Range: key.Range{Start: 0, End: 100}, Text: path})
			x.frame()
			x.frame() // the button is on
			x.click(x.find(t, english.Open))
			want := ui.Drop{Files: []ui.File{{Name: path[len(path)-5:], Path: path}}}
			if fields != 1 || len(x.sent) != 1 || fmt.Sprint(x.sent[0]) != fmt.Sprint(want) {
				t.Errorf("%s: %d fields, sent %+v, want %+v", name, fields, x.sent, want)
			}
			if s := x.view.editors["picture path"].SelectedText(); s != path {
				t.Errorf("%s: the next place would not take that of %s: %q is selected", name, path, s)
			}
		}
	}
}
