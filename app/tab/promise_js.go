package tab

import (
	"context"
	"encoding/json"
	"errors"
	"syscall/js"
)

// await waits for a promise. Where the context ends first it returns the
// context's error; what the promise comes to is then not wanted.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	var kept, rejected js.Func
	release := func() {
		kept.Release()
		rejected.Release()
	}
	kept = js.FuncOf(func(_ js.Value, args []js.Value) any {
		defer release()
		done <- outcome{value: first(args)}
		return nil
	})
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		defer release()
		done <- outcome{err: failure(first(args))}
		return nil
	})
	promise.Call("then", kept, rejected)
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// A failed is what a promise was rejected with: a DuetError (wasm/duet.js) has a
// code, others have none.
type failed struct{ code, message string }

func (f failed) Error() string { return f.message }

func failure(v js.Value) error {
	if v.Type() != js.TypeObject || v.Get("message").Type() != js.TypeString {
		return failed{message: js.Global().Get("String").Invoke(v).String()}
	}
	f := failed{message: v.Get("message").String()}
	if code := v.Get("code"); code.Type() == js.TypeString {
		f.code = code.String()
	}
	return f
}

// codeOf is the code of a DuetError, or nothing.
func codeOf(err error) string {
	var f failed
	errors.As(err, &f)
	return f.code
}

// decode reads a value of plain data.
func decode(v js.Value, into any) error {
	text := js.Global().Get("JSON").Call("stringify", v)
	if text.Type() != js.TypeString {
		return errors.New("the engine gave no answer")
	}
	return json.Unmarshal([]byte(text.String()), into)
}
