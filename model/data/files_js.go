package data

import (
	"context"
	"fmt"
	"io"
	"syscall/js"

	"duet/gpu/promise"
)

// Blob is a JavaScript Blob or File as [Contents]. Its reads wait for a
// promise, so they must not run inside a callback from JavaScript.
type Blob struct{ Value js.Value }

// Size is the blob's size in bytes.
func (b Blob) Size() int64 { return int64(b.Value.Get("size").Float()) }

// ReadAt reads a part of the blob.
func (b Blob) ReadAt(p []byte, off int64) (int, error) {
	size := b.Size()
	if off < 0 || off >= size {
		return 0, io.EOF
	}
	end := min(size, off+int64(len(p)))
	buffer, err := promise.Await(context.Background(), b.Value.Call("slice", float64(off), float64(end)).Call("arrayBuffer"))
	if err != nil {
		return 0, fmt.Errorf("data: reading a dropped file: %w", err)
	}
	n := js.CopyBytesToGo(p, js.Global().Get("Uint8Array").New(buffer))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
