package conform

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"duet/gpu"
)

// These tests compare mappings that the reference data hardly reaches with
// plain float64 loops over random numbers.

func random(rng *rand.Rand, name string, shape ...int) *Value {
	v := &Value{Name: name, DType: "float32", Shape: shape}
	for range v.Len() {
		v.Data = append(v.Data, float64(float32(rng.NormFloat64())))
	}
	return v
}

func integers(name string, values ...float64) *Value {
	return &Value{Name: name, DType: "int64", Shape: []int{len(values)}, Data: values}
}

// expect runs one operator on the twins and compares its outputs.
func expect(t *testing.T, suite, op string, opset int, attrs map[string]any, inputs []*Value, outputs ...*Value) {
	t.Helper()
	c := &Case{Suite: suite, Op: op, Name: op, opset: opset, inputs: inputs, outputs: outputs, names: valueNames(outputs)}
	c.operators = []operator{{Op: op, Attrs: attrs, In: valueNames(inputs), Out: c.names}}
	if suite == WebNN {
		c.operators[0].In = nil
	}
	if _, err := c.run(t.Context(), gpu.NewReference(), suiteTolerance(suite)); err != nil {
		t.Error(err)
	}
}

func numbers(values ...int) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// windows calls f for every output position of a window over size, with the
// input positions that it meets and the kernel's positions there.
func windows(size []int, w window, out []int, f func(at int, in, tap []int)) {
	for at := range product(out) {
		o := unflatten(at, out)
		var in, tap []int
		for k := range product(w.kernel) {
			kk, p, inside := unflatten(k, w.kernel), make([]int, len(size)), true
			for d := range size {
				p[d] = o[d]*w.stride[d] - w.before[d] + kk[d]*w.dilation[d]
				inside = inside && p[d] >= 0 && p[d] < size[d]
			}
			if inside {
				in, tap = append(in, flatten(p, size)), append(tap, k)
			}
		}
		f(at, in, tap)
	}
}

func unflatten(i int, shape []int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d], i = i%shape[d], i/shape[d]
	}
	return at
}

func flatten(at, shape []int) int {
	i := 0
	for d := range shape {
		i = i*shape[d] + at[d]
	}
	return i
}

// windowCases have one to three dimensions.
var windowCases = []struct {
	size, out []int
	w         window
	attrs     map[string]any
}{
	{[]int{9}, []int{4}, window{kernel: []int{3}, stride: []int{2}, before: []int{1}, behind: []int{0}, dilation: []int{1}},
		map[string]any{"kernel_shape": numbers(3), "strides": numbers(2), "pads": numbers(1, 0)}},
	{[]int{7, 8}, []int{3, 3}, window{kernel: []int{3, 2}, stride: []int{2, 3}, before: []int{0, 1}, behind: []int{1, 1}, dilation: []int{1, 2}},
		map[string]any{"kernel_shape": numbers(3, 2), "strides": numbers(2, 3), "pads": numbers(0, 1, 1, 1), "dilations": numbers(1, 2)}},
	{[]int{5, 6, 7}, []int{3, 5, 3}, window{kernel: []int{3, 2, 3}, stride: []int{2, 1, 2}, before: []int{2, 0, 1}, behind: []int{1, 0, 0}, dilation: []int{1, 1, 1}},
		map[string]any{"kernel_shape": numbers(3, 2, 3), "strides": numbers(2, 1, 2), "pads": numbers(2, 0, 1, 1, 0, 0)}},
	{[]int{6, 4, 4}, []int{2, 4, 4}, window{kernel: []int{3, 1, 1}, stride: []int{1, 1, 1}, before: []int{0, 0, 0}, behind: []int{0, 0, 0}, dilation: []int{2, 1, 1}},
		map[string]any{"kernel_shape": numbers(3, 1, 1), "dilations": numbers(2, 1, 1)}},
}

func TestConvolution(t *testing.T) {
	for _, c := range windowCases {
		t.Run(fmt.Sprint(c.size, c.w.kernel), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			x, f, bias := random(rng, "x", append([]int{2, 3}, c.size...)...), random(rng, "f", append([]int{5, 3}, c.w.kernel...)...), random(rng, "b", 5)
			y := &Value{Name: "y", Shape: append([]int{2, 5}, c.out...), Data: make(data, 10*product(c.out))}
			for n := range 2 {
				for o := range 5 {
					windows(c.size, c.w, c.out, func(at int, in, tap []int) {
						sum := bias.Data[o]
						for ch := range 3 {
							for i := range in {
								sum += x.Data[(n*3+ch)*product(c.size)+in[i]] * f.Data[(o*3+ch)*product(c.w.kernel)+tap[i]]
							}
						}
						y.Data[(n*5+o)*product(c.out)+at] = sum
					})
				}
			}
			expect(t, ONNX, "Conv", 22, c.attrs, []*Value{x, f, bias}, y)
		})
	}
}

func TestPools(t *testing.T) {
	for _, c := range windowCases {
		for _, op := range []string{"MaxPool", "AveragePool"} {
			t.Run(fmt.Sprint(op, c.size, c.w.kernel), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				x := random(rng, "x", append([]int{2, 3}, c.size...)...)
				y := &Value{Name: "y", Shape: append([]int{2, 3}, c.out...), Data: make(data, 6*product(c.out))}
				for n := range 6 {
					windows(c.size, c.w, c.out, func(at int, in, _ []int) {
						most, sum := math.Inf(-1), 0.0
						for _, i := range in {
							v := x.Data[n*product(c.size)+i]
							most, sum = max(most, v), sum+v
						}
						y.Data[n*product(c.out)+at] = most
						if op == "AveragePool" {
							y.Data[n*product(c.out)+at] = sum / float64(len(in))
						}
					})
				}
				expect(t, ONNX, op, 22, c.attrs, []*Value{x}, y)
			})
		}
	}
}

// TestAttention checks grouped heads, cached keys and values, causal order,
// padding and the scores asked for.
func TestAttention(t *testing.T) {
	const b, heads, kvHeads, queries, keys, past, dh, dv = 2, 4, 2, 3, 4, 2, 8, 6
	const all = past + keys
	rng := rand.New(rand.NewPCG(5, 6))
	q, k, v := random(rng, "q", b, heads, queries, dh), random(rng, "k", b, kvHeads, keys, dh), random(rng, "v", b, kvHeads, keys, dv)
	pastK, pastV := random(rng, "pastK", b, kvHeads, past, dh), random(rng, "pastV", b, kvHeads, past, dv)
	mask := random(rng, "mask", heads, queries, all)
	join := func(name string, p, x *Value, d int) *Value {
		y := &Value{Name: name, Shape: []int{b, kvHeads, all, d}}
		for i := range b * kvHeads {
			y.Data = append(append(y.Data, p.Data[i*past*d:(i+1)*past*d]...), x.Data[i*keys*d:(i+1)*keys*d]...)
		}
		return y
	}
	presentK, presentV := join("presentK", pastK, k, dh), join("presentV", pastV, v, dv)
	for _, c := range []struct {
		name    string
		mode    int
		attrs   map[string]any
		lengths []float64
		hidden  func(n, query, key int) bool
	}{
		{"products", 0, map[string]any{}, nil, func(int, int, int) bool { return false }},
		{"masked", 2, map[string]any{"scale": 0.3}, nil, func(int, int, int) bool { return false }},
		{"causal", 3, map[string]any{"is_causal": 1.0}, nil, func(_, query, key int) bool { return key > query+past }},
		{"padding", -1, map[string]any{}, []float64{3, 6}, func(n, _, key int) bool { return key >= []int{3, 6}[n] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			scale := 1 / math.Sqrt(dh)
			if s, ok := c.attrs["scale"].(float64); ok {
				scale = s
			}
			y := &Value{Name: "y", Shape: []int{b, heads, queries, dv}}
			scores := &Value{Name: "scores", Shape: []int{b, heads, queries, all}}
			for n := range b {
				for h := range heads {
					kv := n*kvHeads + h/(heads/kvHeads)
					for query := range queries {
						steps := [4][]float64{}
						for key := range all {
							s := 0.0
							for d := range dh {
								s += q.Data[((n*heads+h)*queries+query)*dh+d] * presentK.Data[(kv*all+key)*dh+d] * scale
							}
							m := s + mask.Data[(h*queries+query)*all+key]
							if c.hidden(n, query, key) {
								m = math.Inf(-1)
							}
							steps[0], steps[1], steps[2] = append(steps[0], s), append(steps[1], s), append(steps[2], m)
						}
						sum := 0.0
						for _, s := range steps[2] {
							sum += math.Exp(s)
						}
						for _, s := range steps[2] {
							steps[3] = append(steps[3], math.Exp(s)/sum)
						}
						for d := range dv {
							total := 0.0
							for key, p := range steps[3] {
								total += p * presentV.Data[(kv*all+key)*dv+d]
							}
							y.Data = append(y.Data, total)
						}
						scores.Data = append(scores.Data, steps[max(c.mode, 0)]...)
					}
				}
			}
			inputs := []*Value{q, k, v, mask, pastK, pastV}
			outputs := []*Value{y, presentK, presentV}
			if c.lengths != nil {
				inputs = append(inputs, integers("lengths", c.lengths...))
			}
			if c.mode >= 0 {
				c.attrs["qk_matmul_output_mode"] = float64(c.mode)
				outputs = append(outputs, scores)
			}
			expect(t, ONNX, "Attention", 24, c.attrs, inputs, outputs...)
		})
	}
}

// A mask of truths, shorter than the keys, hides the rest from version 24 on.
func TestAttentionShortMask(t *testing.T) {
	q, k := &Value{Name: "q", DType: "float32", Shape: []int{1, 1, 4}, Data: data{0, 0, 0, 0}}, &Value{Name: "k", DType: "float32", Shape: []int{1, 3, 4}, Data: make(data, 12)}
	v := &Value{Name: "v", DType: "float32", Shape: []int{1, 3, 4}, Data: data{1, 2, 3, 4, 5, 6, 7, 8, 900, 900, 900, 900}}
	mask := &Value{Name: "mask", DType: "bool", Shape: []int{1, 2}, Data: data{1, 1}}
	y := &Value{Name: "y", Shape: []int{1, 1, 4}, Data: data{3, 4, 5, 6}}
	expect(t, ONNX, "Attention", 24, map[string]any{"q_num_heads": 1.0, "kv_num_heads": 1.0}, []*Value{q, k, v, mask}, y)
}

func TestONNXMappings(t *testing.T) {
	f := func(name string, shape []int, values ...float64) *Value {
		return &Value{Name: name, DType: "float32", Shape: shape, Data: values}
	}
	for _, c := range []struct {
		name, op string
		opset    int
		attrs    map[string]any
		inputs   []*Value
		outputs  []*Value
	}{
		{"softmax over all behind the axis", "Softmax", 6, map[string]any{}, []*Value{f("x", []int{1, 2, 2}, 0, 0, 0, 0)},
			[]*Value{f("y", []int{1, 2, 2}, 0.25, 0.25, 0.25, 0.25)}},
		{"addend aligned at an axis", "Add", 6, map[string]any{"broadcast": 1.0, "axis": 0.0}, []*Value{f("a", []int{2, 2}, 1, 2, 3, 4), f("b", []int{2}, 10, 20)},
			[]*Value{f("y", []int{2, 2}, 11, 12, 23, 24)}},
		{"matmul of vector and matrices", "MatMul", 13, nil, []*Value{f("a", []int{2}, 1, 2), f("b", []int{2, 2, 1}, 1, 2, 3, 4)}, []*Value{f("y", []int{2, 1}, 5, 11)}},
		{"reduce no axis", "ReduceSumSquare", 18, map[string]any{"noop_with_empty_axes": 1.0}, []*Value{f("x", []int{2}, 2, -3)}, []*Value{f("y", []int{2}, 4, 9)}},
		{"gather columns", "Gather", 13, map[string]any{"axis": 1.0}, []*Value{f("x", []int{2, 3}, 1, 2, 3, 4, 5, 6), integers("ids", -1, 0)}, []*Value{f("y", []int{2, 2}, 3, 1, 6, 4)}},
		{"parts of unequal size", "Split", 18, map[string]any{"num_outputs": 2.0}, []*Value{f("x", []int{3}, 1, 2, 3)}, []*Value{f("y", []int{2}, 1, 2), f("z", []int{1}, 3)}},
		{"unsqueeze", "Unsqueeze", 13, nil, []*Value{f("x", []int{2}, 1, 2), integers("axes", -1, 0)}, []*Value{f("y", []int{1, 2, 1}, 1, 2)}},
		{"squeeze", "Squeeze", 13, nil, []*Value{f("x", []int{1, 2, 1}, 1, 2), integers("axes", -1)}, []*Value{f("y", []int{1, 2}, 1, 2)}},
		{"reshape", "Reshape", 14, nil, []*Value{f("x", []int{2, 2}, 1, 2, 3, 4), integers("shape", 0, 1, -1)}, []*Value{f("y", []int{2, 1, 2}, 1, 2, 3, 4)}},
		{"layer-norm without bias, scale broadcast", "LayerNormalization", 17, map[string]any{"axis": 0.0, "epsilon": 0.0},
			[]*Value{f("x", []int{2, 2}, 1, -1, 1, -1), f("s", []int{2}, 2, 3)}, []*Value{f("y", []int{2, 2}, 2, -3, 2, -3), f("mean", []int{1, 1}, 0), f("rstd", []int{1, 1}, 1)}},
		{"instance-norm", "InstanceNormalization", 6, map[string]any{"epsilon": 0.0},
			[]*Value{f("x", []int{1, 2, 2}, 1, -1, 2, 4), f("s", []int{2}, 2, 3), f("b", []int{2}, 0, 1)}, []*Value{f("y", []int{1, 2, 2}, 2, -2, -2, 4)}},
		{"loss that ignores class 0", "SoftmaxCrossEntropyLoss", 13, map[string]any{"ignore_index": 0.0},
			[]*Value{f("x", []int{2, 2}, 9, 1, 0, 0), integers("t", 0, 1)}, []*Value{f("y", []int{}, math.Ln2)}},
		{"adam after a step", "Adam", 1, map[string]any{"alpha": 0.5, "beta": 0.75, "norm_coefficient_post": 0.5},
			[]*Value{f("r", []int{}, 0.5), {Name: "t", DType: "int64", Data: data{1}}, f("x", []int{1}, 3), f("g", []int{1}, 2), f("v", []int{1}, 0), f("h", []int{1}, 0)},
			[]*Value{f("xn", []int{1}, 1.25), f("vn", []int{1}, 1), f("hn", []int{1}, 1)}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, ONNX, c.op, c.opset, c.attrs, c.inputs, c.outputs...) })
	}
}

func TestWebNNMappings(t *testing.T) {
	f := func(name string, shape []int, values ...float64) *Value {
		return &Value{Name: name, DType: "float32", Shape: shape, Data: values}
	}
	x := f("x", []int{1, 1, 3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	for _, c := range []struct {
		name, op string
		attrs    map[string]any
		inputs   []*Value
		want     *Value
	}{
		{"gemm", "gemm", map[string]any{"a": "a", "b": "b", "c": "c", "alpha": 2.0, "beta": 3.0, "aTranspose": true, "bTranspose": true},
			[]*Value{f("a", []int{2, 1}, 1, 2), f("b", []int{1, 2}, 3, 4), f("c", []int{}, 5)}, f("y", []int{1, 1}, 37)},
		{"gelu", "gelu", map[string]any{"input": "x"}, []*Value{f("x", []int{2}, 0, 1)}, f("y", []int{2}, 0, 0.841344746)},
		{"prelu", "prelu", map[string]any{"input": "x", "slope": "s"}, []*Value{f("x", []int{2}, -2, 3), f("s", []int{1}, 0.5)}, f("y", []int{2}, -1, 3)},
		{"maximum, rounded up", "maxPool2d", map[string]any{"input": "x", "windowDimensions": numbers(2, 2), "strides": numbers(2, 2), "outputShapeRounding": "ceil"},
			[]*Value{x}, f("y", []int{1, 1, 2, 2}, 5, 6, 8, 9)},
		{"maximum of stated size", "maxPool2d", map[string]any{"input": "x", "windowDimensions": numbers(2, 2), "strides": numbers(2, 2), "outputSizes": numbers(2, 2)},
			[]*Value{x}, f("y", []int{1, 1, 2, 2}, 5, 6, 8, 9)},
		{"mean of all", "averagePool2d", map[string]any{"input": "x"}, []*Value{x}, f("y", []int{1, 1, 1, 1}, 5)},
		{"mean, channels last", "averagePool2d", map[string]any{"input": "z", "layout": "nhwc", "windowDimensions": numbers(1, 2), "padding": numbers(0, 0, 1, 0)},
			[]*Value{f("z", []int{1, 1, 2, 2}, 1, 2, 3, 4)}, f("y", []int{1, 1, 2, 2}, 1, 2, 2, 3)},
		{"not equal", "notEqual", map[string]any{"a": "a", "b": "b"}, []*Value{f("a", []int{2}, 1, 2), f("b", []int{}, 2)}, f("y", []int{2}, 1, 0)},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, WebNN, c.op, 0, c.attrs, c.inputs, c.want) })
	}
}
