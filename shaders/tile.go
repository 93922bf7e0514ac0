package shaders

import (
	"strconv"
	"strings"
)

// wideTiles is the number of tiles of 64×64 from which they are enough for a
// GPU; fewer are cut into tiles of 32×32.
const wideTiles = 256

var fixedSide int // in benchmarks that compare sides

// side returns the rows and columns of a workgroup's tile in z products.
func side(m, n, z int) int {
	if fixedSide > 0 {
		return fixedSide
	}
	if ceilDiv(m, 64)*ceilDiv(n, 64)*z >= wideTiles {
		return 64
	}
	return 32
}

// stagedSplits returns in how many ranges a sum of length k should be cut so
// that a GPU has enough workgroups, and their length.
func stagedSplits(m, n, k int) (splits, step int) {
	splits = max(1, min(k/128, wantGroups/(ceilDiv(m, 32)*ceilDiv(n, 32))))
	step = ceilDiv(ceilDiv(k, splits), 32) * 32
	return ceilDiv(k, step), step
}

// wantGroups is the number of workgroups of 64 that keeps a GPU busy.
const wantGroups = 512

// An Epilogue is what a tile kernel does to its sums before storing them:
// y = act(sum · scale + bias + residual).
type Epilogue struct {
	Scale    bool   // per output column; with weights in a packed format only
	Bias     bool   // per output column
	Residual bool   // same shape as the output
	Act      string // "" or "identity", "relu", "gelu"
}

func (e Epilogue) act() string {
	if e.Act == "" {
		return "identity"
	}
	return e.Act
}

// tileKernel loads a kernel of the tile family: its name, flags and binding
// numbers follow from the variant. format is that of the second operand, side
// that of a workgroup's tile, or 0 for an invocation's in registers.
func tileKernel(file string, side int, format Format, e Epilogue, vec4 bool, flags []string, twin func(Call)) Kernel {
	name := strings.Join(append([]string{file}, flags...), "_")
	next := 2
	constants := map[string]string{"ACT": e.act(), "T": "f32", "TB": "f32", "BIAS_AT": "", "RESIDUAL_AT": "", "C_AT": "", "P_AT": "",
		"HALVES": "2", "APART": "4"}
	if side > 0 {
		file, name = file+"_staged", name+" staged "+strconv.Itoa(side)
		constants["SIDE"], constants["HALVES"], constants["APART"] = strconv.Itoa(side), strconv.Itoa(side/32), strconv.Itoa(side/2)
	}
	if format != F32 && !vec4 {
		panic("shaders: packed weights have rows of a multiple of four values")
	}
	if e.Scale {
		flags, name = append(flags, "SCALE"), name+"+scale"
		next++
	}
	if e.Bias {
		flags, name = append(flags, "BIAS"), name+"+bias"
		constants["BIAS_AT"] = strconv.Itoa(next)
		next++
	}
	if e.Residual {
		flags, name = append(flags, "RESIDUAL"), name+"+residual"
		constants["RESIDUAL_AT"] = strconv.Itoa(next)
		next++
	}
	if e.act() != "identity" {
		name += "+" + e.act()
	}
	if vec4 {
		flags, name = append(flags, "VEC4"), name+" vec4"
		constants["T"], constants["TB"] = "vec4<f32>", "vec4<f32>"
	}
	switch format {
	case F16:
		flags, name, constants["TB"] = append(flags, "F16"), name+" f16", "vec2<u32>"
	case I8:
		flags, name, constants["TB"] = append(flags, "I8"), name+" i8", "u32"
	}
	constants["C_AT"], constants["P_AT"] = strconv.Itoa(next), strconv.Itoa(next+1)
	return load(name, file, flags, constants, twin)
}

// epilogueTwin returns the CPU side of an epilogue over a call's buffers, of
// which the operands are the first and the output is the last.
func epilogueTwin(c Call, operands int, e Epilogue) (out []float32, finish func(index, column int, sum float64) float32) {
	next := operands
	var scale, bias, residual []float32
	if e.Scale {
		scale = c.Buffers[next].F()
		next++
	}
	if e.Bias {
		bias = c.Buffers[next].F()
		next++
	}
	if e.Residual {
		residual = c.Buffers[next].F()
		next++
	}
	act := activations[e.act()]
	return c.Buffers[next].F(), func(index, column int, sum float64) float32 {
		if e.Scale {
			sum *= float64(scale[column])
		}
		if e.Bias {
			sum += float64(bias[column])
		}
		if e.Residual {
			sum += float64(residual[index])
		}
		return float32(act(sum))
	}
}

func multiplesOf4(values ...int) bool {
	for _, v := range values {
		if v%4 != 0 {
			return false
		}
	}
	return true
}
