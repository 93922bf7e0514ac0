package app

import (
	"errors"
	"syscall/js"

	"duet/model/checkpoint"
	"duet/model/data"
)

// openDefault opens the default model, which in the tab is a file beside the
// program: wasm/worker.js fetches it while the program compiles.
func openDefault() (*checkpoint.Model, error) {
	blob := js.Global().Get("duetModel")
	if !blob.Truthy() {
		return nil, errors.New("app: default-model.zip did not arrive: reload the page")
	}
	content := data.Blob{Value: blob}
	return checkpoint.OpenModelZip(content, content.Size(), defaultName)
}
