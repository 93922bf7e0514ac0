package tab

import (
	"bytes"
	"encoding/json"
	"syscall/js"

	"duet/app/view"
)

// Mirror returns a function that shows the page what is on the canvas
// (wasm/mirror.js), where it has changed.
func Mirror() func(view.Mirror) {
	var last []byte
	return func(m view.Mirror) {
		text, err := json.Marshal(m)
		if err != nil || bytes.Equal(text, last) {
			return
		}
		last = text
		js.Global().Call("duetMirror", string(text))
	}
}
