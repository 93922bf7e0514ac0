package shaders

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// A reduction is pre-map, fold and post-map, each as a twin and as WGSL.
type reduction struct {
	pre, post, fold             func(a, v float64) float64 // pre and post use a only; post's v is the count
	preText, foldText, postText string
}

var (
	keep    = func(a, _ float64) float64 { return a }
	addFold = func(a, v float64) float64 { return a + v }
)

var reductions = map[string]reduction{
	"sum":       {keep, keep, addFold, "v", "a + v", "a"},
	"mean":      {keep, func(a, n float64) float64 { return a / n }, addFold, "v", "a + v", "a / P.count"},
	"max":       {keep, keep, math.Max, "v", "max(a, v)", "a"},
	"min":       {keep, keep, math.Min, "v", "min(a, v)", "a"},
	"product":   {keep, keep, func(a, v float64) float64 { return a * v }, "v", "a * v", "a"},
	"sumsquare": {func(a, _ float64) float64 { return a * a }, keep, addFold, "v * v", "a + v", "a"},
	"l1":        {func(a, _ float64) float64 { return math.Abs(a) }, keep, addFold, "abs(v)", "a + v", "a"},
	"l2":        {func(a, _ float64) float64 { return a * a }, func(a, _ float64) float64 { return math.Sqrt(a) }, addFold, "v * v", "a + v", "sqrt(a)"},
	"logsum":    {keep, func(a, _ float64) float64 { return math.Log(a) }, addFold, "v", "a + v", "log(a)"},
	"logsumexp": {keep, keep, addFold, "v", "a + v", "a"}, // folded by a loop of its own
}

// ReduceNames lists the functions of [Reduce].
func ReduceNames() []string { return slices.Sorted(maps.Keys(reductions)) }

// A Pass is one launch of a chain: its output, of Words words, is the input of
// the next.
type Pass struct {
	Launch
	Words int
}

// Reduce folds the given axes of a dense tensor with f, in one pass or, where
// outputs are few and long, in two. Arguments of each pass: x, y.
func Reduce(f string, shape, axes []int) []Pass {
	if len(shape) > maxRank {
		panic(fmt.Sprintf("shaders: reduce: shape %v has more than %d dimensions", shape, maxRank))
	}
	var kept, folded []dim // innermost first
	step, outputs, length := 1, 1, 1
	for i := len(shape) - 1; i >= 0; i-- {
		if slices.Contains(axes, i) {
			folded = addDim(folded, shape[i], step)
			length *= shape[i]
		} else {
			kept = addDim(kept, shape[i], step)
			outputs *= shape[i]
		}
		step *= shape[i]
	}
	splits := max(1, min(wantTiles/max(outputs, 1), length/32))
	if f == "logsumexp" {
		splits = 1
	}
	splits = ceilDiv(length, ceilDiv(length, splits))
	s := reduceShape{f: f, outputs: outputs, length: length, kept: kept, folded: folded, count: length,
		columns: len(folded) == 1 && len(kept) <= 1 && folded[0].step == outputs && outputs%4 == 0}
	if splits == 1 {
		return []Pass{s.pass(1, true, true)}
	}
	second := reduceShape{f: f, outputs: outputs, length: splits, count: length,
		kept: []dim{{outputs, 1}}, folded: []dim{{splits, outputs}}, columns: outputs%4 == 0}
	return []Pass{s.pass(splits, true, false), second.pass(1, false, true)}
}

// A dim is a dimension's size and element stride.
type dim struct{ size, step int }

// addDim appends a dimension, merged with the one inside it where they are contiguous.
func addDim(dims []dim, size, step int) []dim {
	if size == 1 {
		return dims
	}
	if n := len(dims); n > 0 && dims[n-1].size*dims[n-1].step == step {
		dims[n-1].size *= size
		return dims
	}
	return append(dims, dim{size, step})
}

type reduceShape struct {
	f               string
	outputs, length int
	kept, folded    []dim
	count           int // of folded elements, for the mean
	columns         bool
}

// pass returns the launch over splits chunks; pre and post say whether it maps
// its input and its result.
func (s reduceShape) pass(splits int, pre, post bool) Pass {
	r, ok := reductions[s.f]
	if !ok {
		panic("shaders: no reduction " + s.f)
	}
	name := "reduce_" + s.f
	text := map[string]string{"T": "f32", "PRE": r.preText, "FOLD": r.foldText, "POST": r.postText, "FOLDED": strconv.Itoa(max(1, len(s.folded)))}
	if !pre {
		text["PRE"], r.pre, name = "v", keep, name+" second"
	}
	if !post {
		text["POST"], r.post, name = "a", keep, name+" first"
	}
	var flags []string
	width := 1
	if s.columns {
		flags, width, name = append(flags, "COLUMNS"), 4, name+" columns"
		text["T"] = "vec4<f32>"
	}
	if s.f == "logsumexp" {
		flags = append(flags, "LOGSUMEXP")
	}
	outputs := s.outputs / width
	p := []any{outputs, s.length, ceilDiv(s.length, splits), splits, float32(s.count)}
	for _, dims := range [][]dim{s.kept, s.folded} {
		for d := range maxRank {
			if d < len(dims) {
				p = append(p, dims[d].size, dims[d].step)
			} else {
				p = append(p, 1, 0)
			}
		}
	}
	k := load(name, "reduce", flags, text, func(c Call) { reduceTwin(c, r, width, s.f == "logsumexp") })
	return Pass{
		Launch: Launch{Kernel: k, Groups: Spread(ceilDiv(outputs*splits, 64)), Params: params(p...), Flops: float64(s.outputs) * float64(s.length)},
		Words:  s.outputs * splits,
	}
}

func reduceTwin(c Call, r reduction, width int, logsumexp bool) {
	x, y := c.Buffers[0].F(), c.Buffers[1].F()
	outputs, length, chunk, count := c.U(0)*width, c.U(1), c.U(2), float64(c.F32(4))
	decode := func(i, first int) int {
		at := 0
		for d := range maxRank {
			at += i % c.U(first+2*d) * c.U(first+1+2*d)
			i /= c.U(first + 2*d)
		}
		return at
	}
	for i := range outputs * c.U(3) {
		out, begin := i%outputs, i/outputs*chunk
		end := min(begin+chunk, length)
		value := func(k int) float64 {
			if width == 4 {
				return float64(x[k*outputs+out])
			}
			return float64(x[decode(out, 5)+decode(k, 17)])
		}
		a := r.pre(value(begin), 0)
		if logsumexp {
			var row []float32
			for k := begin; k < end; k++ {
				row = append(row, float32(value(k)))
			}
			a = logSumExp(row)
		} else {
			for k := begin + 1; k < end; k++ {
				a = r.fold(a, r.pre(value(k), 0))
			}
		}
		y[i] = float32(r.post(a, count))
	}
}
