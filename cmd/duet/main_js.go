// Command duet, compiled for the browser, is the engine of the tab: it runs in
// a dedicated worker (wasm/worker.js), opens the best adapter and answers what
// the page asks by messages. wasm/duet.js is the other end and documents them.
//
// Each method is a function of the engine with a line in [methods]; to add one,
// write it in engine_js.go and give it a line there and a function in duet.js.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"duet/gpu"
)

// A request is one message of the page.
type request struct {
	args  js.Value    // array
	event func(v any) // tells the page something before the answer
	ctx   context.Context
}

// arg returns an argument, undefined where there is none.
func (r request) arg(i int) js.Value {
	if r.args.Type() != js.TypeObject {
		return js.Undefined()
	}
	return r.args.Index(i)
}

// methods lists what the page may ask for. A result is a js.Value or becomes JSON.
var methods = map[string]func(*engine, request) (any, error){
	"info":     (*engine).info,
	"classify": (*engine).classify,
	"train":    (*engine).train,
	"stop":     (*engine).stop,
	"evaluate": (*engine).evaluate,
	"load":     (*engine).load,
	"export":   (*engine).export,
	"check":    (*engine).check,
	"estimate": (*engine).estimate,
	"inspect":  (*engine).inspect,
	"sample":   (*engine).sample,

	"benchList":    (*engine).benchList,
	"benchPrepare": (*engine).benchPrepare,
	"benchRun":     (*engine).benchRun,
	"benchDispose": (*engine).benchDispose,
}

func main() {
	e := &engine{opened: make(chan struct{})}
	// The callback must return at once: what waits for promises runs beside it.
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		go e.serve(args[0].Get("data"))
		return nil
	}))
	post(map[string]any{"started": true})
	e.open(context.Background())
	select {} // messages keep coming
}

// serve answers one message.
func (e *engine) serve(message js.Value) {
	id := message.Get("id")
	answer := func(key string, v js.Value) { post(map[string]any{"id": id, key: v}) }
	defer func() {
		if r := recover(); r != nil {
			answer("error", toJS(failure{Code: "internal", Message: fmt.Sprintf("the engine failed: %v", r)}))
			panic(r) // the console shows the stack; the worker ends
		}
	}()
	method, ok := methods[message.Get("method").String()]
	if !ok {
		answer("error", toJS(failure{Code: "internal", Message: "no method " + message.Get("method").String()}))
		return
	}
	<-e.opened
	result, err := any(nil), e.fault
	if err == nil {
		result, err = method(e, request{message.Get("args"), func(v any) { answer("event", toJS(v)) }, context.Background()})
	}
	if err != nil {
		answer("error", toJS(explain(err)))
		return
	}
	answer("result", toJS(result))
}

// A failure is an error as the page gets it. Codes are stable, messages are for
// people.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	cause   error
}

func (f failure) Error() string { return f.Message }
func (f failure) Unwrap() error { return f.cause }

// fail gives an error a code.
func fail(code string, err error) error { return failure{code, err.Error(), err} }

func explain(err error) failure {
	var f failure
	switch {
	case errors.As(err, &f):
		return failure{Code: f.Code, Message: err.Error()}
	case errors.Is(err, gpu.ErrLost):
		return failure{Code: "lost", Message: err.Error()}
	}
	return failure{Code: "failed", Message: err.Error()}
}

// toJS turns a value into JavaScript's by way of JSON, unless it is already.
func toJS(v any) js.Value {
	if v, ok := v.(js.Value); ok {
		return v
	}
	text, err := json.Marshal(v)
	if err != nil { // results are plain data; NaN is not JSON
		text, _ = json.Marshal(map[string]string{"unprintable": err.Error()})
	}
	return js.Global().Get("JSON").Call("parse", string(text))
}

func post(message map[string]any) { js.Global().Call("postMessage", message) }
