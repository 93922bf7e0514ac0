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
	"sync"
	"syscall/js"

	"duet/gpu"
	"duet/model/report"
)

// A request is one message of the page.
type request struct {
	args  js.Value        // array
	given *given          // the files among them, or nil
	event func(v any)     // tells the page something before the answer
	ctx   context.Context // ends when the page no longer wants the answer
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
	"saved":    (*engine).savedStates,

	"benchList":    (*engine).benchList,
	"benchPrepare": (*engine).benchPrepare,
	"benchRun":     (*engine).benchRun,
	"benchDispose": (*engine).benchDispose,
}

func main() {
	e := &engine{opened: make(chan struct{})}
	// The callback must return at once: what waits for promises runs beside it.
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		message := args[0].Get("data")
		if id := message.Get("cancel"); id.Type() == js.TypeNumber {
			e.asked.cancel(id.Int())
			return nil
		}
		ctx := e.asked.begin(message.Get("id").Int())
		go e.serve(ctx, message, e.take(message.Get("args")))
		return nil
	}))
	post(map[string]any{"started": true})
	e.open(context.Background())
	select {} // messages keep coming
}

// asked are the requests that have no answer yet.
type asked struct {
	mu  sync.Mutex
	end map[int]context.CancelFunc // by id
}

// begin returns the context of a request.
func (a *asked) begin(id int) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.end == nil {
		a.end = map[int]context.CancelFunc{}
	}
	ctx, end := context.WithCancel(context.Background())
	a.end[id] = end
	return ctx
}

// cancel ends the context of a request, where it has not been answered.
func (a *asked) cancel(id int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if end := a.end[id]; end != nil {
		end()
		delete(a.end, id)
	}
}

// serve answers one message.
func (e *engine) serve(ctx context.Context, message js.Value, given *given) {
	id := message.Get("id")
	defer e.asked.cancel(id.Int())
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
		result, err = method(e, request{message.Get("args"), given, func(v any) { answer("event", toJS(v)) }, ctx})
	}
	if err != nil && ctx.Err() != nil {
		err = failure{Code: "cancelled", Message: "it was cancelled"}
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
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Reason  string   `json:"reason,omitempty"` // see report.Reason
	Names   []string `json:"names,omitempty"`
	cause   error
}

func (f failure) Error() string { return f.Message }
func (f failure) Unwrap() error { return f.cause }

// fail gives an error a code.
func fail(code string, err error) error { return failure{Code: code, Message: err.Error(), cause: err} }

func explain(err error) failure {
	fault := report.FaultOf(err)
	f := failure{Code: "failed", Message: err.Error(), Reason: fault.Reason.String(), Names: fault.Names}
	var coded failure
	switch {
	case errors.As(err, &coded):
		f.Code = coded.Code
	case errors.Is(err, gpu.ErrLost):
		f.Code = "lost"
	}
	return f
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
