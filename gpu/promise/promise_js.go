package promise

import (
	"context"
	"syscall/js"
)

// An Error is what a promise was rejected with, or what was thrown.
type Error struct {
	Name    string // such as QuotaExceededError; "" where it was no error
	Code    string // where it has one that is a text
	Message string

	reason string // of a DuetError, in wasm/duet.d.ts
	names  []string
}

// Told is the reason that the engine's worker gave, and what it names; "" where
// it gave none.
func (e Error) Told() (reason string, names []string) {
	if e.Name == "QuotaExceededError" {
		return "disk-full", nil
	}
	return e.reason, e.names
}

func (e Error) Error() string { return e.Message }

// ErrorOf reads a JavaScript error, or whatever it is instead.
func ErrorOf(v js.Value) Error {
	if v.Type() == js.TypeObject {
		e := Error{Name: text(v, "name"), Code: text(v, "code"), Message: text(v, "message"), reason: text(v, "reason")}
		if names := v.Get("names"); e.reason != "" && names.Type() == js.TypeObject {
			for i := range names.Length() {
				e.names = append(e.names, names.Index(i).String())
			}
		}
		if e.Message != "" {
			return e
		}
	}
	return Error{Message: js.Global().Get("String").Invoke(v).String()}
}

func text(v js.Value, name string) string {
	if s := v.Get(name); s.Type() == js.TypeString {
		return s.String()
	}
	return ""
}

// Await waits for a promise in the calling goroutine, which must not be one
// that JavaScript waits for (a js.FuncOf callback). Where the context ends first
// it returns the context's error; what the promise comes to is then not wanted.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	var resolved, rejected js.Func
	end := func(o outcome) any {
		done <- o
		resolved.Release()
		rejected.Release()
		return nil
	}
	resolved = js.FuncOf(func(_ js.Value, args []js.Value) any { return end(outcome{value: First(args)}) })
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any { return end(outcome{err: ErrorOf(First(args))}) })
	promise.Call("then", resolved, rejected)
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// First is the first argument of a callback, undefined where it has none.
func First(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// Try calls f and returns what JavaScript throws as an error.
func Try(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = ErrorOf(e.Value)
		}
	}()
	f()
	return nil
}
