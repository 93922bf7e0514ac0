package tab

import (
	"context"
	"syscall/js"

	"duet/app/ui"
	"duet/gpu/promise"
)

// noEngine is why the engine did not start, with its code (wasm/duet.d.ts).
type noEngine struct {
	error
	code string
}

// Code is for the views, which have words for it.
func (e noEngine) Code() string  { return e.code }
func (e noEngine) Unwrap() error { return e.error }

// Storage says what room the browser gives the page.
func (Host) Storage(ctx context.Context) (s ui.Storage, err error) {
	v, err := promise.Await(ctx, js.Global().Get("duetStore").Call("room"))
	if err != nil {
		return s, err
	}
	return s, decode(v, &s)
}

// Persist asks the browser to keep what is stored.
func (Host) Persist(ctx context.Context) (s ui.Storage, err error) {
	v, err := promise.Await(ctx, js.Global().Get("duetStore").Call("persist"))
	if err != nil {
		return s, err
	}
	return s, decode(v, &s)
}

// TakeVersion loads the page anew with the version that has come (wasm/offline.js).
func (Host) TakeVersion(ctx context.Context) (bool, error) {
	v, err := promise.Await(ctx, js.Global().Call("duetTakeNew"))
	return err == nil && v.Truthy(), err
}

// watch passes on what is sent and that a new version has come, by functions
// that wasm/app.js calls.
func (Host) watch(send func(ui.Message)) {
	traffic := func(js.Value, []js.Value) any {
		var t ui.Traffic
		if decode(js.Global().Call("duetTraffic"), &t) == nil {
			send(ui.SawTraffic{Traffic: t})
		}
		return nil
	}
	came := func(js.Value, []js.Value) any {
		send(ui.CameVersion{})
		return nil
	}
	js.Global().Set("duetSawTraffic", js.FuncOf(traffic))
	js.Global().Set("duetNewVersion", js.FuncOf(came))
	traffic(js.Undefined(), nil)
	if js.Global().Get("duetNew").Truthy() {
		came(js.Undefined(), nil)
	}
}
