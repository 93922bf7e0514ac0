package data

import (
	"fmt"
	"io"
	"syscall/js"
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
	buffer, err := await(b.Value.Call("slice", float64(off), float64(end)).Call("arrayBuffer"))
	if err != nil {
		return 0, fmt.Errorf("data: reading a dropped file: %w", err)
	}
	n := js.CopyBytesToGo(p, js.Global().Get("Uint8Array").New(buffer))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	resolved := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{value: args[0]}
		return nil
	})
	rejected := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{err: fmt.Errorf("%s", args[0].Call("toString").String())}
		return nil
	})
	defer resolved.Release()
	defer rejected.Release()
	promise.Call("then", resolved, rejected)
	o := <-done
	return o.value, o.err
}
