package gpu

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
)

// await waits for a promise in the calling goroutine, which must not be one
// that JavaScript waits for (a js.FuncOf callback).
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	var resolve, reject js.Func
	resolve = js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{value: first(args)}
		resolve.Release()
		reject.Release()
		return nil
	})
	reject = js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- outcome{err: errors.New(message(first(args)))}
		resolve.Release()
		reject.Release()
		return nil
	})
	promise.Call("then", resolve, reject)
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

// message returns the text of a JavaScript error, or whatever it is instead.
func message(e js.Value) string {
	if e.Type() == js.TypeObject {
		if m := e.Get("message"); m.Type() == js.TypeString && m.String() != "" {
			return m.String()
		}
	}
	return js.Global().Get("String").Invoke(e).String()
}

// try calls f and returns what JavaScript throws as an error.
func try(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = errors.New(message(e.Value))
		}
	}()
	f()
	return nil
}

// text returns a string property, or "" where there is none.
func text(v js.Value, name string) string {
	if s := v.Get(name); s.Type() == js.TypeString {
		return s.String()
	}
	return ""
}

// list returns a JavaScript array of values.
func list(values ...any) js.Value { return js.Global().Get("Array").Call("of", values...) }

// number returns a numeric property that fits an int64.
func number(v js.Value, name string) int64 {
	f := v.Get(name)
	if f.Type() != js.TypeNumber {
		return 0
	}
	return int64(min(f.Float(), 1<<53))
}

// gpuObject returns navigator.gpu, or an error that says why there is none.
func gpuObject() (js.Value, error) {
	global := js.Global()
	if navigator := global.Get("navigator"); navigator.Truthy() {
		if gpu := navigator.Get("gpu"); gpu.Truthy() {
			return gpu, nil
		}
	}
	if secure := global.Get("isSecureContext"); secure.Type() == js.TypeBoolean && !secure.Bool() {
		return js.Undefined(), errors.New("WebGPU is off because this page came over an insecure connection: open it by https:// or from http://localhost")
	}
	return js.Undefined(), fmt.Errorf("this browser has no WebGPU: use a current Chrome, Edge, Safari or Firefox")
}
