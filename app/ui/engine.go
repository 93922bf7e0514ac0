package ui

import (
	"context"
	"errors"

	"duet/model/report"
)

// An Engine computes, and keeps the models. Natively it is a goroutine's own
// ([duet/app/local]), in the tab a worker. Its calls may take long; they are
// made from several goroutines and end early, with the context's error, when
// their context does.
type Engine interface {
	// Start opens the best adapter and the model used last.
	Start(ctx context.Context) (Info, error)
	// Classify answers for a picture and its words.
	Classify(ctx context.Context, f File, caption string) (report.Answer, error)

	// Understand opens a collection and says what it is.
	Understand(ctx context.Context, s Source) (*report.Collection, error)
	// Estimate says what a training would take.
	Estimate(ctx context.Context, s Source, how Setup) (report.Estimate, error)
	// Train trains a new model from the present one. Where the context ends with
	// [ErrStopped] as its cause, it returns what was learnt so far; where it ends
	// otherwise, or the program does, the training is among the unfinished ones.
	Train(ctx context.Context, s Source, how Setup, tell func(report.Event)) (*Result, error)
	// Unfinished lists the trainings that were interrupted. Continue goes on with
	// one as if nothing had been, Discard gives it up.
	Unfinished(ctx context.Context) ([]Job, error)
	Continue(ctx context.Context, id string, tell func(report.Event)) (*Result, error)
	Discard(ctx context.Context, id string) error

	// Models lists the models, the embedded one first, then the newest.
	Models(ctx context.Context) ([]Model, error)
	// Load puts a model on the device in place of the present one, which stays
	// where the new one cannot be loaded.
	Load(ctx context.Context, id string) (Info, error)
	// Import takes a file, a zip or a folder, among the models and returns its id.
	Import(ctx context.Context, f File) (id string, err error)
	// Rename gives a model another name.
	Rename(ctx context.Context, id, name string) error
	// Trash takes a model away so that Restore can bring it back until Close.
	Trash(ctx context.Context, id string) error
	Restore(ctx context.Context, id string) error
	// Export writes a model where the user finds it, and says where: as a zip, or as
	// one file of FormatONNX.
	Export(ctx context.Context, id, format string) (where string, err error)
	// Close ends all work.
	Close()
}

// ErrStopped is the cause of a training's end when the user ends it.
var ErrStopped = errors.New("stopped by the user")

// A Host is what the platform does with files and settings.
type Host interface {
	// Read looks for pictures in what was dropped or chosen, folders included.
	Read(ctx context.Context, files []File) (FilesRead, error)
	// Save writes a file where the user finds it, and says where.
	Save(ctx context.Context, name string, content []byte) (where string, err error)
	// Prefs and KeepPrefs read and store the settings.
	Prefs() Prefs
	KeepPrefs(Prefs) error
}
