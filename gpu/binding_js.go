package gpu

import (
	"errors"
	"fmt"
	"syscall/js"
)

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
