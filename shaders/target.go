package shaders

// A Target is the kind of processor that a kernel is written for.
type Target uint8

// The targets. What has no kernel of its own for GPUs runs on them, too.
const (
	// CPU is for adapters that are processors: an invocation works alone, in
	// registers, since barriers cost 3 to 7 times there.
	CPU Target = iota
	// GPU is for the others: a workgroup shares what it loads through workgroup
	// memory, and there are many of them.
	GPU
)

// String names the kind of processor.
func (t Target) String() string {
	if t == GPU {
		return "GPU"
	}
	return "CPU"
}
