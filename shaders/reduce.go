package shaders

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// A reduction is a map, a fold from a start value, and a map of the result,
// each as twin and as WGSL; post's n is the number of folded elements.
type reduction struct {
	start    float64
	pre      func(v float64) float64
	fold     func(a, v float64) float64
	post     func(a, n float64) float64
	preText  string // over v
	foldText string // over a and v
	postText string // over a and P.count
}

func sumOf(pre func(float64) float64, preText string, post func(a, n float64) float64, postText string) reduction {
	return reduction{0, pre, func(a, v float64) float64 { return a + v }, post, preText, "a + v", postText}
}

func folded(start float64, fold func(a, v float64) float64, foldText string) reduction {
	return reduction{start, same, fold, result, "v", foldText, "a"}
}

func same(v float64) float64      { return v }
func result(a, _ float64) float64 { return a }
func squared(v float64) float64   { return v * v }
func root(a, _ float64) float64   { return math.Sqrt(a) }
func ln(a, _ float64) float64     { return math.Log(a) }
func over(a, n float64) float64   { return a / n }

var reductions = map[string]reduction{
	"sum":       sumOf(same, "v", result, "a"),
	"mean":      sumOf(same, "v", over, "a / P.count"),
	"sumsquare": sumOf(squared, "v * v", result, "a"),
	"l1":        sumOf(math.Abs, "abs(v)", result, "a"),
	"l2":        sumOf(squared, "v * v", root, "sqrt(a)"),
	"logsum":    sumOf(same, "v", ln, "log(a)"),
	"max":       folded(math.Inf(-1), math.Max, "max(a, v)"),
	"min":       folded(math.Inf(1), math.Min, "min(a, v)"),
	"product":   folded(1, func(a, v float64) float64 { return a * v }, "a * v"),
	// Folded by loops of its own, which begin with the lowest finite number: of
	// −∞ alone the result must be −∞, not NaN.
	"logsumexp": folded(-math.MaxFloat32, nil, "a"),
}

// ReduceNames lists the functions of [Reduce].
func ReduceNames() []string { return slices.Sorted(maps.Keys(reductions)) }

// A Pass is one launch of a chain: its output, of Words words, is the input of
// the next.
type Pass struct {
	Launch
	Words int
}

// Reduce folds the given axes of a dense tensor with f (sum, mean, max, min,
// product, sumsquare, l1, l2, logsum or logsumexp), in one pass or, where
// outputs are few and long, in two. Arguments of each pass: x, y.
func Reduce(f string, shape, axes []int, target Target) []Pass {
	r, ok := reductions[f]
	if !ok {
		panic("shaders: no reduction " + f)
	}
	var keptShape, kept, foldedShape, gone []int
	for d, stride := range denseStrides(shape) {
		if slices.Contains(axes, d) {
			foldedShape, gone = append(foldedShape, shape[d]), append(gone, stride)
		} else {
			keptShape, kept = append(keptShape, shape[d]), append(kept, stride)
		}
	}
	first := reduce{name: f, reduction: r, count: product(foldedShape), outputs: product(keptShape),
		kept: walk(keptShape, kept), folded: walk(foldedShape, gone)}
	splits := first.layout(target)
	if splits == 1 {
		return []Pass{first.pass(1)}
	}
	second := reduce{name: f, reduction: r, count: first.count, outputs: first.outputs,
		kept:   []axis{{first.outputs, []int{1}}},
		folded: []axis{{splits, []int{first.outputs}}}}
	if first.outputs == 1 {
		second.kept, second.folded = walk(nil, nil), walk([]int{splits}, []int{1})
	}
	first.name, first.post, first.postText = f+" first", result, "a"
	second.name, second.pre, second.preText = f+" second", same, "v"
	second.layout(target)
	return []Pass{first.pass(splits), second.pass(1)}
}

// A reduce is one launch of a reduction.
type reduce struct {
	name string
	reduction
	outputs, count int
	kept, folded   []axis // strides in elements
	columns, rows  bool
}

// layout chooses the loads and returns over how many invocations the fold of
// an output is best split: enough to keep an adapter busy, each with 32 loads
// (on GPUs 16) or more, and on whole workgroups of lanes.
func (s *reduce) layout(target Target) int {
	outputs, length := s.outputs, 1
	for _, a := range s.folded {
		length *= a.size
	}
	switch {
	case s.kept[0].size%4 == 0 && aligned(s.kept, 0) && multipleStrides(s.folded):
		s.columns = true
		outputs /= 4
	case s.folded[0].size%4 == 0 && aligned(s.folded, 0) && multipleStrides(s.kept):
		s.rows = true
		length /= 4
	}
	want, least := 1024, 32
	if target == GPU {
		want, least = 1<<15, 16
		most := 1024
		if s.columns {
			most = 64
		}
		want = min(want, most*outputs) // the second pass goes over them one by one
	}
	splits := max(1, min(want/max(outputs, 1), length/least))
	if !s.columns && splits > 64 {
		splits = splits / 64 * 64
	}
	return splits
}

// multipleStrides reports whether every stride is a multiple of four elements.
func multipleStrides(axes []axis) bool {
	for _, a := range axes {
		if a.stride[0]%4 != 0 {
			return false
		}
	}
	return true
}

func (s reduce) pass(splits int) Pass {
	x, y, name := "f32", "f32", "reduce_"+s.name
	inWidth, outWidth := 1, 1
	var flags []string
	switch {
	case s.columns:
		x, y, inWidth, outWidth, flags, name = "vec4<f32>", "vec4<f32>", 4, 4, []string{"COLUMNS"}, name+" columns"
	case s.rows:
		x, inWidth, flags, name = "vec4<f32>", 4, []string{"ROWS"}, name+" rows"
	}
	logsumexp := s.fold == nil
	if logsumexp {
		flags = append(flags, "LOGSUMEXP")
	}
	length := 1
	for _, a := range s.folded {
		length *= a.size
	}
	if s.rows {
		length /= 4
	}
	lanes := 1
	if !s.columns {
		lanes = min(splits, 64)
	}
	chunk := ceilDiv(length, splits)
	p := []any{s.outputs / outWidth, length, splits, chunk, lanes, s.start, float32(s.count)}
	for _, part := range []struct {
		axes   []axis
		narrow bool
	}{{s.kept, s.columns}, {s.folded, s.rows}} {
		for d, a := range part.axes {
			size, stride := a.size, a.stride[0]/inWidth
			if d == 0 && part.narrow {
				size, stride = size/4, 1
			}
			p = append(p, size, stride)
		}
	}
	constants := map[string]string{"X": x, "Y": y, "PRE": s.preText, "FOLD": s.foldText, "POST": s.postText,
		"KEPT": strconv.Itoa(len(s.kept)), "KEPT_OUTERMOST": strconv.Itoa(len(s.kept) - 1),
		"FOLDED": strconv.Itoa(len(s.folded)), "FOLDED_OUTERMOST": strconv.Itoa(len(s.folded) - 1)}
	name += " " + constants["KEPT"] + " " + constants["FOLDED"]
	t := reduceTwin{s.reduction, inWidth, outWidth, len(s.kept), len(s.folded)}
	k := load(name, "reduce", flags, constants, t.run)
	return Pass{
		Launch: Launch{Kernel: k, Groups: Spread(ceilDiv(s.outputs/outWidth*splits, 64)), Params: params(p...), Flops: float64(s.outputs) * float64(s.count)},
		Words:  s.outputs * splits,
	}
}

// A reduceTwin is the CPU side of a variant.
type reduceTwin struct {
	reduction
	inWidth, outWidth int
	kept, folded      int // ranks
}

func (t reduceTwin) run(c Call) {
	x, y := c.Buffers[0].F(), c.Buffers[1].F()
	outputs, length, splits, chunk, lanes := c.U(0), c.U(1), c.U(2), c.U(3), c.U(4)
	keptAt, foldedAt := c.Params[7:], c.Params[7+2*t.kept:]
	within := t.inWidth / t.outWidth // elements of a load that are folded
	var values []float32
	for i := range outputs * splits {
		out, split := i/splits, i%splits
		block, lane := split/lanes, split%lanes
		end := min((block+1)*lanes*chunk, length)
		base := decode(uint32(out), keptAt, t.kept, 1, 0)
		for j := range t.outWidth {
			values = values[:0]
			for r := block*lanes*chunk + lane; r < end; r += lanes {
				at := int(base+decode(uint32(r), foldedAt, t.folded, 1, 0))*t.inWidth + j
				values = append(values, x[at:at+within]...)
			}
			y[(split*outputs+out)*t.outWidth+j] = t.of(values, float64(c.F32(6)))
		}
	}
}

// of reduces the values of one output.
func (t reduceTwin) of(values []float32, count float64) float32 {
	if t.fold == nil {
		sum, top := 0.0, t.start
		for _, v := range values {
			top = max(top, float64(v))
		}
		for _, v := range values {
			sum += math.Exp(float64(v) - top)
		}
		return float32(top + math.Log(sum))
	}
	a := t.start
	for _, v := range values {
		a = t.fold(a, t.pre(float64(v)))
	}
	return float32(t.post(a, count))
}

func reduceVariants() []Kernel {
	var out []Kernel
	add := func(f string, shape, axes []int) {
		for _, p := range Reduce(f, shape, axes, CPU) {
			out = append(out, p.Kernel)
		}
	}
	for _, f := range ReduceNames() {
		add(f, []int{1024, 8}, []int{0}) // columns
		add(f, []int{3, 1024}, []int{1}) // rows
		add(f, []int{1024, 3}, []int{0})
		add(f, []int{1 << 12}, []int{0})
	}
	add("sum", []int{2, 3, 2, 3, 2, 3}, []int{0, 2, 4})
	add("sum", []int{2, 3, 2, 3, 2, 4}, []int{0, 2, 4})
	add("sum", []int{2, 3, 2, 3, 2, 4}, []int{1, 3, 5})
	return out
}
