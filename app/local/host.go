//go:build !js

package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duet/app"
	"duet/app/ui"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/report"

	"github.com/adrg/xdg"
	"github.com/disintegration/imaging"
)

// Folders are where the app keeps things.
type Folders struct {
	Models    string // one folder each
	Settings  string
	Downloads string // what is written for the user
}

// UserFolders are those of the user, by the XDG base directories (and what they
// mean on other systems).
func UserFolders() Folders {
	return Folders{filepath.Join(xdg.DataHome, "duet", "models"), filepath.Join(xdg.ConfigHome, "duet"), cmp.Or(xdg.UserDirs.Download, xdg.Home)}
}

// A Host reads and writes files on this machine. It implements [ui.Host].
type Host struct{ Folders }

func (h Host) prefsFile() string { return filepath.Join(h.Settings, "settings.json") }

// Prefs reads the settings; the zero ones where there are none.
func (h Host) Prefs() (p ui.Prefs) {
	content, err := os.ReadFile(h.prefsFile())
	if err != nil || json.Unmarshal(content, &p) != nil {
		return ui.Prefs{}
	}
	return p
}

// KeepPrefs stores the settings.
func (h Host) KeepPrefs(p ui.Prefs) error {
	if err := os.MkdirAll(h.Settings, 0o777); err != nil {
		return err
	}
	return checkpoint.WriteFile(h.prefsFile(), func(w io.Writer) error { return json.NewEncoder(w).Encode(p) })
}

// freePath is a path in dir, which is made if need be, that nothing has yet.
func freePath(dir, name string) string {
	ext := filepath.Ext(name)
	os.MkdirAll(dir, 0o777) // what is written there says why it cannot be
	path := filepath.Join(dir, name)
	for i := 2; ; i++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), i, ext))
	}
}

// Save writes a file among the downloads.
func (h Host) Save(_ context.Context, name string, content []byte) (string, error) {
	path := freePath(h.Downloads, name)
	return path, checkpoint.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Read looks for pictures in files and folders. A text file of the same stem
// gives a picture its words, or else what the picture says about itself. What
// cannot be read is counted; it is an error only where there is nothing else. A
// model counts where it was given itself, not where it lies in a folder.
func (Host) Read(ctx context.Context, files []ui.File) (read ui.FilesRead, err error) {
	var failed error
	skip := func(err error) {
		read.Skipped++
		failed = cmp.Or(failed, err)
	}
	add := func(path string) {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			skip(err)
			return
		}
		if app.KindOf(path) != data.KindPicture {
			if !strings.EqualFold(filepath.Ext(path), ".txt") {
				read.Skipped++
			}
			return
		}
		x := ui.Item{File: ui.File{Name: filepath.Base(path), Path: path}}
		if words := sidecar(path); words != "" {
			x.Caption, x.From = words, ui.Sidecar
		} else if words := embedded(path); words != "" {
			x.Caption, x.From = words, ui.Embedded
		}
		read.Items = append(read.Items, x)
	}
	for _, f := range files {
		path := f.Path
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real // WalkDir does not follow its root
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			skip(report.Because(fmt.Errorf("there is no file or folder %s", path), report.NotFound, path))
		case err != nil:
			skip(err)
		case app.KindOf(path) == app.KindModel:
			read.Model = &ui.File{Name: filepath.Base(path), Path: path}
		case !info.IsDir():
			add(path)
		default:
			isEmpty := true
			filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
				switch {
				case ctx.Err() != nil:
					return ctx.Err()
				case err != nil:
					isEmpty = false
					skip(err)
					if e != nil && e.IsDir() {
						return fs.SkipDir
					}
				case !e.IsDir() && !strings.HasPrefix(e.Name(), "."):
					isEmpty = false
					add(path)
				}
				return nil
			})
			if isEmpty {
				failed = cmp.Or(failed, report.Because(fmt.Errorf("there is no file in the folder %s", path), report.EmptyFolder, f.Name))
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return read, err
	}
	if len(read.Items) == 0 && read.Model == nil && failed != nil {
		return read, failed
	}
	slices.SortStableFunc(read.Items, func(a, b ui.Item) int { return strings.Compare(a.File.Path, b.File.Path) })
	return read, nil
}

// maxSidecar bounds the words that are read from a text file.
const maxSidecar = 8 << 10

// sidecar returns the words in a picture's text file, or none.
func sidecar(path string) string {
	name := strings.TrimSuffix(path, filepath.Ext(path)) + ".txt"
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSidecar))
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(content), "�")), " ")
}

// embedded returns what a picture says about itself, or nothing.
func embedded(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	return data.Description(f)
}

// Thumbnail decodes a picture, upright, not larger than side.
func Thumbnail(f ui.File, side int) (image.Image, error) {
	m, err := data.DecodeFile(f.Path, 0)
	if err != nil {
		return nil, err
	}
	return imaging.Fit(m.Upright(), side, side, imaging.Linear), nil
}

var _ ui.Host = Host{}
