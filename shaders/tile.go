package shaders

import (
	"strconv"
	"strings"
)

// An Epilogue is what a tile kernel does to its sums before storing them:
// y = act(sum + bias + residual).
type Epilogue struct {
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
// binding numbers follow from the variant.
func tileKernel(file string, e Epilogue, vec4 bool, flags []string, twin func(Call)) Kernel {
	name := strings.Join(append([]string{file}, flags...), "_")
	next := 2
	constants := map[string]string{"ACT": e.act(), "T": "f32", "RESIDUAL_AT": "", "C_AT": "", "P_AT": ""}
	if e.Bias {
		flags, name = append(flags, "BIAS"), name+"+bias"
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
		constants["T"] = "vec4<f32>"
	}
	constants["C_AT"], constants["P_AT"] = strconv.Itoa(next), strconv.Itoa(next+1)
	return load(name, file, flags, constants, twin)
}

// epilogueTwin returns the CPU side of an epilogue over a call's buffers, of
// which a and b are the first two and the output is the last.
func epilogueTwin(c Call, e Epilogue) (out []float32, finish func(index, column int, sum float64) float32) {
	next := 2
	var bias, residual []float32
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
