package shaders

import (
	"strconv"
	"strings"
)

// Tiles of 64×64 compute twice as much of what they load as those of 32×32, but
// there are fewer. Where a sum may be cut into ranges of k, enough workgroups come
// of that; a second pass adds the ranges, which costs a dispatch (some 10 µs).
// Measured on an H200; GPUs with fewer multiprocessors want fewer workgroups.
const (
	wideTiles  = 256 // tiles of 64×64 that suffice where k cannot be cut
	wantGroups = 512 // workgroups that keep a GPU busy
	fewGroups  = 160 // with fewer, tiles of 32×32 do better
	leastDepth = 128 // of a range of k
)

var fixedSide int // in benchmarks that compare sides

// side returns the rows and columns of a workgroup's tile of z products whose k
// is not cut.
func side(m, n, z int) int {
	switch {
	case fixedSide > 0:
		return fixedSide
	case ceilDiv(m, 64)*ceilDiv(n, 64)*z >= wideTiles:
		return 64
	}
	return 32
}

// cut returns the side of the tiles of a product, in how many ranges k should be
// cut, and their length.
func cut(m, n, k int) (wide, splits, step int) {
	for _, wide = range []int{64, 32} {
		tiles := max(1, ceilDiv(m, wide)*ceilDiv(n, wide))
		splits = max(1, min(k/leastDepth, wantGroups/tiles))
		step = max(1, ceilDiv(ceilDiv(k, splits), 32)) * 32 // sums of nothing have a range, too
		splits = max(1, ceilDiv(k, step))
		if min(m, n) > 32 && tiles*splits >= fewGroups {
			break
		}
	}
	if fixedSide > 0 {
		wide = fixedSide
	}
	return wide, splits, step
}

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
		if side == 32 { // has the registers for totals of the slabs' sums
			flags = append(flags, "TOTALS")
		}
		constants["QUADS"], constants["DEPTH"] = strconv.Itoa(side/4), strconv.Itoa(1024/side)
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
