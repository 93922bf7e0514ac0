package shaders

import (
	"strconv"
	"strings"
)

// variant loads a kernel whose name, vector type and binding numbers follow
// from its choices: {{T}} is vec4<f32> when width is 4 (flag VEC4), else f32,
// and {{X_AT}} is the place of binding x. Empty flags and bindings are left out.
func variant(file string, width int, flags, bindings []string, constants map[string]string, twin func(Call)) Kernel {
	all := map[string]string{"T": "f32"}
	for k, v := range constants {
		all[k] = v
	}
	name, kept := file, []string{}
	for _, f := range flags {
		if f != "" {
			name, kept = name+"+"+strings.ToLower(f), append(kept, f)
		}
	}
	if width == 4 {
		all["T"] = "vec4<f32>"
		name, kept = name+" vec4", append(kept, "VEC4")
	}
	next := 0
	for _, b := range bindings {
		if b != "" {
			all[strings.ToUpper(b)+"_AT"] = strconv.Itoa(next)
			next++
		}
	}
	all["P_AT"] = strconv.Itoa(next)
	return load(name, file, kept, all, twin)
}

// when returns name if the condition holds, else nothing.
func when(condition bool, name string) string {
	if condition {
		return name
	}
	return ""
}

// widthOf returns how many of d consecutive values a kernel handles at once.
func widthOf(d int) int {
	if d%4 == 0 {
		return 4
	}
	return 1
}

// A taker hands out the buffers of a call in binding order, for twins of
// kernels with optional bindings.
type taker struct {
	c    Call
	next int
}

func (t *taker) words() Words {
	t.next++
	return t.c.Buffers[t.next-1]
}

func (t *taker) f() []float32 { return t.words().F() }

// ifF returns the next buffer when the variant has it, else nil.
func (t *taker) ifF(present bool) []float32 {
	if !present {
		return nil
	}
	return t.f()
}
