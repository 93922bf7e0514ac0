package tab

import (
	"sync"
	"syscall/js"

	"duet/app/ui"
)

// A shelf holds the Blobs that the page was given, by number. They take no
// memory here; the browser keeps what they stand for.
type shelf struct {
	mu    sync.Mutex
	blobs map[int]js.Value
	last  int
}

// add keeps a Blob and returns the file that stands for it.
func (s *shelf) add(path, name string, blob js.Value) ui.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs == nil {
		s.blobs = map[int]js.Value{}
	}
	s.last++
	s.blobs[s.last] = blob
	return ui.File{Name: name, Path: path, Handle: s.last}
}

// blob is the Blob of a file.
func (s *shelf) blob(f ui.File) js.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.blobs[f.Handle]; ok {
		return b
	}
	return js.Undefined()
}

// list gives files as window.duet takes them: [{path, blob}].
func (s *shelf) list(files []ui.File) js.Value {
	list := js.Global().Get("Array").New()
	for _, f := range files {
		list.Call("push", map[string]any{"path": f.Path, "blob": s.blob(f)})
	}
	return list
}
