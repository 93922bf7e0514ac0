package gpu

import (
	"errors"
	"fmt"
	"strings"

	"duet/shaders"
)

// DefaultLimits are the limits every WebGPU implementation grants.
func DefaultLimits() Limits {
	return Limits{
		StorageBinding: 128 << 20,
		BufferSize:     256 << 20,
		StorageBuffers: 8,
		WorkgroupSize:  256,
		WorkgroupBytes: 16 << 10,
		Groups:         65535,
	}
}

// maxUniform is WebGPU's default limit of a uniform binding, in bytes.
const maxUniform = 64 << 10

// Lacks returns an error that names every limit below what is needed, with
// both numbers, or nil.
func (l Limits) Lacks(need Limits) error {
	var low []string
	check := func(name string, have, need int64, size bool) {
		switch {
		case have >= need:
		case size:
			low = append(low, fmt.Sprintf("%s: %s needed, %s offered", name, Size(need), Size(have)))
		default:
			low = append(low, fmt.Sprintf("%s: %d needed, %d offered", name, need, have))
		}
	}
	check("size of one storage binding", l.StorageBinding, need.StorageBinding, true)
	check("size of one buffer", l.BufferSize, need.BufferSize, true)
	check("storage buffers a shader", int64(l.StorageBuffers), int64(need.StorageBuffers), false)
	check("invocations a workgroup", int64(l.WorkgroupSize), int64(need.WorkgroupSize), false)
	check("workgroup memory", int64(l.WorkgroupBytes), int64(need.WorkgroupBytes), true)
	check("workgroups a dimension", int64(l.Groups), int64(need.Groups), false)
	if low == nil {
		return nil
	}
	return errors.New("limit too low: " + strings.Join(low, "; "))
}

// Needs returns the limits a device must offer to run the program, but for the
// workgroup memory that its kernels declare in WGSL.
func (p *Program) Needs() Limits {
	var need Limits
	for t := range len(p.Setup) + len(p.Dispatch) {
		d := p.at(t)
		for _, a := range d.Args {
			need.StorageBinding = max(need.StorageBinding, a.Size)
			need.BufferSize = max(need.BufferSize, p.Buffers[a.Buffer].Size)
		}
		need.StorageBuffers = max(need.StorageBuffers, len(d.Args))
		need.WorkgroupSize = max(need.WorkgroupSize, int(d.Kernel.Workgroup[0]*d.Kernel.Workgroup[1]*d.Kernel.Workgroup[2]))
		for _, g := range d.Groups {
			need.Groups = max(need.Groups, int(g))
		}
	}
	return need
}

// fits refuses a program that exceeds the limits, naming the buffer or the
// dispatch that does; it is called before anything is allocated.
func (p *Program) fits(l Limits) error {
	if l.Lacks(p.Needs()) == nil {
		for t := range len(p.Setup) + len(p.Dispatch) {
			if n := uniformSize(p.at(t)); n > maxUniform {
				return fmt.Errorf("dispatch %s has %s of parameters, more than %s", p.place(t), Size(n), Size(maxUniform))
			}
		}
		return nil
	}
	for t := range len(p.Setup) + len(p.Dispatch) {
		d := p.at(t)
		one := Program{Buffers: p.Buffers, Dispatch: []Dispatch{*d}}
		err := l.Lacks(one.Needs())
		if err == nil {
			continue
		}
		for _, a := range d.Args {
			if a.Size > l.StorageBinding || p.Buffers[a.Buffer].Size > l.BufferSize {
				return fmt.Errorf("buffer %s of dispatch %s: %w", p.view(a), p.place(t), err)
			}
		}
		return fmt.Errorf("dispatch %s (kernel %s): %w", p.place(t), d.Kernel.Name, err)
	}
	return nil
}

// clash refuses a dispatch that gets the same memory as input and as output,
// which WebGPU forbids; it happens when two externals are one buffer.
func (p *Program) clash(externals map[string]Buffer) error {
	same := func(a, b int) bool {
		x, y := p.Buffers[a], p.Buffers[b]
		return a == b || x.Kind == External && y.Kind == External && externals[x.Name] != nil && externals[x.Name] == externals[y.Name]
	}
	for t := range len(p.Setup) + len(p.Dispatch) {
		d := p.at(t)
		storage := d.Kernel.Storage()
		for i, a := range d.Args {
			for j, b := range d.Args[:i] {
				if same(a.Buffer, b.Buffer) && (storage[i].Access == shaders.ReadWrite || storage[j].Access == shaders.ReadWrite) {
					return fmt.Errorf("dispatch %s: kernel %s gets the buffer %s as %s and as %s, one of which it writes",
						p.place(t), d.Kernel.Name, p.Buffers[b.Buffer].Name, storage[j].Name, storage[i].Name)
				}
			}
		}
	}
	return nil
}
