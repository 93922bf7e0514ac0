package gpu

import (
	"errors"
	"strings"
	"syscall/js"
	"testing"
)

func openForTest(t *testing.T) *Device {
	t.Helper()
	d, err := Open(t.Context(), Options{})
	if err != nil {
		t.Skip(err) // TestInTab fails on any skipped test
	}
	t.Cleanup(d.Close)
	return d
}

func TestLost(t *testing.T) {
	d := openForTest(t)
	b, err := d.NewBuffer("b", 256)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Compile(&Program{Name: "empty"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.handle.device.Call("destroy")
	// The loss may take an event to arrive; from then on every call says so.
	err = b.Read(0, make([]byte, 16))
	if err == nil {
		err = b.Read(0, make([]byte, 16))
	}
	for name, err := range map[string]error{"read": err, "write": b.Write(0, make([]byte, 16)), "run": e.Run(t.Context()), "wait": d.Wait(t.Context())} {
		if !errors.Is(err, ErrLost) {
			t.Errorf("%s after the loss: %v", name, err)
		}
	}
	t.Log(err)
}

func TestUncapturedError(t *testing.T) {
	d := openForTest(t)
	b, err := d.NewBuffer("b", 256)
	if err != nil {
		t.Fatal(err)
	}
	m := b.(*deviceBuffer)
	encoder := d.handle.device.Call("createCommandEncoder")
	encoder.Call("copyBufferToBuffer", m.buffer, 0, m.buffer, 0, 256) // onto itself
	d.queue.Call("submit", list(encoder.Call("finish")))
	err = b.Read(0, make([]byte, 16))
	if err == nil {
		err = b.Read(0, make([]byte, 16))
	}
	if err == nil || errors.Is(err, ErrLost) {
		t.Errorf("after an invalid command: %v", err)
	}
	t.Log(err)
	// The browser tells of the copy and of the submit that held it, and the
	// second may arrive after the first was reported; then all is well again.
	err = b.Read(0, make([]byte, 16))
	if err != nil {
		t.Log(err)
		err = b.Read(0, make([]byte, 16))
	}
	if err != nil {
		t.Errorf("both errors were reported, then: %v", err)
	}
}

func TestOutOfMemory(t *testing.T) {
	d := openForTest(t)
	d.info.Limits.BufferSize = 1 << 40 // let the browser refuse
	before := d.Allocated()
	_, err := d.NewBuffer("huge", 1<<38)
	if err == nil || !strings.Contains(err.Error(), "huge (256 GiB)") {
		t.Errorf("a buffer of 256 GiB: %v", err)
	}
	t.Log(err)
	if after := d.Allocated(); after != before && after.Total() != before.Total() {
		t.Errorf("a failed allocation is counted: %+v", after)
	}
	if _, err := d.NewBuffer("small", 256); err != nil {
		t.Errorf("after a failed allocation: %v", err)
	}
}

func TestNoWebGPU(t *testing.T) {
	openForTest(t)
	object, navigator := js.Global().Get("Object"), js.Global().Get("navigator")
	hide := func(target js.Value, name string, value any) {
		object.Call("defineProperty", target, name, map[string]any{"value": value, "configurable": true})
		t.Cleanup(func() { js.Global().Get("Reflect").Call("deleteProperty", target, name) })
	}
	hide(navigator, "gpu", js.Undefined())
	if _, err := Open(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "no WebGPU") {
		t.Errorf("without navigator.gpu: %v", err)
	}
	hide(js.Global(), "isSecureContext", false)
	if _, err := Open(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("in an insecure context: %v", err)
	}
	null := js.Global().Get("Promise").Call("resolve", js.Null())
	request := js.FuncOf(func(js.Value, []js.Value) any { return null })
	defer request.Release()
	hide(navigator, "gpu", map[string]any{"requestAdapter": request})
	if _, err := Open(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "no adapter") {
		t.Errorf("without an adapter: %v", err)
	}
}
