package gpu

import (
	"context"
	"time"

	"duet/gpu/adapter"
	"duet/shaders"
)

// A Backend runs programs. [Device] (WebGPU) and [Reference] (the CPU twins) do;
// [Planner] only counts what they would take.
type Backend interface {
	// NewBuffer returns a zeroed buffer of size bytes (a multiple of 16).
	NewBuffer(label string, size int64) (Buffer, error)
	// Compile plans the program's memory, allocates it, builds pipelines and
	// bind groups. externals maps the name of every External buffer to its memory.
	Compile(p *Program, externals map[string]Buffer) (Executable, error)
	// Info describes the adapter.
	Info() Info
	// Close releases everything; buffers and executables become unusable.
	Close()
}

// A Buffer is device memory.
type Buffer interface {
	Size() int64
	Write(offset int64, data []byte) error
	// Read waits for all work submitted before and copies len(data) bytes from offset.
	Read(offset int64, data []byte) error
	Release()
}

// An Executable is a compiled program.
type Executable interface {
	// Setup runs the set-up list; call it after compilation and whenever its inputs changed.
	Setup(ctx context.Context) error
	// Run submits one replay. It may return before the work is done; Buffer.Read
	// waits. When ctx is cancelled between two submits of a long replay, the
	// buffers that the replay writes hold a mixture of old and new content.
	Run(ctx context.Context) error
	// Plan tells the memory the program uses.
	Plan() *Plan
	// Stats tells what compilation and the last replay took.
	Stats() Stats
	Release()
}

// Stats are figures about an executable.
type Stats struct {
	Dispatches int           // of one replay
	Kernels    int           // distinct kernels, set-up included
	Compiled   int           // pipelines built by this compilation; the others were cached
	Compile    time.Duration // time of the whole compilation
	Submits    int           // of the last replay
}

// Info describes an adapter for people and for choosing kernels.
type Info struct {
	Backend string // "webgpu" or "reference"
	Name    string // for example "llvmpipe (LLVM 15.0.6, 256 bits)"
	Vendor  string
	Driver  string
	Class   Class
	Target  shaders.Target // which kernels suit it
	Limits  Limits
	Memory  int64 // bytes that programs may take, as far as that can be known; 0: not known
}

// Class says what kind of processor an adapter is.
type Class = adapter.Class

// The classes, best first.
const (
	Discrete   = adapter.Discrete
	Integrated = adapter.Integrated
	Software   = adapter.Software
	Unknown    = adapter.Unknown
)

// Limits are the limits of a device that programs must respect; in JSON they
// have WebGPU's names.
type Limits struct {
	StorageBinding int64 `json:"maxStorageBufferBindingSize"`       // bytes of one storage binding
	BufferSize     int64 `json:"maxBufferSize"`                     // bytes of one buffer
	StorageBuffers int   `json:"maxStorageBuffersPerShaderStage"`   // storage buffers per shader stage
	WorkgroupSize  int   `json:"maxComputeInvocationsPerWorkgroup"` // invocations per workgroup
	WorkgroupBytes int   `json:"maxComputeWorkgroupStorageSize"`    // workgroup memory in bytes
	Groups         int   `json:"maxComputeWorkgroupsPerDimension"`  // workgroups per dimension
}
