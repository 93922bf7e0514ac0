package gpu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"

	"duet/gpu/promise"
	"duet/shaders"
)

// A pipeline is a compiled kernel.
type pipeline struct {
	index  int // in handle.pipelines
	layout js.Value
}

func (p *pipeline) release() {}

// encoded is a sequence as wasm/replay.js takes it: per dispatch five integers,
// the pipeline, the bind group, and the workgroups in x, y and z.
type encoded struct {
	codes  []int32
	list   js.Value // Int32Array of codes
	groups js.Value // GPUBindGroup[]
}

func (e *encoded) release() { *e = encoded{} }

// buildPipelines compiles all kernels at once, so that the browser may use
// several threads, and reports them in order.
func (d *Device) buildPipelines(kernels []shaders.Kernel, built func(int, *pipeline)) error {
	type attempt struct {
		module, promise, layout js.Value
	}
	attempts := make([]attempt, len(kernels))
	for i, k := range kernels {
		a := &attempts[i]
		d.handle.device.Call("pushErrorScope", "validation") // the compiler's words come from the module
		a.layout = d.layout(k.Bindings)
		a.module = d.handle.device.Call("createShaderModule", map[string]any{"label": k.Name, "code": k.Source})
		layouts := list(a.layout)
		a.promise = d.handle.device.Call("createComputePipelineAsync", map[string]any{
			"label":   k.Name,
			"layout":  d.handle.device.Call("createPipelineLayout", map[string]any{"bindGroupLayouts": layouts}),
			"compute": map[string]any{"module": a.module, "entryPoint": "main"},
		})
		ignore(d.handle.device.Call("popErrorScope"))
		ignore(a.promise)
	}
	for i, k := range kernels {
		compute, err := promise.Await(context.Background(), attempts[i].promise)
		if err != nil {
			return fmt.Errorf("kernel %s: %w", k.Name, explain(attempts[i].module, err))
		}
		index := d.handle.pipelines.Length()
		d.handle.pipelines.SetIndex(index, compute)
		built(i, &pipeline{index, attempts[i].layout})
	}
	return nil
}

// ignore keeps a rejection that is looked at later, or never, out of the
// browser's log.
func ignore(promise js.Value) {
	promise.Call("then", js.Undefined(), js.Global().Get("Boolean"))
}

// explain returns the shader compiler's messages with their lines, or the error
// where there are none.
func explain(module js.Value, err error) error {
	info, failed := promise.Await(context.Background(), module.Call("getCompilationInfo"))
	if failed != nil {
		return err
	}
	var lines []string
	messages := info.Get("messages")
	for i := range messages.Length() {
		m := messages.Index(i)
		if text(m, "type") == "error" {
			lines = append(lines, fmt.Sprintf("wgsl:%d:%d: %s", number(m, "lineNum"), number(m, "linePos"), text(m, "message")))
		}
	}
	if lines == nil {
		return err
	}
	return errors.New(strings.Join(lines, "\n"))
}

// layout returns the bind group layout of some bindings. It is explicit rather
// than derived from the shader, so that a binding a variant does not use stays.
func (h *handle) layout(bindings []shaders.Binding) js.Value {
	var key strings.Builder
	entries := list()
	for i, b := range bindings {
		t := map[shaders.Access]string{shaders.Read: "read-only-storage", shaders.ReadWrite: "storage", shaders.Uniform: "uniform"}[b.Access]
		fmt.Fprintf(&key, "%d %s,", b.Index, t)
		entries.SetIndex(i, map[string]any{"binding": b.Index, "visibility": 4, "buffer": map[string]any{"type": t}})
	}
	l, ok := h.layouts[key.String()]
	if !ok {
		l = h.device.Call("createBindGroupLayout", map[string]any{"label": key.String(), "entries": entries})
		h.layouts[key.String()] = l
	}
	return l
}

func (d *Device) addBindGroup(s *sequence, p *pipeline, groups [3]uint32, bounds []bound) error {
	entries := list()
	for i, b := range bounds {
		entries.SetIndex(i, map[string]any{
			"binding":  b.index,
			"resource": map[string]any{"buffer": b.buffer.buffer, "offset": b.offset, "size": b.size},
		})
	}
	if s.groups.IsUndefined() {
		s.groups = list()
	}
	index := s.groups.Length()
	s.groups.SetIndex(index, d.handle.device.Call("createBindGroup", map[string]any{"layout": p.layout, "entries": entries}))
	s.codes = append(s.codes, int32(p.index), int32(index), int32(groups[0]), int32(groups[1]), int32(groups[2]))
	return nil
}

// finish makes the typed list of a complete sequence.
func (d *Device) finish(s *sequence) {
	s.encoded.list = js.Global().Get("Int32Array").New(len(s.codes))
	for i, c := range s.codes {
		s.encoded.list.SetIndex(i, c)
	}
}

// submit replays the dispatches from, …, to-1 as one pass and submits it: by one
// call where wasm/replay.js is loaded, else call by call, about ten times slower.
func (d *Device) submit(s *sequence, from, to int) (uint64, error) {
	err := promise.Try(func() {
		if d.replay.Type() == js.TypeFunction {
			d.replay.Invoke(d.handle.device, d.handle.pipelines, s.groups, s.encoded.list, from, to)
		} else {
			d.encode(s, from, to)
		}
		d.queue.Call("onSubmittedWorkDone").Call("then", d.onDone, d.onDone)
	})
	if err != nil {
		return 0, err
	}
	d.sent++
	return d.sent, nil
}

func (d *Device) encode(s *sequence, from, to int) {
	encoder := d.handle.device.Call("createCommandEncoder")
	pass := encoder.Call("beginComputePass")
	for i := from; i < to; i++ {
		c := s.codes[5*i:]
		pass.Call("setPipeline", d.handle.pipelines.Index(int(c[0])))
		pass.Call("setBindGroup", 0, s.groups.Index(int(c[1])))
		pass.Call("dispatchWorkgroups", c[2], c[3], c[4])
	}
	pass.Call("end")
	d.queue.Call("submit", list(encoder.Call("finish")))
}
