package checkpoint

// A Dtype is the element type of a tensor, as safetensors names it.
type Dtype uint8

// The element types, in the order of the reference implementation, which sorts
// tensors by it: alignment never decreases.
const (
	BOOL Dtype = iota
	F4
	F6E2M3
	F6E3M2
	U8
	I8
	F8E5M2
	F8E4M3
	F8E8M0
	F8E4M3FNUZ
	F8E5M2FNUZ
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64
)

var dtypes = [...]struct {
	name string
	bits int
}{
	BOOL: {"BOOL", 8}, F4: {"F4", 4}, F6E2M3: {"F6_E2M3", 6}, F6E3M2: {"F6_E3M2", 6}, U8: {"U8", 8}, I8: {"I8", 8},
	F8E5M2: {"F8_E5M2", 8}, F8E4M3: {"F8_E4M3", 8}, F8E8M0: {"F8_E8M0", 8}, F8E4M3FNUZ: {"F8_E4M3FNUZ", 8},
	F8E5M2FNUZ: {"F8_E5M2FNUZ", 8}, I16: {"I16", 16}, U16: {"U16", 16}, F16: {"F16", 16}, BF16: {"BF16", 16},
	I32: {"I32", 32}, U32: {"U32", 32}, F32: {"F32", 32}, C64: {"C64", 64}, F64: {"F64", 64}, I64: {"I64", 64}, U64: {"U64", 64},
}

func (d Dtype) known() bool { return int(d) < len(dtypes) }

// String is the name in a safetensors header: F32, BF16, F8_E4M3, …
func (d Dtype) String() string {
	if !d.known() {
		return "unknown dtype"
	}
	return dtypes[d].name
}

// Bits is the size of an element.
func (d Dtype) Bits() int {
	if !d.known() {
		return 0
	}
	return dtypes[d].bits
}

// Float reports whether [File.Float32] reads the type.
func (d Dtype) Float() bool { return d == F16 || d == BF16 || d == F32 || d == F64 }

// Int reports whether [File.Int64] reads the type.
func (d Dtype) Int() bool {
	switch d {
	case BOOL, U8, I8, I16, U16, I32, U32, I64, U64:
		return true
	}
	return false
}

func parseDtype(name string) (Dtype, bool) {
	for d, t := range dtypes {
		if t.name == name {
			return Dtype(d), true
		}
	}
	return 0, false
}
