package ui

import (
	"time"

	"duet/model/report"
)

// A Message is something that happened: the user did something, or work that
// an effect started has come to something.
type Message interface{}

// Doing is what was meant to be done when a problem came up.
type Doing uint8

// What can be meant.
const (
	DoingStart Doing = iota // opening the adapter and the model
	DoingRead               // reading what was dropped or chosen
	DoingTrain
	DoingModel  // loading, storing or removing a model
	DoingSave   // writing a file for the user
	DoingPull   // fetching a tower, or removing one
	DoingChoose // asking for files with a dialog
)

// FormatONNX is the Format of an [ExportModel] for ONNX Runtime; without one it
// is a zip.
const FormatONNX = "onnx"

// What the user does.
type (
	// Go shows a screen.
	Go struct{ Screen Screen }
	// Drop gives files: dropped, pasted or chosen.
	Drop struct{ Files []File }
	// NoDialog says that no dialog for files could be opened: one types a path.
	NoDialog struct{}
	// DropText gives words: dropped or pasted.
	DropText struct{ Text string }
	// SetCaption gives an item other words.
	SetCaption struct {
		ID   int
		Text string
	}
	// Select shows an item large.
	Select struct{ ID int }
	// Remove takes an item away.
	Remove struct{ ID int }
	// Clear takes all items away.
	Clear struct{}
	// UndoRemove brings back what was taken away last.
	UndoRemove struct{}
	// SortBy sorts the table by a column, the other way round when it is already.
	SortBy struct{ Column Column }
	// ExportAnswers writes the answers: "csv" or "json".
	ExportAnswers struct{ Format string }
	// Dismiss takes the problem and the notice away.
	Dismiss struct{}
	// DismissHint takes the hint away for good.
	DismissHint struct{}
	// Redraw draws anew: the system's theme or language is another.
	Redraw struct{}
	// Retry tries to start the engine again.
	Retry struct{}

	// Choose names the data to train on.
	Choose struct{ Source Source }
	// SetPreset, SetInputs and SetName say how to train.
	SetPreset struct{ Preset Preset }
	SetBase   struct{ Base Base }
	SetInputs struct{ Inputs string }
	SetName   struct{ Name string }
	// Start starts the training that is set up.
	Start struct{}
	// Stop ends the training and keeps what it has learnt.
	Stop struct{}
	// Continue goes on with an interrupted training; Discard gives it up.
	Continue struct{ ID string }
	Discard  struct{ ID string }
	// Back leaves the training for another.
	Back struct{}
	// OpenCell shows the pictures of a cell of the confusion matrix; twice, no more.
	OpenCell struct{ Truth, Answer int }

	// Use takes a model in place of the present one.
	Use struct{ ID string }
	// Rename gives a model another name.
	Rename struct{ ID, Name string }
	// RemoveModel takes a model away; UndoRemoveModel brings back the last one.
	RemoveModel     struct{ ID string }
	UndoRemoveModel struct{}
	// ShowCard shows the card of a model; twice, no more.
	ShowCard struct{ ID string }
	// ExportModel writes a model where the user finds it.
	ExportModel struct{ ID, Format string }

	// SetPrefs changes the settings.
	SetPrefs struct{ Prefs Prefs }
)

// What work comes to.
type (
	// Ready says that the engine has started, or has another model.
	Ready struct{ Info Info }
	// FailedDoing says that something could not be done.
	FailedDoing struct {
		Doing Doing
		Error error
	}
	// FilesRead gives the pictures among dropped files; Model is a model among
	// them.
	FilesRead struct {
		Items   []Item
		Skipped int
		Model   *File
	}
	// Answered gives the answer for an item.
	Answered struct {
		ID, Asked int
		Answer    report.Answer
		Took      time.Duration
		Error     error
	}
	// Understood says what a collection is.
	Understood struct {
		Source Source
		Report *report.Collection
		Error  error
	}
	// Estimated says what a training will take.
	Estimated struct {
		Source   Source
		Setup    Setup
		Estimate report.Estimate
		Error    error
	}
	// FoundUnfinished gives the trainings that were interrupted.
	FoundUnfinished struct{ Jobs []Job }
	// Trained is an event of the training.
	Trained struct{ Event report.Event }
	// TrainEnded is its end.
	TrainEnded struct {
		Result *Result // nil: nothing was learnt
		Error  error
	}
	// LoadFailed says why a model could not be put on the device, Imported which
	// model a file became.
	LoadFailed struct{ Error error }
	Imported   struct{ ID string }
	// Listed gives the models that there are.
	Listed struct{ Models []Model }
	// Saved says where something for the user was written.
	Saved struct{ Path string }
)
