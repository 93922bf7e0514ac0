//go:build !js

package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duet/app"
	"duet/app/ui"
	"duet/model/checkpoint"
	"duet/model/config"

	"github.com/gofrs/flock"
)

// A Store is the folder of the models: one folder each, with the name that
// people gave it in a file beside its own, so that a model's folder is nothing
// but the model. What was removed waits in a folder of its own until the app ends.
type Store struct{ dir string }

const (
	nameSuffix   = ".name"
	jobSuffix    = ".job"
	stateSuffix  = ".state"
	lockFolder   = ".locks"
	windowsLock  = "windows"
	usedFile     = "used"
	sampleFolder = "sample"
	trashFolder  = ".removed"
)

// path is the place of a model.
func (s Store) path(id string) string { return filepath.Join(s.dir, id) }

// open opens a model's files.
func (s Store) open(id string) (*checkpoint.Model, error) {
	if id == "" || id == app.Default {
		return app.OpenFiles(app.Default)
	}
	return checkpoint.OpenModel(s.path(id))
}

// write writes a small file whole or not at all.
func (s Store) write(name, content string) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	return checkpoint.WriteFile(s.path(name), func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
}

// used is the id of the model used last.
func (s Store) used() string {
	content, err := os.ReadFile(s.path(usedFile))
	if err != nil {
		return app.Default
	}
	return strings.TrimSpace(string(content))
}

func (s Store) use(id string) error { return s.write(usedFile, id) }

func (s Store) name(id, name string) error { return s.write(id+nameSuffix, name) }

// free returns an id for a name that nothing has: its letters and digits.
func (s Store) free(name string) (string, error) {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return "", err
	}
	base := ui.PlainName(name)
	id := base
	for i := 2; ; i++ {
		taken, err := s.taken(id)
		if err != nil || !taken {
			return id, err
		}
		id = fmt.Sprintf("%s-%d", base, i)
	}
}

// taken tells whether an id is in use, or was that of a model that may come back.
func (s Store) taken(id string) (bool, error) {
	if id == app.Default || id == usedFile || id == sampleFolder {
		return true, nil
	}
	for _, path := range []string{id, id + nameSuffix, id + jobSuffix, id + stateSuffix, filepath.Join(trashFolder, id)} {
		if _, err := os.Lstat(s.path(path)); err == nil {
			return true, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}

// list lists the models, the embedded one first, then the newest. A folder that
// is no model is left out.
func (s Store) list() ([]ui.Model, error) {
	all := []ui.Model{}
	if m, err := s.describe(app.Default); err == nil {
		m.Embedded = true
		all = append(all, m)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if _, err := os.Lstat(s.path(e.Name() + jobSuffix)); err == nil {
			continue // it is still being trained
		}
		if m, err := s.describe(e.Name()); err == nil {
			all = append(all, m)
		}
	}
	if len(all) > 1 {
		slices.SortStableFunc(all[1:], func(a, b ui.Model) int { return b.Made.Compare(a.Made) })
	}
	return all, nil
}

func (s Store) describe(id string) (ui.Model, error) {
	files, err := s.open(id)
	if err != nil {
		return ui.Model{}, err
	}
	defer files.Close()
	c, err := config.Read(files, "config.json")
	if err != nil {
		return ui.Model{}, err
	}
	m := ui.Model{ID: id, Name: id}
	if m.Classes, err = c.Labels(); err != nil {
		return ui.Model{}, err
	}
	m.Card = app.Card(files)
	if id == app.Default {
		weights, err := fs.Stat(files, "model.safetensors")
		if err != nil {
			return ui.Model{}, err
		}
		m.Bytes = weights.Size()
		return m, nil
	}
	if name, err := os.ReadFile(s.path(id + nameSuffix)); err == nil {
		m.Name = string(name)
	}
	err = filepath.WalkDir(s.path(id), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			m.Bytes += info.Size()
			if info.ModTime().After(m.Made) {
				m.Made = info.ModTime()
			}
		}
		return err
	})
	return m, err
}

// trash takes a model away, with its name; restore brings it back.
func (s Store) trash(id string) error {
	if id == app.Default {
		return errors.New("the default model cannot be removed")
	}
	if err := os.MkdirAll(s.path(trashFolder), 0o777); err != nil {
		return err
	}
	if err := os.Rename(s.path(id), filepath.Join(s.path(trashFolder), id)); err != nil {
		return err
	}
	return ignoreAbsent(os.Rename(s.path(id+nameSuffix), filepath.Join(s.path(trashFolder), id+nameSuffix)))
}

func (s Store) restore(id string) error {
	if err := os.Rename(filepath.Join(s.path(trashFolder), id), s.path(id)); err != nil {
		return err
	}
	return ignoreAbsent(os.Rename(filepath.Join(s.path(trashFolder), id+nameSuffix), s.path(id+nameSuffix)))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// empty removes what was taken away.
func (s Store) empty() { os.RemoveAll(s.path(trashFolder)) }

// lock returns the lock of a name. It is held by a program until it ends.
func (s Store) lock(name string) *flock.Flock {
	os.MkdirAll(s.path(lockFolder), 0o777) // locking says why it cannot be
	return flock.New(filepath.Join(s.path(lockFolder), name))
}

// join takes part in the store until it is closed. The first of several windows
// empties the trash: later the others may still bring something back.
func (s Store) join() io.Closer {
	l := s.lock(windowsLock)
	if alone, err := l.TryLock(); alone && err == nil {
		s.empty()
		l.Unlock()
	}
	l.TryRLock() // where it cannot be, another window may empty the trash
	return l
}

// hold takes a training for this window until release; it is not free where
// another has it. Where the folder's file system has no locks it always is.
func (s Store) hold(id string) (release func(), free bool) {
	l := s.lock(id + jobSuffix)
	free, err := l.TryLock()
	return func() { l.Close() }, free || err != nil
}

// A job is what a training needs to go on after the program ended, beside the
// state that the training saves itself.
type job struct {
	Source ui.Source
	Setup  ui.Setup
	From   string // id of the model that it started from
}

func (s Store) keepJob(id string, j job) error {
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return s.write(id+jobSuffix, string(text))
}

func (s Store) job(id string) (j job, err error) {
	text, err := os.ReadFile(s.path(id + jobSuffix))
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	return j, err
}

// progress is how many steps the saved state of a training has, if there is one.
func (s Store) progress(id string) (steps int, ok bool) {
	state, ok := app.SavedState(app.OnDisk(s.path(id)))
	return state.Step, ok
}

// jobs lists the trainings that have not come to their end.
func (s Store) jobs() ([]ui.Job, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, ignoreAbsent(err)
	}
	var list []ui.Job
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), jobSuffix)
		if !ok {
			continue
		}
		if j, err := s.job(id); err == nil {
			steps, _ := s.progress(id)
			list = append(list, ui.Job{ID: id, Source: j.Source, Setup: j.Setup, Step: steps})
		}
	}
	return list, nil
}

// dropJob removes what a training that has ended no longer needs.
func (s Store) dropJob(id string) {
	os.Remove(s.path(id + jobSuffix))
	os.Remove(s.path(id + stateSuffix))
}

// discard gives an unfinished training up. A model that it had come to stays.
func (s Store) discard(id string) error {
	if j, err := s.job(id); err == nil {
		if _, err := os.Lstat(s.path(id)); err == nil {
			if err := s.name(id, j.Setup.Name); err != nil {
				return err
			}
		}
	}
	s.dropJob(id)
	return nil
}
