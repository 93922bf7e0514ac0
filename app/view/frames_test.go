//go:build !js

package view

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"duet/app"
	"duet/app/ui"
	"duet/assets"
	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/data"
	"duet/model/train"

	"gioui.org/f32"
	"gioui.org/font/gofont"
	"gioui.org/gpu/headless"
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
}

func newStage(size image.Point, isDark bool, s *ui.State) *stage {
	x := &stage{state: s, size: size}
	shaper := text.NewShaper(text.NoSystemFonts(), text.WithCollection(gofont.Collection()))
	thumbs := NewThumbs(func(f ui.File, side int) (image.Image, error) { return drawn(len(f.Name), min(side, 256)) }, func() {})
	x.view = New(NewTheme(shaper, isDark), &english, thumbs, func(m ui.Message) { x.sent = append(x.sent, m) })
	x.view.Choose = func(Choice) {}
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
		Now: time.Unix(1e9, 0)}
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

// items are pictures in all states.
func items() []ui.Item {
	top := func(labels ...string) []app.Score {
		p, out := float32(0.81), []app.Score{}
		for _, l := range labels {
			out = append(out, app.Score{Label: l, P: p})
			p *= 0.19
		}
		return out
	}
	answer := func(sure bool, labels ...string) app.Answer {
		return app.Answer{Top: top(labels...), Sure: sure, Adapter: "llvmpipe (LLVM 15.0.6, 256 bits)"}
	}
	list := []ui.Item{
		{Status: ui.Done, Answer: answer(true, "warm", "cool", "none", "neutral"), Took: 42 * time.Millisecond, Caption: "is the colour of the ring warm, cool or neutral?"},
		{Status: ui.Done, Answer: answer(false, "cool", "none", "warm", "neutral"), Took: 31 * time.Millisecond, Caption: "taken from a file", From: ui.Sidecar},
		{Status: ui.Asked}, {Status: ui.Waiting}, {Status: ui.Failed, Error: "a-picture-with-a-very-long-name.png: unexpected end of the file"},
	}
	for i := range list {
		list[i].ID = i + 1
		list[i].File = ui.File{Name: fmt.Sprintf("picture-%0*d.png", i+1, i)}
	}
	return list
}

// states are the app's screens in their states, by name.
func states() map[string]*ui.State {
	engine := ui.EngineState{Ready: true, Info: ui.Info{Adapter: "llvmpipe (LLVM 15.0.6, 256 bits)", Class: gpu.Software, ModelID: "default"}}
	list := []ui.Model{{ID: "default", Embedded: true, Bytes: 4 << 20, Classes: []string{"accordion", "airplanes", "anchor", "ant", "Apple", "barrel", "bass", "blue", "bonsai", "brain", "buddha", "camera"}},
		{ID: "shapes", Name: "shapes", Bytes: 3900 << 10, Classes: []string{"cool", "neutral", "none", "warm"}, Made: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}}
	models := ui.Models{List: list, Using: "default"}
	report := &data.Report{Convention: "an ImageFolder with metadata", Examples: 6000, Pictures: 3000, Captions: 6000, Classes: []string{"cool", "neutral", "none", "warm"},
		CaptionsFrom: "column text of train/metadata.jsonl", Splits: []data.SplitCount{{Split: data.Train, Examples: 5140}, {Split: data.Validation, Examples: 860}},
		SkippedRows: 2, Skipped: []data.Skip{{Source: data.Source{File: "train/metadata.jsonl", Line: 7}, Reason: "no such picture", Rows: 2}}}
	progress := ui.Progress{Step: 900, Steps: 1600, Epoch: 6, Epochs: 10, PerSecond: 480, Started: time.Unix(1e9-60, 0)}
	for i := range 90 {
		progress.Losses = append(progress.Losses, ui.Point{Step: 10 * i, Value: 0.7 + 0.7/float32(1+i)})
	}
	for i := range 6 {
		progress.Validations = append(progress.Validations, ui.Validation{Step: 150 * (i + 1), Top1: 0.5 + 0.05*float64(i)})
	}
	setup := ui.Setup{Name: "shapes", Inputs: "both"}
	evaluation := &app.Evaluation{Result: train.Result{N: 860, Top1: 0.81, Confusion: [][]int{{90, 0, 42, 0}, {0, 100, 52, 0}, {40, 30, 360, 0}, {0, 1, 45, 100}}}}
	for i, label := range report.Classes {
		evaluation.Classes = append(evaluation.Classes, train.ClassResult{Label: label, N: 132 + 30*i, Precision: 0.8, Recall: 0.7, F1: 0.75})
	}
	cells := make([][][]ui.Held, 4)
	for i := range cells {
		cells[i] = make([][]ui.Held, 4)
		for j := range cells[i] {
			for k := range evaluation.Confusion[i][j] {
				cells[i][j] = append(cells[i][j], ui.Held{File: ui.File{Name: fmt.Sprintf("%0*d", k+1, k)}, Caption: "is the ring warm?"})
			}
		}
	}
	result := &ui.Result{Model: "shapes", Evaluation: evaluation, Cells: cells, Open: true, Cell: [2]int{0, 2}}
	training := func(t ui.Training) *ui.State {
		return &ui.State{Screen: ui.ScreenTrain, Engine: engine, Training: t, Models: models}
	}
	source := ui.Source{Name: "shapes", Sample: true}
	return map[string]*ui.State{
		"starting":         {},
		"empty":            {Engine: engine},
		"reading":          {Engine: engine, Pictures: ui.Pictures{Reading: true}},
		"one":              {Engine: engine, Pictures: ui.Pictures{Items: items()[:1], Selected: 1}},
		"several":          {Engine: engine, Pictures: ui.Pictures{Items: items(), Selected: 2, Skipped: 3, Order: ui.Order{By: ui.ByProbability, Descending: true}}},
		"failed":           {Engine: engine, Pictures: ui.Pictures{Items: items()[4:], Selected: 5}},
		"saved":            {Engine: engine, Notice: "Downloads/duet-answers.csv"},
		"no-adapter":       {Problem: &ui.Problem{Doing: ui.DoingStart, Text: "no adapter: install a Vulkan driver"}},
		"problem":          {Engine: engine, Problem: &ui.Problem{Doing: ui.DoingRead, Text: "none of the files is a picture that can be read"}},
		"train":            training(ui.Training{}),
		"train-unfinished": training(ui.Training{Unfinished: []ui.Job{{ID: "m", Setup: ui.Setup{Name: "m"}, Step: 70}}}),
		"train-reading":    training(ui.Training{Step: ui.TrainReading, Source: source}),
		"train-confirm":    training(ui.Training{Step: ui.TrainConfirm, Source: source, Report: report, Setup: setup, Estimate: &app.Estimate{Bytes: 15 << 20, Time: 45 * time.Second}}),
		"train-running":    training(ui.Training{Step: ui.TrainRunning, Source: source, Report: report, Setup: setup, Progress: progress}),
		"train-done":       training(ui.Training{Step: ui.TrainDone, Source: source, Report: report, Setup: setup, Progress: progress, Result: result}),
		"models":           {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: list, Using: "default", Removed: &list[1]}},
		"settings":         {Screen: ui.ScreenSettings, Engine: engine},
	}
}

// TestFrames draws every screen in every state, wide and narrow, light and dark,
// three times: the last two frames must not differ. With DUET_FRAMES set to a
// folder it leaves the pictures there, to be looked at.
func TestFrames(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	for _, size := range []image.Point{{X: 1280, Y: 800}, {X: 400, Y: 800}} {
		w, err := headless.NewWindow(size.X, size.Y)
		if err != nil {
			gputest.Unavailable(t, "drawing without a window: "+err.Error())
		}
		defer w.Release()
		for name, s := range states() {
			for _, isDark := range []bool{false, true} {
				x := newStage(size, isDark, s)
				frames := make([]*image.RGBA, 3)
				for i := range frames {
					x.frame()
					if err := w.Frame(&x.ops); err != nil {
						t.Fatal(err)
					}
					frames[i] = image.NewRGBA(image.Rectangle{Max: size})
					if err := w.Screenshot(frames[i]); err != nil {
						t.Fatal(err)
					}
					time.Sleep(20 * time.Millisecond) // thumbnails come meanwhile
				}
				if !bytes.Equal(frames[1].Pix, frames[2].Pix) && len(s.Pictures.Items) == 0 && s.Training.Result == nil {
					t.Errorf("%s at %v: two frames of the same state differ", name, size)
				}
				if dir := os.Getenv("DUET_FRAMES"); dir != "" {
					save(t, filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, size.X, map[bool]string{false: "light", true: "dark"}[isDark])), frames[2])
				}
			}
		}
	}
}

func save(t *testing.T, path string, m image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// TestClicks clicks what is on the screens and checks what is sent.
func TestClicks(t *testing.T) {
	all := states()
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
		{"models", english.Use, ui.Use{ID: "shapes"}},
		{"settings", english.Dark, ui.SetPrefs{Prefs: ui.Prefs{Theme: "dark"}}},
		{"settings", chinese.Language, ui.SetPrefs{Prefs: ui.Prefs{Language: "zh"}}},
	} {
		x := newStage(image.Pt(1280, 1600), false, all[c.state])
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
	x := newStage(image.Pt(1280, 1600), false, states()["train-done"])
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
	for _, want := range []ui.Message{ui.Go{Screen: ui.ScreenModels}, ui.Use{ID: "shapes"}, ui.ExportModel{ID: "shapes"}, ui.Back{}, ui.OpenCell{Truth: 3, Answer: 3}, ui.OpenCell{Truth: 0, Answer: 2}} {
		if !seen[fmt.Sprintf("%T%v", want, want)] {
			t.Errorf("the keyboard does not come to %T %+v", want, want)
		}
	}
}

// TestTyping types words for a picture: they are sent when Return is pressed.
func TestTyping(t *testing.T) {
	x := newStage(image.Pt(1280, 800), false, states()["one"])
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
	x := newStage(image.Pt(1280, 1600), false, states()["several"])
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
