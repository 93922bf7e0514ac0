package shaders

import (
	"embed"
	"fmt"
	"math"
	"unsafe"
)

//go:embed *.wgsl shared/*.wgsl
var sources embed.FS

// A Kernel is one compute shader and everything needed to run it, on a GPU or
// on the CPU.
type Kernel struct {
	Name      string    // file and variant, for example "matmul+bias+relu vec4"
	Source    string    // complete WGSL
	Workgroup [3]uint32 // invocations per workgroup, read from Source
	Bindings  []Binding // by index, read from Source
	Reference func(Call)
}

// A Call is one dispatch as a CPU twin sees it.
type Call struct {
	Groups  [3]uint32 // workgroups
	Params  []uint32  // words of the uniform P
	Buffers []Words   // storage bindings, in binding order
}

// Words is the content of a storage buffer: 4-byte words of any kind.
type Words []uint32

// F returns the words as float32 values sharing the same memory.
func (w Words) F() []float32 {
	if len(w) == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&w[0])), len(w))
}

// I returns the words as int32 values sharing the same memory.
func (w Words) I() []int32 {
	if len(w) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&w[0])), len(w))
}

// U returns parameter i as an unsigned integer.
func (c Call) U(i int) int { return int(c.Params[i]) }

// F32 returns parameter i as a float32.
func (c Call) F32(i int) float32 { return math.Float32frombits(c.Params[i]) }

// A Launch is a kernel with the geometry and parameters of one dispatch; the
// constructors of this package return it and gpu.Program records it.
type Launch struct {
	Kernel Kernel
	Groups [3]uint32
	Params []uint32
	Flops  float64 // useful floating-point operations, for profiles and splitting
}

// params packs integers (as u32) and float32 values into uniform words.
func params(values ...any) []uint32 {
	words := make([]uint32, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case int:
			if v < 0 || v > math.MaxUint32 {
				panic(fmt.Sprintf("shaders: parameter %d out of range: %d", i, v))
			}
			words[i] = uint32(v)
		case uint32:
			words[i] = v
		case float32:
			words[i] = math.Float32bits(v)
		case float64:
			words[i] = math.Float32bits(float32(v))
		case bool:
			if v {
				words[i] = 1
			}
		default:
			panic(fmt.Sprintf("shaders: parameter %d has type %T", i, v))
		}
	}
	return words
}

// maxGroups is WebGPU's default limit of workgroups in one dimension.
const maxGroups = 65535

// Spread returns a grid of at least n workgroups that respects WebGPU's limit
// per dimension; kernels recover the linear index with flat_index.
func Spread(n int) [3]uint32 {
	if n <= maxGroups {
		return [3]uint32{uint32(max(n, 1)), 1, 1}
	}
	y := ceilDiv(n, maxGroups)
	return [3]uint32{uint32(ceilDiv(n, y)), uint32(y), 1}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
