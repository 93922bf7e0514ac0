package tab

import (
	"path"
	"syscall/js"

	"duet/app/ui"
)

// A handle is a file's Blob. It takes no memory here, the browser keeps what it
// stands for, until nothing refers to the handle any more.
type handle struct{ blob js.Value }

// fileOf is the file that stands for a Blob.
func fileOf(name string, blob js.Value) ui.File {
	return ui.File{Name: path.Base(name), Path: name, Handle: &handle{blob}}
}

// blobOf is the Blob of a file, or undefined.
func blobOf(f ui.File) js.Value {
	if h, ok := f.Handle.(*handle); ok {
		return h.blob
	}
	return js.Undefined()
}

// listOf gives files as window.duet takes them: [{path, blob}].
func listOf(files []ui.File) js.Value {
	list := js.Global().Get("Array").New()
	for _, f := range files {
		list.Call("push", map[string]any{"path": f.Path, "blob": blobOf(f)})
	}
	return list
}
