//go:build !js

package view

import (
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"duet/app/ui"

	"gioui.org/app"
)

// drops takes files and words that are dropped on the window, which Gio does not.
type drops struct {
	send func(ui.Message)
	end  func() // nil: nothing is taken
}

func newDrops(send func(ui.Message)) *drops { return &drops{send: send} }

// attach follows the window, which may be a new one. Where nothing can be taken,
// files can still be chosen and typed.
func (d *drops) attach(e app.ViewEvent) {
	d.close()
	if e.Valid() {
		d.end = takeDrops(e, d.send)
	}
}

func (d *drops) close() {
	if d.end != nil {
		d.end()
		d.end = nil
	}
}

// maxDrop bounds the list of what is dropped, in bytes.
const maxDrop = 64 << 20

// filesAt are files by their paths.
func filesAt(paths []string) []ui.File {
	var files []ui.File
	for _, path := range paths {
		files = append(files, ui.File{Name: filepath.Base(path), Path: path})
	}
	return files
}

// dropList is a text/uri-list (RFC 2483) of files.
func dropList(list string) ui.Message { return ui.Drop{Files: filesAt(pathsOf(list))} }

// pathsOf are the paths in a text/uri-list; what is no file is left out.
func pathsOf(list string) (paths []string) {
	for line := range strings.Lines(list) {
		if u, err := url.Parse(strings.TrimSpace(line)); err == nil && u.Scheme == "file" && u.Path != "" {
			paths = append(paths, u.Path)
		}
	}
	return paths
}

// dropWords is a text that was dropped, in one line; nil where there is none.
func dropWords(text string) ui.Message {
	words := strings.Join(strings.Fields(text), " ")
	if words == "" || !utf8.ValidString(words) {
		return nil
	}
	return ui.DropText{Text: words}
}
