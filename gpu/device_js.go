package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"duet/gpu/promise"
)

// handle is the browser's GPUDevice. The browser's objects are used directly:
// the Go binding drops limits, adapter info and error scopes here.
type handle struct {
	device    js.Value
	queue     js.Value
	pipelines js.Value // GPUComputePipeline[], by pipeline.index
	replay    js.Value // the function of wasm/replay.js, or undefined
	scratch   js.Value // Uint8Array through which bytes pass
	layouts   map[string]js.Value
	sent      uint64
	completed uint64 // submissions known to be done
	wake      chan struct{}
	onDone    js.Func
	onError   js.Func
	onLost    js.Func
}

// raised are the limits asked for at the adapter's best.
var raised = []string{
	"maxStorageBufferBindingSize", "maxBufferSize", "maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize",
	"maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY", "maxComputeWorkgroupsPerDimension",
}

func open(ctx context.Context, o Options) (handle, Info, error) {
	adapter, info, err := choose(ctx, o.Adapter)
	if err != nil {
		return handle{}, Info{}, err
	}
	limits := map[string]any{}
	if !o.DefaultLimits {
		for _, name := range raised {
			if l := adapter.Get("limits").Get(name); l.Type() == js.TypeNumber {
				limits[name] = l
			}
		}
	}
	device, err := promise.Await(ctx, adapter.Call("requestDevice", map[string]any{"requiredLimits": limits}))
	if err != nil {
		return handle{}, Info{}, fmt.Errorf("adapter %s: %w", info.Name, err)
	}
	info.Limits = limitsOf(device.Get("limits"))
	return handle{
		device:    device,
		queue:     device.Get("queue"),
		pipelines: list(),
		replay:    js.Global().Get("duetReplay"),
		layouts:   map[string]js.Value{},
		wake:      make(chan struct{}, 1),
	}, info, nil
}

// requests are the ways to ask for an adapter, best first.
var requests = []map[string]any{
	{"powerPreference": "high-performance"},
	{"powerPreference": "low-power"},
	{"forceFallbackAdapter": true},
}

// choose returns the first adapter that matches what is wanted.
func choose(ctx context.Context, wanted string) (js.Value, Info, error) {
	gpu, err := gpuObject()
	if err != nil {
		return js.Undefined(), Info{}, err
	}
	var names []string
	for _, r := range requests {
		adapter, err := promise.Await(ctx, gpu.Call("requestAdapter", r))
		if err != nil {
			return js.Undefined(), Info{}, err
		}
		if !adapter.Truthy() {
			continue
		}
		info := describe(adapter)
		if info.matches(wanted) {
			return adapter, info, nil
		}
		names = append(names, fmt.Sprintf("%s (%s)", info.Name, info.Class))
	}
	if names == nil {
		return js.Undefined(), Info{}, errors.New("the browser has WebGPU but offers no adapter: the graphics driver may be missing or blocked (see chrome://gpu)")
	}
	return js.Undefined(), Info{}, fmt.Errorf("no adapter matches %q; there are: %s", wanted, strings.Join(names, ", "))
}

func adapters(ctx context.Context) ([]Info, error) {
	gpu, err := gpuObject()
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, r := range requests {
		adapter, err := promise.Await(ctx, gpu.Call("requestAdapter", r))
		if err != nil {
			return nil, err
		}
		if !adapter.Truthy() {
			continue
		}
		info := describe(adapter)
		known := false
		for _, other := range all {
			known = known || other.Name == info.Name
		}
		if !known {
			all = append(all, info)
		}
	}
	return all, nil
}

// describe reads what an adapter says about itself; browsers say little.
func describe(adapter js.Value) Info {
	i := adapter.Get("info")
	if !i.Truthy() {
		i = js.Global().Get("Object").New()
	}
	vendor, architecture := text(i, "vendor"), text(i, "architecture")
	words := []string{}
	for _, w := range []string{vendor, architecture, text(i, "device")} {
		if w != "" && (len(words) == 0 || words[len(words)-1] != w) {
			words = append(words, w)
		}
	}
	name := cmp.Or(text(i, "description"), strings.Join(words, " "), "WebGPU adapter")
	class := Unknown
	if i.Get("isFallbackAdapter").Truthy() || adapter.Get("isFallbackAdapter").Truthy() {
		class = Software
	}
	return Info{
		Backend: "webgpu",
		Name:    name,
		Vendor:  vendor,
		Driver:  "browser",
		Class:   classify(class, strings.Join(append(words, name), " ")),
		Limits:  limitsOf(adapter.Get("limits")),
	}
}

func limitsOf(l js.Value) Limits {
	return Limits{
		StorageBinding: number(l, "maxStorageBufferBindingSize"),
		BufferSize:     number(l, "maxBufferSize"),
		StorageBuffers: int(number(l, "maxStorageBuffersPerShaderStage")),
		WorkgroupSize:  int(number(l, "maxComputeInvocationsPerWorkgroup")),
		WorkgroupBytes: int(number(l, "maxComputeWorkgroupStorageSize")),
		Groups:         int(number(l, "maxComputeWorkgroupsPerDimension")),
	}
}

// start listens to what the browser reports unasked.
func (d *Device) start() {
	d.onError = js.FuncOf(func(_ js.Value, args []js.Value) any {
		d.report(promise.ErrorOf(promise.First(args).Get("error")))
		return nil
	})
	d.handle.device.Call("addEventListener", "uncapturederror", d.onError)
	d.onLost = js.FuncOf(func(_ js.Value, args []js.Value) any {
		why := promise.First(args)
		d.report(fmt.Errorf("%w: %s (%s)", ErrLost, cmp.Or(text(why, "message"), "no reason given"), cmp.Or(text(why, "reason"), "unknown")))
		d.signal()
		return nil
	})
	d.handle.device.Get("lost").Call("then", d.onLost)
	// Submissions end in order: one callback counts them.
	d.onDone = js.FuncOf(func(js.Value, []js.Value) any {
		d.completed++
		d.signal()
		return nil
	})
}

// signal wakes the goroutine that waits, if any.
func (h *handle) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *handle) close() {
	h.device.Call("removeEventListener", "uncapturederror", h.onError)
	h.device.Call("destroy")
	h.onError.Release()
	// onLost and onDone stay: the browser still calls them for what is pending.
}

// done is the number of submissions known to be done.
func (h *handle) done() uint64 { return h.completed }

// await blocks the goroutine until ready, which is asked after every event.
func (d *Device) await(ctx context.Context, ready func() bool) error {
	for {
		if ready() {
			return nil
		}
		if err := d.gone(); err != nil {
			return err
		}
		select {
		case <-d.wake:
			// What ends now was watched until now.
			if len(d.pending) > 0 {
				d.pending[0].seen = time.Now()
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone returns why the device is lost, or nil.
func (d *Device) gone() error {
	d.faultMu.Lock()
	defer d.faultMu.Unlock()
	return d.lost
}
