package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall/js"
	"time"

	"duet/app"
	"duet/gpu/promise"
	"duet/model/checkpoint"
	"duet/model/data"
)

// inMemory keeps the model as a Blob, and no state.
type inMemory struct {
	app.Unkept
	model js.Value // Blob, or undefined
}

// SaveModel implements [app.Keeper].
func (k *inMemory) SaveModel(m *app.Model) error {
	blob, err := newBlob("application/zip", m.WriteZip)
	if err == nil {
		k.model = blob
	}
	return err
}

// blob is the model, or undefined.
func (k *inMemory) blob() (js.Value, error) { return k.model, nil }

// A jobFolder keeps model and state in a job's folder of the origin's private
// file system, which wasm/jobs.js lays out. Where there is no room the training
// goes on without them.
type jobFolder struct {
	inMemory
	id           string
	state, zip   *checkpoint.Pair
	withoutState func(error) // told when the state cannot be saved
}

// openJob opens the folder of a job.
func openJob(ctx context.Context, id string) (*jobFolder, error) {
	folder, err := promise.Await(ctx, js.Global().Get("navigator").Get("storage").Call("getDirectory"))
	for _, name := range []string{"jobs", id} {
		if err == nil {
			folder, err = promise.Await(ctx, folder.Call("getDirectoryHandle", name))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the training %s: %w", id, err)
	}
	pair := func(name string) *checkpoint.Pair {
		return checkpoint.NewPair(slot{folder, name + "-0"}, slot{folder, name + "-1"})
	}
	return &jobFolder{inMemory: inMemory{model: js.Undefined()}, id: id, state: pair("state"), zip: pair("model"), withoutState: func(error) {}}, nil
}

// SaveModel implements [app.Keeper].
func (k *jobFolder) SaveModel(m *app.Model) error {
	err := k.zip.Write(m.WriteZip)
	if errors.As(err, new(notStored)) {
		return k.inMemory.SaveModel(m)
	}
	if err == nil {
		k.model = js.Undefined()
	}
	return err
}

// SaveState implements [app.Keeper].
func (k *jobFolder) SaveState(write func(io.Writer) error) error {
	err := k.state.Write(write)
	if errors.As(err, new(notStored)) {
		k.withoutState(err)
		return nil
	}
	return err
}

// OpenState implements [app.Keeper].
func (k *jobFolder) OpenState() (*checkpoint.File, error) {
	r, err := k.state.Open()
	if err != nil {
		return nil, err
	}
	return checkpoint.Open(r, r.Size())
}

func (k *jobFolder) String() string { return "the training " + k.id }

// blob is a copy of the model, which outlives the job, or undefined.
func (k *jobFolder) blob() (js.Value, error) {
	if k.model.Truthy() {
		return k.model, nil
	}
	r, err := k.zip.Open()
	if errors.Is(err, fs.ErrNotExist) {
		return js.Undefined(), nil
	}
	if err != nil {
		return js.Undefined(), err
	}
	return newBlob("application/zip", func(w io.Writer) error {
		_, err := io.CopyBuffer(w, struct{ io.Reader }{r}, make([]byte, 1<<20))
		return err
	})
}

// A slot is a file of a folder of the origin's private file system.
type slot struct {
	folder js.Value
	name   string
}

// notStored is the error of a write that the browser's storage refused.
type notStored struct{ error }

func (e notStored) Unwrap() error { return e.error }

// nameOf is the name of the JavaScript error in err, or "".
func nameOf(err error) string {
	var e promise.Error
	errors.As(err, &e)
	return e.Name
}

// Read implements [checkpoint.Slot].
func (s slot) Read() (io.ReaderAt, int64, error) {
	ctx := context.Background()
	file, err := promise.Await(ctx, s.folder.Call("getFileHandle", s.name))
	if err == nil {
		file, err = promise.Await(ctx, file.Call("getFile"))
	}
	switch {
	case nameOf(err) == "NotFoundError":
		return nil, 0, fmt.Errorf("%s: %w", s.name, fs.ErrNotExist)
	case err != nil:
		return nil, 0, fmt.Errorf("%s: %w", s.name, err)
	}
	content := data.Blob{Value: file}
	return content, content.Size(), nil
}

// Write implements [checkpoint.Slot]. A worker that was ended a moment ago may
// still hold the file.
func (s slot) Write() (checkpoint.SlotWriter, error) {
	ctx := context.Background()
	file, err := promise.Await(ctx, s.folder.Call("getFileHandle", s.name, map[string]any{"create": true}))
	if err != nil {
		return nil, notStored{err}
	}
	access, err := promise.Await(ctx, file.Call("createSyncAccessHandle"))
	for tries := 0; nameOf(err) == "NoModificationAllowedError" && tries < 20; tries++ {
		time.Sleep(100 * time.Millisecond)
		access, err = promise.Await(ctx, file.Call("createSyncAccessHandle"))
	}
	if err != nil {
		return nil, notStored{err}
	}
	w := slotWriter{access}
	if err := try(func() { access.Call("truncate", 0) }); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// try calls f; what it throws is that nothing was stored.
func try(f func()) error {
	if err := promise.Try(f); err != nil {
		return notStored{err}
	}
	return nil
}

// A slotWriter is a FileSystemSyncAccessHandle.
type slotWriter struct{ access js.Value }

func (w slotWriter) WriteAt(p []byte, at int64) (n int, err error) {
	array := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(array, p)
	err = try(func() { n = w.access.Call("write", array, map[string]any{"at": float64(at)}).Int() })
	if err == nil && n < len(p) {
		err = notStored{errors.New("there is no room in the browser's storage")}
	}
	return n, err
}

func (w slotWriter) Sync() error  { return try(func() { w.access.Call("flush") }) }
func (w slotWriter) Close() error { return try(func() { w.access.Call("close") }) }

// savedStates tells how many steps the states of jobs have: for each id
// {step, done}, or null where there is no state.
func (e *engine) savedStates(r request) (any, error) {
	ids := r.arg(0)
	states := js.Global().Get("Array").New()
	for i := range ids.Length() {
		var state any // null
		if job, err := openJob(r.ctx, ids.Index(i).String()); err == nil {
			if s, ok := app.SavedState(job); ok {
				state = map[string]any{"step": s.Step, "done": s.Done}
			}
		}
		states.Call("push", state)
	}
	return states, nil
}
