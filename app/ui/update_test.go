package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"duet/model/report"
	"time"

	"duet/app"
	"duet/model/data"
	"duet/model/train"
)

// ready is a state whose engine has started.
func ready() *State {
	s := &State{}
	s.Update(Ready{Info{Adapter: "a", ModelID: "default"}})
	return s
}

// names prints effects by their types and what tells them apart.
func names(effects []Effect) string {
	var out []string
	for _, e := range effects {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "ui.")
		switch e := e.(type) {
		case Ask:
			name += fmt.Sprintf(" %d %q", e.ID, e.Caption)
		case LoadModel:
			name += " " + e.ID
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func expect(t *testing.T, effects []Effect, want string) {
	t.Helper()
	if got := names(effects); got != want {
		t.Errorf("effects %q, want %q", got, want)
	}
}

func answer(label string, p float32) app.Answer {
	return app.Answer{Top: []app.Score{{Label: label, P: p}}}
}

// three drops three pictures and returns the effects.
func three(s *State) []Effect {
	s.Update(Drop{[]File{{Name: "folder", Path: "/folder"}}})
	return s.Update(FilesRead{Items: []Item{{File: File{Name: "b"}}, {File: File{Name: "a"}, Caption: "words", From: Sidecar}, {File: File{Name: "c"}}}})
}

func TestPicturesAreAskedOneByOne(t *testing.T) {
	s := ready()
	expect(t, three(s), `Ask 1 ""`)
	expect(t, s.Update(Select{3}), "")
	expect(t, s.Update(Answered{ID: 1, Answer: answer("x", 0.5), Took: time.Second}), `Ask 3 ""`) // the selected one comes first
	expect(t, s.Update(Answered{ID: 3, Error: errors.New("data: opening c: no picture")}), `Ask 2 "words"`)
	expect(t, s.Update(Answered{ID: 2, Answer: answer("y", 0.9)}), "")
	if x := s.Pictures.Item(3); x.Status != Failed || x.Failure.Text != "opening c: no picture" {
		t.Errorf("%+v", x)
	}
	if done, all := s.Pictures.Counts(); done != 3 || all != 3 {
		t.Errorf("%d of %d", done, all)
	}
}

// TestWaitsForTheEngine drops before the engine has started.
func TestWaitsForTheEngine(t *testing.T) {
	s := &State{}
	expect(t, three(s), "")
	expect(t, s.Update(Ready{}), `Ask 1 "", ListModels, FindUnfinished`)
}

// TestStaleAnswers changes the words while the answer is on its way: it does
// not count.
func TestStaleAnswers(t *testing.T) {
	s := ready()
	effects := three(s)
	old := effects[0].(Ask)
	expect(t, s.Update(SetCaption{1, "what is it?"}), "")
	expect(t, s.Update(Answered{ID: 1, Asked: old.Asked, Answer: answer("old", 1)}), `Ask 1 "what is it?"`)
	x := s.Pictures.Item(1)
	if len(x.Answer.Top) > 0 || x.Status != Asked {
		t.Errorf("%+v", x)
	}
	s.Update(Answered{ID: 1, Asked: x.asked, Answer: answer("new", 1)})
	if x.Status != Done || x.Answer.Top[0].Label != "new" || x.Caption != "what is it?" {
		t.Errorf("%+v", x)
	}
	expect(t, s.Update(SetCaption{1, "what is it?"}), "")
	expect(t, s.Update(DropText{"another"}), "") // 2 is being asked
	if x.Caption != "another" || x.Status != Waiting {
		t.Errorf("%+v", x)
	}
}

// TestAnotherModelAnswersAgain loads a model: all answers are asked for anew.
func TestAnotherModelAnswersAgain(t *testing.T) {
	s := ready()
	three(s)
	for id := 1; id <= 3; id++ {
		s.Update(Answered{ID: id, Answer: answer("x", 1)})
	}
	expect(t, s.Update(Use{"mine"}), "LoadModel mine")
	expect(t, s.Update(Use{"other"}), "") // one at a time
	expect(t, s.Update(Ready{Info{ModelID: "mine"}}), `Ask 1 "", ListModels, FindUnfinished`)
	if s.Models.Using != "mine" || s.Models.Loading != "" {
		t.Errorf("%+v", s.Models)
	}
	s.Update(Use{"broken"})
	s.Update(FailedDoing{DoingModel, errors.New("app: not listed")}) // something else
	if s.Models.Loading != "broken" {
		t.Errorf("%+v", s.Models)
	}
	s.Update(LoadFailed{errors.New("app: no")})
	if s.Models.Using != "mine" || s.Models.Loading != "" || s.Problem == nil || s.Problem.Text != "no" {
		t.Errorf("%+v %+v", s.Models, s.Problem)
	}
}

func TestRemoveAndUndo(t *testing.T) {
	s := ready()
	three(s)
	s.Update(Select{2})
	s.Update(Remove{2})
	if s.Pictures.Item(2) != nil || s.Pictures.Selected != 3 {
		t.Errorf("%+v", s.Pictures)
	}
	s.Update(UndoRemove{})
	if s.Pictures.Selected != 2 || s.Pictures.Items[1].ID != 2 || s.Pictures.Items[1].Caption != "words" {
		t.Errorf("%+v", s.Pictures)
	}
	s.Update(Clear{})
	if len(s.Pictures.Items) != 0 {
		t.Error("not cleared")
	}
	expect(t, s.Update(Answered{ID: 1, Answer: answer("late", 1)}), "")
	expect(t, s.Update(UndoRemove{}), `Ask 1 ""`)
	if len(s.Pictures.Items) != 3 {
		t.Errorf("%+v", s.Pictures)
	}
	s.Update(Remove{99}) // nothing
	expect(t, s.Update(UndoRemove{}), "")
}

// TestUndoSteps undoes removals one by one, the last one first.
func TestUndoSteps(t *testing.T) {
	s := ready()
	three(s)
	for _, m := range []Message{Remove{2}, Remove{1}, Clear{}, Clear{}} { // the last has nothing to do
		s.Update(m)
	}
	for _, want := range []string{"c", "bc", "bac"} {
		s.Update(UndoRemove{})
		got := ""
		for _, x := range s.Pictures.Items {
			got += x.File.Name
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for id := range 2 * maxUndo {
		s.Update(FilesRead{Items: []Item{{}}})
		s.Update(Remove{4 + id})
	}
	if n := len(s.Pictures.Removed); n != maxUndo {
		t.Errorf("%d removals are kept", n)
	}
}

func TestSorted(t *testing.T) {
	s := ready()
	three(s)
	for id, p := range map[int]float32{1: 0.2, 2: 0.9, 3: 0.5} {
		s.Update(Answered{ID: id, Answer: answer(fmt.Sprint(10-id), p)})
	}
	order := func() (out string) {
		for _, x := range s.Pictures.Sorted() {
			out += x.File.Name
		}
		return out
	}
	for _, c := range []struct {
		by   Column
		want string
	}{{ByInput, "bac"}, {ByName, "abc"}, {ByName, "cba"}, {ByAnswer, "cab"}, {ByProbability, "bca"}, {ByProbability, "acb"}} {
		if c.by != ByInput {
			s.Update(SortBy{c.by})
		}
		if got := order(); got != c.want {
			t.Errorf("%+v gives %s, want %s", s.Pictures.Order, got, c.want)
		}
	}
}

// TestDroppedOnTrain takes a folder for a collection where one is asked for.
func TestDroppedOnTrain(t *testing.T) {
	s := ready()
	s.Update(Go{ScreenTrain})
	expect(t, s.Update(Drop{[]File{{Name: "mine", Path: "/mine"}}}), "Understand")
	if s.Training.Step != TrainReading || s.Training.Source.Path != "/mine" {
		t.Errorf("%+v", s.Training)
	}
}

func TestModelAmongDropped(t *testing.T) {
	s := ready()
	expect(t, s.Update(FilesRead{Model: &File{Name: "m.zip"}}), "ImportModel")
	expect(t, s.Update(Imported{"m"}), "LoadModel m, ListModels")
	s.Update(LoadFailed{errors.New("app: no")})
	s.Update(Dismiss{})
	if s.Screen != ScreenModels || s.Problem != nil {
		t.Errorf("%+v", s)
	}
	expect(t, s.Update(FilesRead{}), "")
	if s.Problem == nil || s.Problem.Doing != DoingRead {
		t.Error("nothing among the files, and nothing said")
	}
}

func TestNoDialog(t *testing.T) {
	s := &State{}
	expect(t, s.Update(NoDialog{}), "")
	if !s.NoDialog || s.Problem == nil || s.Problem.Doing != DoingChoose {
		t.Errorf("%+v", s)
	}
	s.Update(Dismiss{})
	if !s.NoDialog || s.Problem != nil {
		t.Errorf("when told: %+v", s)
	}
}

func TestTraining(t *testing.T) {
	s := ready()
	s.Models.List = []Model{{ID: "shapes", Name: "shapes"}}
	source := Source{Name: "shapes", Sample: true}
	expect(t, s.Update(Choose{source}), "Understand")
	expect(t, s.Update(Understood{Source: Source{Name: "other"}}), "") // chosen before
	expect(t, s.Update(Understood{Source: source, Report: &data.Report{Classes: []string{"a", "b"}}}), "MakeEstimate, ListTowers")
	if s.Training.Step != TrainConfirm || s.Training.Setup.Name != "shapes 2" {
		t.Fatalf("%+v", s.Training)
	}
	expect(t, s.Update(SetPreset{Thorough}), "MakeEstimate")
	expect(t, s.Update(SetPreset{Thorough}), "")
	setup := s.Training.Setup
	s.Update(Estimated{Source: source, Setup: Setup{Preset: Quick, Inputs: "both"}, Estimate: app.Estimate{Bytes: 1}})
	s.Update(Estimated{Source: Source{Name: "other"}, Setup: setup, Estimate: app.Estimate{Bytes: 1}})
	if s.Training.Estimate != nil {
		t.Error("an estimate for another setup or collection counts")
	}
	s.Update(Estimated{Source: source, Setup: setup, Estimate: app.Estimate{Bytes: 2}})
	if s.Training.Estimate == nil {
		t.Error("no estimate")
	}
	expect(t, s.Update(SetName{"mine"}), "") // nothing to estimate anew
	s.Update(SetName{""})
	if s.Training.Setup.Name != "mine" {
		t.Errorf("%+v", s.Training.Setup)
	}
	expect(t, s.Update(SetInputs{"image"}), "MakeEstimate")
	expect(t, s.Update(Ready{Info{ModelID: "default"}}), "ListModels, FindUnfinished, MakeEstimate") // by another model
	expect(t, s.Update(Start{}), "Train")
	expect(t, s.Update(Start{}), "")
	s.Update(Back{}) // not while it runs
	expect(t, s.Update(Choose{Source{Name: "late"}}), "")
	if s.Training.Step != TrainRunning {
		t.Errorf("%+v", s.Training)
	}
	for i := range 5000 {
		s.Update(Trained{train.Event{Event: "step", Step: i + 1, Steps: 5000, Epoch: 1, Epochs: 1, Loss: 1}})
	}
	s.Update(Trained{train.Event{Event: "epoch", Step: 5000, Epoch: 1, ValTop1: 0.5}})
	p := s.Training.Progress
	if p.Step != 5000 || len(p.Losses) > maxPoints || len(p.Losses) < maxPoints/4 || p.Losses[len(p.Losses)-1].Value != 1 || len(p.Validations) != 1 {
		t.Errorf("%d points, %+v", len(p.Losses), p.Validations)
	}
	for _, e := range []train.Event{{Event: "unkept"}, {Event: "step", Step: 4000, Steps: 5000, Loss: 2}} { // it goes on from a state
		s.Update(Trained{e})
	}
	p = s.Training.Progress
	if last := p.Losses[len(p.Losses)-1]; !p.Unkept || last != (Point{4000, 2}) || p.Losses[len(p.Losses)-2].Step >= 4000 || len(p.Validations) != 1 {
		t.Errorf("after going on from a state: %+v, %v", last, p.Validations)
	}
	expect(t, s.Update(Stop{}), "StopTraining")
	expect(t, s.Update(Stop{}), "")
	expect(t, s.Update(TrainEnded{Result: &Result{Model: "mine", Stopped: true}}), "ListModels, FindUnfinished")
	if s.Training.Step != TrainDone {
		t.Errorf("%+v", s.Training)
	}
	s.Update(OpenCell{1, 2})
	s.Update(OpenCell{0, 0})
	if r := s.Training.Result; !r.Open || r.Cell != [2]int{0, 0} {
		t.Errorf("%+v", r)
	}
	s.Update(OpenCell{0, 0})
	if s.Training.Result.Open {
		t.Error("the cell is still open")
	}
	s.Update(Back{})
	if s.Training.Step != TrainChoose {
		t.Errorf("%+v", s.Training)
	}
}

func TestTrainingFails(t *testing.T) {
	s := ready()
	source := Source{Name: "x"}
	s.Update(Choose{source})
	s.Update(Understood{Source: source, Error: errors.New("data: nothing")})
	if s.Training.Step != TrainChoose || s.Problem == nil || s.Problem.Text != "nothing" {
		t.Errorf("%+v %+v", s.Training, s.Problem)
	}
	s.Update(Choose{source})
	expect(t, s.Update(Understood{Source: source, Report: &data.Report{Classes: []string{"a"}}}), "")
	if s.Training.Step != TrainChoose || s.Problem == nil || s.Problem.Doing != DoingRead || !strings.HasPrefix(s.Problem.Text, "x has one class only; a training needs at least two") || s.Problem.Reason != report.FewClasses {
		t.Errorf("%+v %+v", s.Training, s.Problem)
	}
	s.Update(Choose{source})
	s.Update(Understood{Source: source, Report: &data.Report{Classes: []string{"a", "b"}}})
	s.Update(Start{})
	s.Update(TrainEnded{Error: errors.New("gpu: lost")})
	if s.Training.Step != TrainConfirm || s.Problem == nil || s.Problem.Doing != DoingTrain {
		t.Errorf("%+v %+v", s.Training, s.Problem)
	}
}

func TestModels(t *testing.T) {
	s := ready()
	s.Update(Listed{[]Model{{ID: "default", Embedded: true}, {ID: "a", Name: "a"}, {ID: "b", Name: "b"}}})
	for _, shown := range []string{"a", ""} {
		expect(t, s.Update(ShowCard{"a"}), "")
		if s.Models.Card != shown {
			t.Errorf("the card shown is %q, not %q", s.Models.Card, shown)
		}
	}
	expect(t, s.Update(RemoveModel{"default"}), "")
	s.Models.Using = "b"
	expect(t, s.Update(RemoveModel{"b"}), "")
	expect(t, s.Update(RemoveModel{"a"}), "TrashModel")
	if len(s.Models.List) != 2 || s.Models.Removed[0].ID != "a" {
		t.Errorf("%+v", s.Models)
	}
	s.Models.Using = "default"
	expect(t, s.Update(RemoveModel{"b"}), "TrashModel")
	for _, id := range []string{"b", "a"} { // the last one first
		if effects := s.Update(UndoRemoveModel{}); len(effects) != 1 || effects[0] != (RestoreModel{id}) {
			t.Errorf("%v, want %s restored", effects, id)
		}
	}
	expect(t, s.Update(UndoRemoveModel{}), "")
	expect(t, s.Update(Rename{"b", ""}), "")
	expect(t, s.Update(Rename{"b", "c"}), "RenameModel")
	expect(t, s.Update(Go{ScreenModels}), "ListModels, ListTowers")
}

func TestAnswersFile(t *testing.T) {
	s := ready()
	three(s)
	s.Update(Answered{ID: 1, Answer: app.Answer{File: "b", Top: []app.Score{{Label: `a, "b"`, P: 0.25}}, Sure: true}})
	name, content, err := answersFile("csv", s.Pictures.Items)
	want := "file,caption,answer,p,sure\nb,,\"a, \"\"b\"\"\",0.2500,true\n"
	if err != nil || name != "duet-answers.csv" || string(content) != want {
		t.Errorf("%s %q %v", name, content, err)
	}
	_, content, err = answersFile("json", s.Pictures.Items)
	if err != nil || !strings.HasPrefix(string(content), `{"file":"b",`) || strings.Count(string(content), "\n") != 1 {
		t.Errorf("%q %v", content, err)
	}
	if _, _, err = answersFile("xml", nil); err == nil {
		t.Error("xml is accepted")
	}
}

// TestUnfinished goes on with a training that was interrupted.
func TestUnfinished(t *testing.T) {
	s := ready()
	job := Job{ID: "m", Source: Source{Name: "mine"}, Setup: Setup{Name: "m"}, Step: 7}
	s.Update(FoundUnfinished{[]Job{job}})
	expect(t, s.Update(Continue{"other"}), "")
	expect(t, s.Update(Continue{"m"}), "ContinueTraining")
	if s.Training.Step != TrainRunning || s.Training.Source.Name != "mine" {
		t.Errorf("%+v", s.Training)
	}
	expect(t, s.Update(TrainEnded{Error: errors.New("gpu: no")}), "ListModels, FindUnfinished")
	if s.Training.Step != TrainChoose || s.Problem == nil {
		t.Errorf("%+v", s.Training)
	}
	s.Update(FoundUnfinished{[]Job{job}})
	expect(t, s.Update(Discard{"m"}), "DiscardTraining")
	if len(s.Training.Unfinished) != 0 {
		t.Errorf("%+v", s.Training)
	}
}

// TestBestEpoch keeps to what a training keeps: a validation before it does not
// count, and of two that are as right the one of less loss is better.
func TestBestEpoch(t *testing.T) {
	var p Progress
	for i, c := range []struct {
		event train.Event
		want  int
	}{
		{train.Event{Event: "before", ValTop1: 0.9}, -1},
		{train.Event{Event: "epoch", Step: 10, Epoch: 1, ValTop1: 0.5, ValLoss: 2}, 1},
		{train.Event{Event: "epoch", Step: 20, Epoch: 2, ValTop1: 0.5, ValLoss: 1}, 2},
		{train.Event{Event: "epoch", Step: 30, Epoch: 3, ValTop1: 0.4, ValLoss: 0.5}, 2},
		{train.Event{Event: "epoch", Step: 40, Epoch: 4, ValTop1: 0.6, ValLoss: 3}, 4},
		{train.Event{Event: "done", Step: 40, ValTop1: 0.6}, 4},
		{train.Event{Event: "done", Step: 40, ValTop1: 0.7}, -1}, // of an epoch before an interruption
	} {
		p.add(c.event)
		if got := p.Best(); got != c.want {
			t.Errorf("after event %d the best is %d, want %d", i, got, c.want)
		}
	}
}

// TestNoticeEnds keeps what was saved in sight while one stays with it, and no
// longer.
func TestNoticeEnds(t *testing.T) {
	for _, c := range []struct {
		message Message
		ends    bool
	}{
		{Go{ScreenModels}, true}, {Go{ScreenClassify}, false}, {Choose{Source{Name: "x"}}, true}, {Start{}, true}, {Continue{"x"}, true},
		{Back{}, true}, {Use{"mine"}, true}, {Drop{[]File{{Name: "a.png"}}}, true}, {ExportAnswers{"csv"}, true}, {ExportModel{ID: "mine"}, true},
		{Dismiss{}, true}, {Select{1}, false}, {Rename{"mine", "x"}, false}, {Listed{}, false}, {OpenCell{0, 1}, false}, {SetCaption{1, "x"}, false},
	} {
		s := ready()
		three(s)
		s.Update(Saved{"Downloads/answers.csv"})
		s.Update(c.message)
		if got := s.Notice == ""; got != c.ends {
			t.Errorf("%T: the notice is %q", c.message, s.Notice)
		}
	}
}
