package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"duet/model/checkpoint"
	"duet/model/train"
)

// A Keeper keeps what comes of a training: the best model so far, and the state
// that it goes on from. Both are replaced whole or not at all. [OnDisk] keeps
// them on disk, [Unkept] nowhere; in the tab they lie in the origin's private files.
type Keeper interface {
	SaveModel(m *Model) error
	SaveState(write func(io.Writer) error) error
	// OpenState opens the state saved last. Where there is none its error wraps
	// [fs.ErrNotExist].
	OpenState() (*checkpoint.File, error)
	// String names the state, for messages.
	String() string
}

// OnDisk keeps a training's model at a path, a folder or a .zip, and its state
// beside it.
type OnDisk string

// SaveModel implements [Keeper].
func (d OnDisk) SaveModel(m *Model) error { return m.Save(string(d)) }

// SaveState implements [Keeper].
func (d OnDisk) SaveState(write func(io.Writer) error) error {
	return checkpoint.WriteFile(d.String(), write)
}

// OpenState implements [Keeper].
func (d OnDisk) OpenState() (*checkpoint.File, error) { return checkpoint.OpenFile(d.String()) }

// String is the path of the state.
func (d OnDisk) String() string { return string(d) + ".state" }

// Unkept keeps nothing: the model is what [Train] returns, and a training that
// is interrupted is lost.
type Unkept struct{}

// SaveModel implements [Keeper].
func (Unkept) SaveModel(*Model) error { return nil }

// SaveState implements [Keeper].
func (Unkept) SaveState(func(io.Writer) error) error { return nil }

// OpenState implements [Keeper].
func (Unkept) OpenState() (*checkpoint.File, error) { return nil, fs.ErrNotExist }

func (Unkept) String() string { return "a state that is not kept" }

// saved is what the state's metadata holds.
type saved struct {
	State       train.State `json:"state"`
	Fingerprint string      `json:"fingerprint"` // of the settings and the data
}

const stateKey = "duet_state"

// readSaved reads the metadata of a state.
func readSaved(f *checkpoint.File) (s saved, err error) {
	if err = json.Unmarshal([]byte(f.Metadata()[stateKey]), &s); err == nil && s.Fingerprint == "" {
		err = errors.New("it lacks a fingerprint")
	}
	if err != nil {
		err = fmt.Errorf("it holds no training state: %w", err)
	}
	return s, err
}

// SavedState returns where the training stands that left a state, and whether
// there is one.
func SavedState(k Keeper) (train.State, bool) {
	f, err := k.OpenState()
	if err != nil {
		return train.State{}, false
	}
	defer f.Close()
	s, err := readSaved(f)
	return s.State, err == nil
}
