package shaders

import (
	"strconv"
	"strings"
)

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

// tileKernel loads a kernel of the 8x8 register family: its name, flags and
// binding numbers follow from the variant. format is that of the second operand.
func tileKernel(file string, format Format, e Epilogue, vec4 bool, flags []string, twin func(Call)) Kernel {
	name := strings.Join(append([]string{file}, flags...), "_")
	next := 2
	constants := map[string]string{"ACT": e.act(), "T": "f32", "TB": "f32", "BIAS_AT": "", "RESIDUAL_AT": "", "C_AT": "", "P_AT": ""}
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
// which a and b are the first two and the output is the last.
func epilogueTwin(c Call, e Epilogue) (out []float32, finish func(index, column int, sum float64) float32) {
	next := 2
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
