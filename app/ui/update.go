package ui

import (
	"errors"
	"slices"
	"strings"
	"time"

	"duet/gpu/adapter"
	"duet/model/report"
)

// An Effect is work that an update asks for; package ui's [Loop] does it.
type Effect interface{}

// The effects.
type (
	// StartEngine opens the adapter and a model.
	StartEngine struct{}
	// ReadFiles looks for pictures in files and folders.
	ReadFiles struct{ Files []File }
	// Ask classifies an item.
	Ask struct {
		ID, Asked int
		File      File
		Caption   string
	}
	// Understand opens a collection.
	Understand struct{ Source Source }
	// MakeEstimate computes what a training will take.
	MakeEstimate struct {
		Source Source
		Setup  Setup
	}
	// Train trains.
	Train struct {
		Source Source
		Setup  Setup
	}
	// ContinueTraining goes on with one that was interrupted, DiscardTraining gives
	// it up, FindUnfinished looks for them.
	ContinueTraining struct{ ID string }
	DiscardTraining  struct{ ID string }
	FindUnfinished   struct{}
	// StopTraining ends the training early.
	StopTraining struct{}
	// ListModels looks which models there are.
	ListModels struct{}
	// LoadModel puts a model on the device; ImportModel takes a file as a model first.
	LoadModel   struct{ ID string }
	ImportModel struct{ File File }
	// RenameModel, TrashModel and RestoreModel change what models there are.
	RenameModel  struct{ ID, Name string }
	TrashModel   struct{ ID string }
	RestoreModel struct{ ID string }
	// SaveModel and SaveAnswers write files for the user.
	SaveModel   struct{ ID, Format string }
	SaveAnswers struct {
		Format string
		Items  []Item
	}
	// KeepPrefs stores the settings.
	KeepPrefs struct{ Prefs Prefs }
)

// Update takes a message in and returns the work that it asks for.
func (s *State) Update(m Message) []Effect {
	if s.movesOn(m) {
		s.Notice = ""
	}
	switch m := m.(type) {
	case Go:
		s.Screen = m.Screen
		if m.Screen == ScreenModels {
			return []Effect{ListModels{}, ListTowers{}}
		}
	case Dismiss:
		s.Problem, s.Notice = nil, ""
	case NoDialog:
		s.NoDialog = true
		s.Problem = &Problem{Doing: DoingChoose, Code: "no-dialog"}
	case DismissHint:
		s.Hint, s.Prefs.ToldSoftware = NoHint, true
		return []Effect{KeepPrefs{s.Prefs}}
	case Retry:
		s.Problem, s.Engine.Failed = nil, false
		return []Effect{StartEngine{}}
	case Saved:
		s.Notice = m.Path
	case FailedDoing:
		s.fail(m.Doing, m.Error)
		switch m.Doing {
		case DoingRead:
			s.Pictures.Reading = false
		case DoingStart:
			s.Engine.Failed = !s.Engine.Ready
		}
	case Ready:
		s.Engine = EngineState{Ready: true, Info: m.Info}
		s.Models.Using, s.Models.Loading = m.Info.ModelID, ""
		if m.Info.Class == adapter.Software && !s.Prefs.ToldSoftware {
			s.Hint = HintSoftware
		}
		s.askAgain()
		effects := append(s.next(), ListModels{}, FindUnfinished{})
		if s.Training.Step == TrainConfirm {
			effects = append(effects, s.estimate()...)
		}
		return effects
	case SetPrefs:
		s.Prefs = m.Prefs
		return []Effect{KeepPrefs{s.Prefs}}
	}
	if effects, ok := s.updatePictures(m); ok {
		return effects
	}
	if effects, ok := s.updateTraining(m); ok {
		return effects
	}
	if effects, ok := s.updatePage(m); ok {
		return effects
	}
	if effects, ok := s.updateTowers(m); ok {
		return effects
	}
	return s.updateModels(m)
}

// movesOn tells that the user turns to something else, so that what was told of
// the last thing has been read.
func (s *State) movesOn(m Message) bool {
	switch m := m.(type) {
	case Go:
		return m.Screen != s.Screen
	case Drop, Choose, Start, Continue, Back, Use, ExportModel, ExportAnswers:
		return true
	}
	return false
}

// fail shows a problem.
func (s *State) fail(doing Doing, err error) { s.Problem = problem(doing, err) }

// problem is an error for people.
func problem(doing Doing, err error) *Problem {
	p := &Problem{Doing: doing, Failure: failure(err)}
	var coded interface{ Code() string }
	if errors.As(err, &coded) {
		p.Code = coded.Code()
	}
	return p
}

// updatePictures takes in what concerns the pictures to classify.
func (s *State) updatePictures(m Message) (effects []Effect, mine bool) {
	p := &s.Pictures
	switch m := m.(type) {
	case Drop:
		if len(m.Files) == 0 {
			return nil, true
		}
		if s.Screen == ScreenTrain && (s.Training.Step == TrainChoose || s.Training.Step == TrainConfirm) {
			return s.Update(Choose{sourceOf(m.Files)}), true
		}
		s.Screen, s.Problem, p.Reading = ScreenClassify, nil, true
		return []Effect{ReadFiles(m)}, true
	case FilesRead:
		p.Reading, p.Skipped = false, m.Skipped
		for _, x := range m.Items {
			s.last++
			x.ID, x.Status = s.last, Waiting
			p.Items = append(p.Items, x)
		}
		if len(m.Items) > 0 {
			p.Selected = p.Items[len(p.Items)-len(m.Items)].ID
		}
		if m.Model != nil {
			s.Screen = ScreenModels
			return append(s.next(), ImportModel{*m.Model}), true
		}
		if len(m.Items) == 0 {
			s.fail(DoingRead, errNoPictures)
		}
		return s.next(), true
	case DropText:
		if x := p.Item(p.Selected); x != nil {
			return s.Update(SetCaption{x.ID, m.Text}), true
		}
		return nil, true
	case SetCaption:
		x := p.Item(m.ID)
		if x == nil || x.Caption == m.Text {
			return nil, true
		}
		x.Caption, x.From = m.Text, Typed
		if x.Status != Asked {
			x.Status = Waiting
		}
		x.asked++ // an answer on its way is for the old words
		return s.next(), true
	case Select:
		p.Selected = m.ID
		return s.next(), true
	case Remove:
		i := slices.IndexFunc(p.Items, func(x Item) bool { return x.ID == m.ID })
		if i < 0 {
			return nil, true
		}
		p.Removed = undoable(p.Removed, []Item{p.Items[i]})
		p.Items = slices.Delete(p.Items, i, i+1)
		if p.Selected == m.ID {
			p.Selected = 0
			if len(p.Items) > 0 {
				p.Selected = p.Items[min(i, len(p.Items)-1)].ID
			}
		}
		return nil, true
	case Clear:
		if len(p.Items) > 0 {
			p.Removed = undoable(p.Removed, p.Items)
		}
		p.Items, p.Selected, p.Skipped = nil, 0, 0
		return nil, true
	case UndoRemove:
		if len(p.Removed) == 0 {
			return nil, true
		}
		last := p.Removed[len(p.Removed)-1]
		p.Removed = p.Removed[:len(p.Removed)-1]
		for i := range last {
			if last[i].Status == Asked { // its answer was not waited for
				last[i].Status = Waiting
			}
		}
		p.Items = append(p.Items, last...)
		slices.SortStableFunc(p.Items, func(a, b Item) int { return a.ID - b.ID })
		p.Selected = last[0].ID
		return s.next(), true
	case SortBy:
		p.Order = Order{m.Column, p.Order.By == m.Column && !p.Order.Descending}
		return nil, true
	case ExportAnswers:
		return []Effect{SaveAnswers{m.Format, p.Sorted()}}, true
	case Answered:
		x := p.Item(m.ID)
		if x == nil {
			return s.next(), true
		}
		switch {
		case x.asked != m.Asked: // there are other words or another model now
			x.Status = Waiting
		case m.Error != nil:
			x.Status, x.Failure = Failed, failure(m.Error)
		default:
			x.Status, x.Answer, x.Took, x.Failure = Done, m.Answer, m.Took, Failure{}
		}
		return s.next(), true
	}
	return nil, false
}

// askAgain has every item answered anew, by another model.
func (s *State) askAgain() {
	for _, list := range append([][]Item{s.Pictures.Items}, s.Pictures.Removed...) {
		for i := range list {
			x := &list[i]
			x.asked++
			if x.Status != Asked {
				x.Status = Waiting
			}
		}
	}
}

// next asks for the next item, the selected one first; one at a time, and none
// while a model is loaded.
func (s *State) next() []Effect {
	p := &s.Pictures
	if !s.Engine.Ready || s.Models.Loading != "" {
		return nil
	}
	at := -1
	for i := range p.Items {
		switch x := &p.Items[i]; {
		case x.Status == Asked:
			return nil
		case x.Status == Waiting && (at < 0 || x.ID == p.Selected):
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	x := &p.Items[at]
	x.Status = Asked
	return []Effect{Ask{x.ID, x.asked, x.File, x.Caption}}
}

// updateTraining takes in what concerns a training.
func (s *State) updateTraining(m Message) (effects []Effect, mine bool) {
	t := &s.Training
	switch m := m.(type) {
	case Choose:
		if s.Busy() {
			return nil, true // a dialog that was opened before
		}
		*t = Training{Step: TrainReading, Source: m.Source, Setup: Setup{Inputs: "both"}, Unfinished: t.Unfinished}
		s.Screen, s.Problem = ScreenTrain, nil
		return []Effect{Understand(m)}, true
	case Understood:
		if t.Step != TrainReading || !same(t.Source, m.Source) {
			return nil, true
		}
		if m.Error == nil && len(m.Report.Classes) < 2 {
			m.Error = report.TooFewClasses(m.Source.Name, len(m.Report.Classes))
		}
		if m.Error != nil {
			*t = Training{Unfinished: t.Unfinished}
			s.fail(DoingRead, m.Error)
			return nil, true
		}
		t.Step, t.Report = TrainConfirm, m.Report
		t.Setup.Name = s.Models.free(m.Source.Name)
		return append(s.estimate(), ListTowers{}), true
	case SetBase:
		if t.Step == TrainConfirm && t.Setup.Base != m.Base {
			t.Setup.Base, t.Setup.Inputs = m.Base, m.Base.inputs()
			return s.estimate(), true
		}
		return nil, true
	case SetPreset:
		if t.Step == TrainConfirm && t.Setup.Preset != m.Preset {
			t.Setup.Preset = m.Preset
			return s.estimate(), true
		}
		return nil, true
	case SetInputs:
		if t.Step == TrainConfirm && t.Setup.Inputs != m.Inputs {
			t.Setup.Inputs = m.Inputs
			return s.estimate(), true
		}
		return nil, true
	case SetName:
		if t.Step == TrainConfirm && m.Name != "" {
			t.Setup.Name = s.Models.free(m.Name)
		}
		return nil, true
	case Estimated:
		if t.Step == TrainConfirm && same(t.Source, m.Source) && t.Setup.Preset == m.Setup.Preset && t.Setup.Inputs == m.Setup.Inputs && t.Setup.Base == m.Setup.Base {
			t.Estimate = &m.Estimate // zero where it could not be made
			if m.Error != nil {
				s.fail(DoingTrain, m.Error)
			}
		}
		return nil, true
	case Start:
		if t.Step != TrainConfirm || !s.Engine.Ready {
			return nil, true
		}
		t.Step, t.Progress, s.Problem = TrainRunning, Progress{}, nil
		return []Effect{Train{t.Source, t.Setup}}, true
	case Stop:
		if t.Step == TrainRunning {
			t.Step = TrainStopping
			return []Effect{StopTraining{}}, true
		}
		return nil, true
	case Back:
		if !s.Busy() {
			*t = Training{Unfinished: t.Unfinished}
		}
		return nil, true
	case FoundUnfinished:
		t.Unfinished = m.Jobs
		return nil, true
	case Continue:
		for _, job := range t.Unfinished {
			if job.ID == m.ID && s.Engine.Ready && (t.Step == TrainChoose || t.Step == TrainConfirm || t.Step == TrainDone) {
				*t = Training{Step: TrainRunning, Source: job.Source, Setup: job.Setup}
				s.Problem = nil
				return []Effect{ContinueTraining(m)}, true
			}
		}
		return nil, true
	case Discard:
		t.Unfinished = slices.DeleteFunc(slices.Clone(t.Unfinished), func(j Job) bool { return j.ID == m.ID })
		return []Effect{DiscardTraining(m)}, true
	case Trained:
		if m.Event.Event == "step" && t.Progress.Started.IsZero() {
			t.Progress.Started, t.Progress.From = time.Now(), m.Event.Step
		}
		t.Progress.add(m.Event)
		return nil, true
	case TrainEnded:
		switch {
		case m.Error != nil:
			t.Step = TrainConfirm
			if t.Report == nil { // it had been interrupted before
				t.Step = TrainChoose
			}
			if !errors.Is(m.Error, report.ErrInterrupted) {
				s.fail(DoingTrain, m.Error)
			}
		default:
			t.Step, t.Result = TrainDone, m.Result
		}
		return append(s.next(), ListModels{}, FindUnfinished{}), true
	case OpenCell:
		if r := t.Result; r != nil {
			cell := [2]int{m.Truth, m.Answer}
			r.Open = !(r.Open && r.Cell == cell)
			r.Cell = cell
		}
		return nil, true
	}
	return nil, false
}

// estimate asks what the training that is set up will take.
func (s *State) estimate() []Effect {
	s.Training.Estimate = nil
	if !s.Engine.Ready {
		return nil // it is asked for when the engine has started
	}
	return []Effect{MakeEstimate{s.Training.Source, s.Training.Setup}}
}

// same tells whether two sources are one.
func same(a, b Source) bool { return a.Name == b.Name && a.Path == b.Path && a.Sample == b.Sample }

// sourceOf is the collection that dropped files make.
func sourceOf(files []File) Source {
	source := Source{Name: files[0].Name, Path: files[0].Path}
	if files[0].Handle != nil { // in the tab, where a folder comes as what is in it
		source.Files = files
		source.Name, _, _ = strings.Cut(files[0].Path, "/")
	}
	return source
}

// updateModels takes in what concerns the models.
func (s *State) updateModels(m Message) []Effect {
	switch m := m.(type) {
	case Listed:
		s.Models.List = m.Models
		return []Effect{LookAtStorage{}}
	case Use:
		if m.ID == s.Models.Using || s.Models.Loading != "" {
			return nil
		}
		s.Models.Loading, s.Problem = m.ID, nil
		return []Effect{LoadModel(m)}
	case Rename:
		if m.Name != "" {
			return []Effect{RenameModel(m)}
		}
	case RemoveModel:
		for i, x := range s.Models.List {
			if x.ID == m.ID && !x.Embedded && x.ID != s.Models.Using && x.ID != s.Models.Loading {
				s.Models.Removed = undoable(s.Models.Removed, x)
				s.Models.List = slices.Delete(slices.Clone(s.Models.List), i, i+1)
				return []Effect{TrashModel(m)}
			}
		}
	case UndoRemoveModel:
		if n := len(s.Models.Removed); n > 0 {
			x := s.Models.Removed[n-1]
			s.Models.Removed = s.Models.Removed[:n-1]
			return []Effect{RestoreModel{x.ID}}
		}
	case ShowCard:
		if s.Models.Card == m.ID {
			m.ID = ""
		}
		s.Models.Card = m.ID
	case ExportModel:
		return []Effect{SaveModel(m)}
	case Imported:
		return append(s.Update(Use(m)), ListModels{})
	case LoadFailed:
		s.Models.Loading = ""
		s.fail(DoingModel, m.Error)
		return s.next()
	}
	return nil
}

// free returns a name that no model has yet.
func (m *Models) free(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(m.List, func(x Model) bool { return x.Name == name || x.ID == name })
	}
	return unique(name, taken)
}
