package shaders

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// Access says how a kernel uses a binding.
type Access uint8

// The accesses a binding can have.
const (
	Read Access = iota
	ReadWrite
	Uniform
)

// String returns the access as WGSL spells it.
func (a Access) String() string {
	return [...]string{"read", "read_write", "uniform"}[a]
}

// A Binding is one resource of a kernel in group 0.
type Binding struct {
	Index  int
	Name   string // the WGSL variable
	Access Access
	Type   string // the WGSL type, for example array<vec4<f32>>
}

var (
	bindingLine = regexp.MustCompile(`@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(storage\s*,\s*read_write|storage\s*,\s*read|storage|uniform)\s*>\s*(\w+)\s*:\s*([^;]+);`)
	groupSize   = regexp.MustCompile(`@workgroup_size\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?(?:,\s*(\d+)\s*)?\)`)
	spaces      = regexp.MustCompile(`\s+`)
)

// reflect reads bindings and workgroup size from WGSL, the single source of
// truth for both.
func reflect(source string) ([]Binding, [3]uint32, error) {
	var bindings []Binding
	for i, m := range bindingLine.FindAllStringSubmatch(source, -1) {
		b := Binding{Name: m[3], Type: m[4]}
		b.Index, _ = strconv.Atoi(m[1])
		if b.Index != i {
			return nil, [3]uint32{}, fmt.Errorf("binding %s has index %d, want %d", b.Name, b.Index, i)
		}
		switch spaces.ReplaceAllString(m[2], "") {
		case "uniform":
			b.Access = Uniform
		case "storage,read_write":
			b.Access = ReadWrite
		}
		bindings = append(bindings, b)
	}
	if len(bindings) == 0 {
		return nil, [3]uint32{}, errors.New("no bindings found")
	}
	m := groupSize.FindStringSubmatch(source)
	if m == nil {
		return nil, [3]uint32{}, errors.New("no workgroup_size found")
	}
	size := [3]uint32{1, 1, 1}
	for i := range size {
		if m[i+1] != "" {
			n, _ := strconv.ParseUint(m[i+1], 10, 32)
			size[i] = uint32(n)
		}
	}
	return bindings, size, nil
}

// Storage returns the storage bindings, in order: the arguments of a dispatch.
func (k Kernel) Storage() []Binding {
	var storage []Binding
	for _, b := range k.Bindings {
		if b.Access != Uniform {
			storage = append(storage, b)
		}
	}
	return storage
}

// HasParams reports whether the kernel takes the uniform P.
func (k Kernel) HasParams() bool {
	for _, b := range k.Bindings {
		if b.Access == Uniform {
			return true
		}
	}
	return false
}
