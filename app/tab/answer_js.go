package tab

import (
	"encoding/json"
	"errors"
	"syscall/js"

	"duet/gpu/promise"
)

// codeOf is the code of a DuetError, or nothing.
func codeOf(err error) string {
	var e promise.Error
	errors.As(err, &e)
	return e.Code
}

// decode reads a value of plain data.
func decode(v js.Value, into any) error {
	text := js.Global().Get("JSON").Call("stringify", v)
	if text.Type() != js.TypeString {
		return errors.New("the engine gave no answer")
	}
	return json.Unmarshal([]byte(text.String()), into)
}
