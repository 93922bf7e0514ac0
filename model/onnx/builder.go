package onnx

import (
	"fmt"

	"duet/model/nn"
)

// A value is the name of a tensor in the graph.
type value string

// The graph's inputs and its output.
const (
	pixelValues   value = "pixel_values"
	inputIDs      value = "input_ids"
	attentionMask value = "attention_mask"
	logits        value = "logits"
)

// A builder collects the nodes of a graph in the order in which they run.
type builder struct {
	nodes [][]byte
	used  map[string]bool // parameters
	scope string          // the part of the model that nodes belong to; the first part of their names
}

func newBuilder() *builder { return &builder{used: map[string]bool{}} }

// in runs f with a scope.
func (b *builder) in(scope string, f func()) {
	outer := b.scope
	b.scope = scope
	f()
	b.scope = outer
}

// op adds a node and returns its output.
func (b *builder) op(kind string, inputs []value, attributes ...attribute) value {
	out := value(fmt.Sprintf("%s/%s_%d", b.scope, kind, len(b.nodes)))
	b.put(kind, inputs, out, attributes)
	return out
}

// put adds a node with an output of the given name.
func (b *builder) put(kind string, inputs []value, out value, attributes []attribute) {
	name := fmt.Sprintf("%s/%s_%d", b.scope, kind, len(b.nodes))
	b.nodes = append(b.nodes, node(name, kind, inputs, out, attributes))
}

// one adds a node of a single input.
func (b *builder) one(kind string, x value, attributes ...attribute) value {
	return b.op(kind, []value{x}, attributes...)
}

// two adds a node of two inputs.
func (b *builder) two(kind string, x, y value, attributes ...attribute) value {
	return b.op(kind, []value{x, y}, attributes...)
}

// param is a parameter's value.
func (b *builder) param(p *nn.Param) value {
	b.used[p.Name] = true
	return value(p.Name)
}

// number is a float32 scalar.
func (b *builder) number(v float32) value {
	return b.op("Constant", nil, floatAttribute("value_float", v))
}

// integer is an int64 scalar.
func (b *builder) integer(v int64) value {
	return b.op("Constant", nil, intAttribute("value_int", v))
}

// integers is a vector of int64.
func (b *builder) integers(values ...int64) value {
	return b.op("Constant", nil, intsAttribute("value_ints", values...))
}

// reshape gives x the shape that sizes and fixed make together; each of sizes is
// a vector of int64, -1 stands for what is left.
func (b *builder) reshape(x, sizes value, fixed ...int64) value {
	return b.two("Reshape", x, b.op("Concat", []value{sizes, b.integers(fixed...)}, intAttribute("axis", 0)))
}

// rows gives x the shape [… width].
func (b *builder) rows(x value, width int) value {
	return b.two("Reshape", x, b.integers(-1, int64(width)))
}

func (b *builder) transpose(x value, order ...int64) value {
	return b.one("Transpose", x, intsAttribute("perm", order...))
}

// first is x[:, 0] of x [batch n …].
func (b *builder) first(x value) value {
	return b.two("Gather", x, b.integer(0), intAttribute("axis", 1))
}
