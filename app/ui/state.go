package ui

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"duet/gpu/adapter"
	"duet/model/report"
)

// A State is all that the app shows.
type State struct {
	Screen   Screen
	Engine   EngineState
	Pictures Pictures
	Training Training
	Models   Models
	Prefs    Prefs
	Problem  *Problem // what went wrong last, until it is dismissed
	Notice   string   // where something was saved last, until it is dismissed or the user moves on
	Hint     Hint     // what the user is told once
	NoDialog bool     // the system's dialogs for files do not open
	Page     PageState
	Version  string // the program's; empty: it has none

	last int // number of the last item
}

// A Screen is one of the app's pages.
type Screen uint8

// The screens, in the order of their tabs.
const (
	ScreenClassify Screen = iota
	ScreenTrain
	ScreenModels
	ScreenSettings
	Screens
)

// EngineState is how far the engine is.
type EngineState struct {
	Ready  bool
	Failed bool // it could not be started
	Info   Info // when ready
}

// Info says what computes and which model answers.
type Info struct {
	Adapter string
	Class   adapter.Class
	Bytes   int64 // on the device
	Model   report.Description
	ModelID string // its place among the models
}

// A Problem is what went wrong, for people: what was meant to be done, and why
// it could not be.
type Problem struct {
	Doing Doing
	Code  string // why there is no engine in the tab, where views have words for it (wasm/duet.d.ts lists them)
	Failure
}

// A Failure is why something failed: in English with all details, and, where it
// has one, by a reason that views have words for.
type Failure struct {
	Text   string
	Reason report.Reason
	Names  []string // that the reason's words name
}

// failure says why something failed.
func failure(err error) Failure {
	f := report.FaultOf(err)
	return Failure{plain(err.Error()), f.Reason, f.Names}
}

// A Hint is something that the user is told once and may want to know.
type Hint uint8

// The hints.
const (
	NoHint       Hint = iota
	HintSoftware      // the adapter is the processor: why it is slow
)

// A File is something that the user gave: a path on disk or, in the tab, a Blob.
type File struct {
	Name   string // for people: the last part of its path
	Path   string // on disk; in the tab where it lay in what was dropped
	Handle any    // in the tab: its Blob; else nil
}

// Pictures are the pictures to classify.
type Pictures struct {
	Items    []Item
	Selected int  // id of the item shown large; 0: none
	Reading  bool // dropped files are being looked at
	Order    Order
	Removed  [][]Item // what the last removals took away, for undo
	Skipped  int      // of the dropped files, those that are no pictures
}

// An Item is a picture, its words and what the model says.
type Item struct {
	ID      int
	File    File
	Caption string
	From    CaptionSource
	Status  Status
	Answer  report.Answer // when done
	Took    time.Duration // when done
	Failure Failure       // when failed
	asked   int           // counts the questions, so that late answers are known
}

// CaptionSource says where an item's words come from.
type CaptionSource uint8

// The sources.
const (
	Typed    CaptionSource = iota // by the user, or there are none
	Sidecar                       // a .txt of the same stem
	Embedded                      // the picture's own description
)

// Status says how far an item is.
type Status uint8

// The states of an item.
const (
	Waiting Status = iota
	Asked
	Done
	Failed
)

// Order is how the table of pictures is sorted.
type Order struct {
	By         Column
	Descending bool
}

// Column is a column of the table of pictures.
type Column uint8

// The columns.
const (
	ByInput Column = iota // as they came
	ByName
	ByAnswer
	ByProbability
)

// maxUndo bounds how many removals can be undone.
const maxUndo = 50

// undoable adds a removal to those that can be undone.
func undoable[T any](list []T, x T) []T {
	list = append(list, x)
	return list[max(0, len(list)-maxUndo):]
}

// Item returns the item of that id, or nil.
func (p *Pictures) Item(id int) *Item {
	for i := range p.Items {
		if p.Items[i].ID == id {
			return &p.Items[i]
		}
	}
	return nil
}

// Sorted returns the items in the table's order.
func (p *Pictures) Sorted() []Item {
	items := slices.Clone(p.Items)
	by := func(a, b Item) int { return 0 }
	best := func(x Item) report.Score {
		if len(x.Answer.Top) == 0 {
			return report.Score{}
		}
		return x.Answer.Top[0]
	}
	switch p.Order.By {
	case ByName:
		by = func(a, b Item) int { return strings.Compare(a.File.Name, b.File.Name) }
	case ByAnswer:
		by = func(a, b Item) int { return strings.Compare(best(a).Label, best(b).Label) }
	case ByProbability:
		by = func(a, b Item) int { return cmp.Compare(best(a).P, best(b).P) }
	}
	if p.Order.Descending {
		up := by
		by = func(a, b Item) int { return up(b, a) }
	}
	slices.SortStableFunc(items, by)
	return items
}

// Counts says how many items are done and how many there are.
func (p *Pictures) Counts() (done, all int) {
	for _, x := range p.Items {
		if x.Status == Done || x.Status == Failed {
			done++
		}
	}
	return done, len(p.Items)
}

// Training is a training from the choice of its data to its result.
type Training struct {
	Step     TrainStep
	Source   Source
	Report   *report.Collection // what was understood, from TrainConfirm on
	Setup    Setup
	Estimate *report.Estimate // of the setup; nil: being computed
	Progress Progress
	Result   *Result

	Unfinished []Job // trainings that were interrupted
}

// A Job is a training that was interrupted.
type Job struct {
	ID     string
	Source Source
	Setup  Setup
	Step   int // steps done
}

// TrainStep is how far a training is.
type TrainStep uint8

// The steps of a training.
const (
	TrainChoose  TrainStep = iota // which data
	TrainReading                  // the data is being looked at
	TrainConfirm                  // what was understood, and how to train
	TrainRunning
	TrainStopping
	TrainDone
)

// A Source is a collection to train on.
type Source struct {
	Name   string
	Path   string // folder or table on disk; in the tab empty
	Sample bool   // the drawn sample collection
	Files  []File // in the tab
}

// A Preset is how thorough a training is.
type Preset uint8

// The presets. Interrupted trainings remember their numbers: new ones come last.
const (
	Quick    Preset = iota // what follows the towers
	Balanced               // the last parts of the towers, too
	Thorough               // everything
	Adapter                // a LoRA, and what follows the towers
	Presets
)

// Tune is the part of the model that a preset trains.
func (p Preset) Tune() string { return [...]string{"head", "last", "all", "lora"}[p] }

// Setup is how to train.
type Setup struct {
	Preset Preset
	Name   string // of the model that will be
	Inputs string // both, image, text
	Base   Base
}

// Base is what a training starts from: towers, by name; without any the model
// in use.
type Base struct {
	Vision, Text string
}

// Progress is how a training goes.
type Progress struct {
	Features, AllFeatures int // pictures and texts that the towers have looked at
	Step, Steps           int
	Epoch, Epochs         int
	Losses                []Point // of the steps
	Validations           []Validation
	Kept                  float64 // at the end: how often the model that is kept is right, of 1
	PerSecond             float64 // examples
	Started               time.Time
	From                  int  // steps that were done before, where it was interrupted
	Skipped               int  // pictures that could not be read
	Unkept                bool // it cannot be gone on with where it is interrupted
}

// A Point is a value at a step.
type Point struct {
	Step  int
	Value float32
}

// A Validation is what an epoch's end showed.
type Validation struct {
	Step  int
	Epoch int // 0: before the first
	Top1  float64
	Loss  float64
}

// maxPoints bounds the curve that is kept; more are thinned out.
const maxPoints = 1024

// add takes in an event.
func (p *Progress) add(e report.Event) {
	p.Skipped += len(e.Skipped)
	switch e.Event {
	case "features":
		p.Features, p.AllFeatures = e.Step, e.Steps
	case "unkept":
		p.Unkept = true
	case "done":
		p.Kept = e.ValTop1
	case "step":
		p.Step, p.Steps, p.Epoch, p.Epochs = e.Step, e.Steps, e.Epoch, e.Epochs
		if e.ExamplesPerSec > 0 {
			p.PerSecond = e.ExamplesPerSec
		}
		// What went on from a state repeats the steps since.
		p.Losses = slices.DeleteFunc(p.Losses, func(x Point) bool { return x.Step >= e.Step })
		p.Losses = append(p.Losses, Point{e.Step, e.Loss})
		if len(p.Losses) > maxPoints {
			half := p.Losses[:0]
			for i := 0; i+1 < len(p.Losses); i += 2 {
				a, b := p.Losses[i], p.Losses[i+1]
				half = append(half, Point{b.Step, (a.Value + b.Value) / 2})
			}
			p.Losses = half
		}
	case "before", "epoch":
		p.Validations = slices.DeleteFunc(p.Validations, func(x Validation) bool { return x.Step >= e.Step })
		p.Validations = append(p.Validations, Validation{e.Step, e.Epoch, e.ValTop1, e.ValLoss})
		p.Epoch, p.Epochs = max(p.Epoch, e.Epoch), max(p.Epochs, e.Epochs)
	}
}

// At is how far a step is in the training, of 1.
func (p *Progress) At(step int) float32 { return float32(step) / float32(max(p.Steps, 1)) }

// Best is the validation whose model is kept: the one that is right most often,
// of several the one of the least loss. -1: it is not among these.
func (p *Progress) Best() int {
	best := -1
	for i, x := range p.Validations {
		if x.Epoch == 0 {
			continue
		}
		if best < 0 || x.Top1 > p.Validations[best].Top1 || x.Top1 == p.Validations[best].Top1 && x.Loss < p.Validations[best].Loss {
			best = i
		}
	}
	if best >= 0 && p.Kept > p.Validations[best].Top1 {
		return -1 // it was before the interruption that this went on from
	}
	return best
}

// Left estimates the time to the end; 0 where nothing is known.
func (p *Progress) Left(now time.Time) time.Duration {
	done := p.Step - p.From
	if done < 2 || p.Steps <= p.Step || p.Started.IsZero() {
		return 0
	}
	return time.Duration(float64(now.Sub(p.Started)) / float64(done) * float64(p.Steps-p.Step))
}

// A Result is what a training came to.
type Result struct {
	Model      string // its place among the models
	Stopped    bool
	Evaluation *report.Evaluation
	Cells      [][][]Held // [true class][answer] the pictures
	Cell       [2]int     // the open one
	Open       bool
}

// Held is a held-back picture in a result.
type Held struct {
	File    File
	Caption string
}

// Models are the models that can be used.
type Models struct {
	List    []Model
	Using   string  // id
	Loading string  // id of the one being loaded
	Removed []Model // those removed last, for undo
	Card    string  // id of the one whose card is shown
	Towers  []Tower
	Ended   string // name of the tower whose fetching ended last
}

// A Model is a model in the app's care.
type Model struct {
	ID       string // "default", or the name of its folder
	Name     string
	Bytes    int64
	Classes  []string
	Made     time.Time
	Card     string // Markdown
	Embedded bool
}

// Prefs are the user's settings.
type Prefs struct {
	Language string `json:"language,omitempty"` // "en", "zh"; empty: the system's
	Theme    string `json:"theme,omitempty"`    // "light", "dark"; empty: the system's
	Width    int    `json:"width,omitempty"`    // of the window, in dp
	Height   int    `json:"height,omitempty"`

	ToldSoftware bool `json:"told_software,omitempty"` // HintSoftware was read
}
