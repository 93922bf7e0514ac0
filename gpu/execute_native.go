//go:build !js

package gpu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cogentcore/webgpu/wgpu"

	"duet/shaders"
)

// A pipeline is a compiled kernel.
type pipeline struct {
	compute *wgpu.ComputePipeline
	layout  *wgpu.BindGroupLayout // shared with other pipelines
}

func (p *pipeline) release() { p.compute.Release() }

// encoded are the pipelines and bind groups of a sequence, by dispatch.
type encoded struct {
	pipelines []*wgpu.ComputePipeline
	groups    []*wgpu.BindGroup
}

func (e *encoded) release() {
	for _, g := range e.groups {
		g.Release()
	}
	*e = encoded{}
}

func (d *Device) buildPipelines(kernels []shaders.Kernel, built func(int, *pipeline)) error {
	for i, k := range kernels {
		p, err := d.newPipeline(k)
		if err != nil {
			return fmt.Errorf("kernel %s: %w", k.Name, tidy(err))
		}
		built(i, p)
	}
	return nil
}

// tidy drops what the library wraps around the text that matters.
func tidy(err error) error {
	_, text, ok := strings.Cut(err.Error(), "Caused by:\n")
	if !ok {
		return err
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		short := strings.TrimSpace(line)
		if strings.HasPrefix(short, "In wgpu") || strings.HasPrefix(short, "note: label") || short == "" && len(lines) == 0 {
			continue
		}
		// The message ends with its first line once more.
		if short != "" && len(lines) > 1 && strings.Contains(lines[0], short) {
			break
		}
		lines = append(lines, line)
	}
	return errors.New(strings.TrimSpace(strings.Join(lines, "\n")))
}

func (d *Device) newPipeline(k shaders.Kernel) (*pipeline, error) {
	layout, err := d.layout(k.Bindings)
	if err != nil {
		return nil, err
	}
	module, err := d.device.CreateShaderModule(&wgpu.ShaderModuleDescriptor{
		Label:          k.Name,
		WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: k.Source},
	})
	if err != nil {
		return nil, err
	}
	defer module.Release()
	pipelineLayout, err := d.device.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{
		Label: k.Name, BindGroupLayouts: []*wgpu.BindGroupLayout{layout},
	})
	if err != nil {
		return nil, err
	}
	defer pipelineLayout.Release()
	compute, err := d.device.CreateComputePipeline(&wgpu.ComputePipelineDescriptor{
		Label:   k.Name,
		Layout:  pipelineLayout,
		Compute: wgpu.ProgrammableStageDescriptor{Module: module, EntryPoint: "main"},
	})
	if err != nil {
		return nil, err
	}
	return &pipeline{compute, layout}, nil
}

// layout returns the bind group layout of some bindings. It is explicit rather
// than derived from the shader, so that a binding a variant does not use stays.
func (d *Device) layout(bindings []shaders.Binding) (*wgpu.BindGroupLayout, error) {
	var key strings.Builder
	var entries []wgpu.BindGroupLayoutEntry
	for _, b := range bindings {
		t := wgpu.BufferBindingTypeReadOnlyStorage
		switch b.Access {
		case shaders.ReadWrite:
			t = wgpu.BufferBindingTypeStorage
		case shaders.Uniform:
			t = wgpu.BufferBindingTypeUniform
		}
		fmt.Fprintf(&key, "%d %v,", b.Index, b.Access)
		entries = append(entries, wgpu.BindGroupLayoutEntry{
			Binding: uint32(b.Index), Visibility: wgpu.ShaderStageCompute, Buffer: wgpu.BufferBindingLayout{Type: t},
		})
	}
	if l, ok := d.layouts[key.String()]; ok {
		return l, nil
	}
	l, err := d.device.CreateBindGroupLayout(&wgpu.BindGroupLayoutDescriptor{Label: key.String(), Entries: entries})
	if err != nil {
		return nil, err
	}
	d.layouts[key.String()] = l
	return l, nil
}

func (d *Device) addBindGroup(s *sequence, p *pipeline, _ [3]uint32, bounds []bound) error {
	entries := make([]wgpu.BindGroupEntry, len(bounds))
	for i, b := range bounds {
		entries[i] = wgpu.BindGroupEntry{
			Binding: uint32(b.index), Buffer: b.buffer.buffer, Offset: uint64(b.offset), Size: uint64(b.size),
		}
	}
	g, err := d.device.CreateBindGroup(&wgpu.BindGroupDescriptor{Layout: p.layout, Entries: entries})
	if err != nil {
		return err
	}
	s.pipelines = append(s.pipelines, p.compute)
	s.groups = append(s.groups, g)
	return nil
}

// finish has nothing to do: the sequence is complete with its last bind group.
func (d *Device) finish(*sequence) {}

// submit encodes the dispatches from, …, to-1 as one pass and submits it.
func (d *Device) submit(s *sequence, from, to int) (uint64, error) {
	encoder, err := d.device.CreateCommandEncoder(nil)
	if err != nil {
		return 0, err
	}
	defer encoder.Release()
	if err := s.encode(encoder, from, to); err != nil {
		return 0, err
	}
	commands, err := encoder.Finish(nil)
	if err != nil {
		return 0, err
	}
	defer commands.Release()
	return d.send(commands), nil
}

func (s *sequence) encode(encoder *wgpu.CommandEncoder, from, to int) error {
	pass := encoder.BeginComputePass(nil)
	defer pass.Release()
	var current *wgpu.ComputePipeline
	for i := from; i < to; i++ {
		if p := s.pipelines[i]; p != current {
			pass.SetPipeline(p)
			current = p
		}
		pass.SetBindGroup(0, s.groups[i], nil)
		g := s.list[i].Groups
		pass.DispatchWorkgroups(g[0], g[1], g[2])
	}
	return pass.End()
}
