package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall/js"

	"duet/model/data"
)

// isBlob reports whether v is a Blob or a File.
func isBlob(v js.Value) bool {
	return v.Type() == js.TypeObject && v.InstanceOf(js.Global().Get("Blob"))
}

// blobName is the name of a File, empty for a Blob.
func blobName(v js.Value) string {
	if name := v.Get("name"); name.Type() == js.TypeString {
		return name.String()
	}
	return ""
}

// newBlob makes a Blob of what write gives; only a part of it is ever in the
// memory of this program.
func newBlob(kind string, write func(io.Writer) error) (js.Value, error) {
	parts := parts{js.Global().Get("Array").New()}
	buffered := bufio.NewWriterSize(parts, 1<<20)
	if err := write(buffered); err != nil {
		return js.Undefined(), err
	}
	if err := buffered.Flush(); err != nil {
		return js.Undefined(), err
	}
	return js.Global().Get("Blob").New(parts.list, map[string]any{"type": kind}), nil
}

// parts collects what is written as Blobs, which the browser may move to disk.
type parts struct{ list js.Value }

func (p parts) Write(data []byte) (int, error) {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	p.list.Call("push", js.Global().Get("Blob").New([]any{array}))
	return len(data), nil
}

// options decodes an argument of plain data; unknown names are errors.
func options(v js.Value, into any) error {
	if v.IsUndefined() || v.IsNull() {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(js.Global().Get("JSON").Call("stringify", v).String()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fail("options", fmt.Errorf("the options: %s", strings.TrimPrefix(err.Error(), "json: ")))
	}
	return nil
}

// dropped turns an array of {path, blob} into a file system and the place of
// the collection in it: the one file or folder that was given, or everything. A
// zip counts as the folder it holds.
func dropped(list js.Value) (files fs.FS, name string, err error) {
	if list.Type() != js.TypeObject || list.Length() == 0 {
		return nil, "", fail("files", errors.New("no files were given"))
	}
	all := data.MapFS{}
	top := ""
	for i := range list.Length() {
		name := path.Clean(strings.TrimLeft(list.Index(i).Get("path").String(), "/"))
		blob := list.Index(i).Get("blob")
		if !isBlob(blob) || !fs.ValidPath(name) || name == "." {
			return nil, "", fail("files", fmt.Errorf("file %d (%q) is not a file with a relative path", i+1, name))
		}
		all[name] = data.Blob{Value: blob}
		first, _, _ := strings.Cut(name, "/")
		if i > 0 && first != top {
			first = "."
		}
		top = first
	}
	if len(all) == 1 && strings.EqualFold(path.Ext(top), ".zip") {
		return unzip(all[top], top)
	}
	return all, top, nil
}

// unzip opens a zip of a collection.
func unzip(blob data.Contents, name string) (fs.FS, string, error) {
	archive, err := zip.NewReader(blob, blob.Size())
	if err != nil {
		return nil, "", fail("files", fmt.Errorf("%s: %w", name, err))
	}
	inside, err := fs.ReadDir(archive, ".")
	if err == nil && len(inside) == 1 {
		return archive, inside[0].Name(), nil
	}
	return archive, ".", nil
}

// memoryFile is a file system of one file.
func memoryFile(name string, content []byte) fs.FS { return data.MapFS{name: bytes.NewReader(content)} }
