package report

import (
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"

	"duet/gpu/adapter"
)

// A Reason is a failure that people meet often, for which a window has words of
// its own in every language.
type Reason uint8

// The reasons, and what their words name.
const (
	NoReason       Reason = iota
	NoAdapter             // there is no graphics driver that can be used
	AdapterLost           // the adapter went away
	AdapterMemory         // the adapter has too little memory
	NoPictures            // none of the files is a picture
	BadPicture            // a file is no picture that can be read: its name
	BadTable              // a table cannot be read: its name
	NoRows                // no row of a collection can be used
	FewClasses            // a collection has fewer than two classes
	BadModel              // something is no model that can be used: its name
	BadState              // the saved state of a training is damaged, or of another
	Elsewhere             // another window goes on with a training: its name
	DiskFull              // there is no room on the disk
	NotFound              // a file is not there: its path
	NotPermitted          // a file may not be read or written: its path
	Offline               // another machine could not be reached
	ForeignPicture        // a picture has a format that is not read: its name
	LargePicture          // a picture has too many pixels: its name
	EmptyFolder           // there is no file in a folder: its name
	NoCollection          // there is nothing that a training could use
	ManyTables            // a folder has several tables, and none is named
	FewPictures           // no picture can be held back to measure with
	EngineEnded           // the engine in the tab came to an end
	Reasons
)

// codes are stable: the tab's engine tells them.
var codes = [Reasons]string{"", "no-adapter", "lost", "memory", "no-pictures", "picture", "table", "no-rows", "few-classes", "model", "state",
	"elsewhere", "disk-full", "not-found", "not-permitted", "offline", "foreign-picture", "large-picture", "empty-folder", "no-collection", "many-tables", "few-pictures",
	"ended"}

func (r Reason) String() string { return codes[min(r, Reasons-1)] }

// ReasonOf is the reason of a code, or none.
func ReasonOf(code string) Reason { return Reason(max(0, slices.Index(codes[:], code))) }

// A Fault is an error with its reason. Names are what the reason's words name.
type Fault struct {
	Reason Reason
	Names  []string
	Err    error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// Because gives an error a reason.
func Because(err error, r Reason, names ...string) error { return &Fault{r, names, err} }

// FaultOf is why something failed: the reason that the error was given, or one
// that it shows.
func FaultOf(err error) Fault {
	var given *Fault
	var told interface { // by an engine elsewhere
		Told() (code string, names []string)
	}
	var path *fs.PathError
	var address *url.Error
	named := func() (names []string) {
		if errors.As(err, &path) {
			names = []string{filepath.Clean(path.Path)}
		}
		return names
	}
	f := Fault{Err: err}
	switch {
	case errors.Is(err, adapter.ErrNone):
		f.Reason = NoAdapter
	case errors.Is(err, adapter.ErrLost):
		f.Reason = AdapterLost
	case errors.Is(err, adapter.ErrMemory):
		f.Reason = AdapterMemory
	case isFull(err):
		f.Reason = DiskFull
	case errors.As(err, &given):
		f.Reason, f.Names = given.Reason, given.Names
	case errors.As(err, &told):
		code, names := told.Told()
		f.Reason, f.Names = ReasonOf(code), names
	case errors.As(err, &address):
		f.Reason = Offline
	case errors.Is(err, fs.ErrNotExist) && named() != nil:
		f.Reason, f.Names = NotFound, named()
	case errors.Is(err, fs.ErrPermission) && named() != nil:
		f.Reason, f.Names = NotPermitted, named()
	}
	return f
}
