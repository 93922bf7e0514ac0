package graph

import (
	"fmt"
	"slices"
	"strings"

	"duet/shaders"
)

// A Graph records operations on tensors. It is built once by plain Go code,
// differentiated, and lowered to a gpu.Program.
type Graph struct {
	values []value
	nodes  []*node
	scope  []string
	stores []store
	named  map[string]Tensor // inputs, parameters and states

	unfused bool // for tests: lower without kernel fusion
}

// A Tensor is a value of a graph: an input, a parameter, or the result of an
// operation. It is a small handle; operations are its methods.
type Tensor struct {
	g  *Graph
	id int
}

// A Slot is a place in external memory: Words 4-byte words of the external
// buffer named Buffer, from word Offset on. Offsets are multiples of 64.
type Slot struct {
	Buffer string
	Offset int
	Words  int // length of the whole buffer
}

type valueKind uint8

const (
	computed valueKind = iota
	input              // changes from run to run
	param              // a weight
	state              // read and written by operations, for example running statistics
)

type value struct {
	shape     []int
	kind      valueKind
	trainable bool
	name      string
	slot      Slot           // of inputs, params and states
	format    shaders.Format // of params
	producer  *node
}

type node struct {
	op    op
	in    []Tensor
	out   []Tensor
	label string
}

type store struct {
	t    Tensor
	slot Slot
}

// An op is one kind of operation: its shape rule, its gradient rule and its kernels.
type op interface {
	name() string
	// infer returns the shapes of the outputs; it calls fail on a mismatch.
	infer(in [][]int) [][]int
	// grad returns the gradient of each input (the zero Tensor where there is
	// none or none is wanted) given those of the outputs (the zero Tensor where an
	// output is unused).
	grad(n *node, dy []Tensor, wanted []bool) []Tensor
	// lower appends the node's dispatches.
	lower(l *lowering, n *node)
}

// noGrad is embedded by operations that have no derivative: the gradient
// kernels themselves.
type noGrad struct{}

func (noGrad) grad(n *node, _ []Tensor, _ []bool) []Tensor {
	fail("%s has no derivative", n.label)
	return nil
}

// Build runs f on a new graph and turns a shape error, which panics where it
// is made, into an error.
func Build(f func(g *Graph)) (g *Graph, err error) {
	g = &Graph{named: map[string]Tensor{}}
	defer recoverShape(&err)
	f(g)
	return g, nil
}

type shapeError string

func recoverShape(err *error) {
	switch r := recover().(type) {
	case nil:
	case shapeError:
		*err = fmt.Errorf("graph: %s", string(r))
	default:
		panic(r)
	}
}

func fail(format string, a ...any) {
	panic(shapeError(fmt.Sprintf(format, a...)))
}

// Scope prefixes the labels of the operations that f adds.
func (g *Graph) Scope(name string, f func()) {
	g.scope = append(g.scope, name)
	defer func() { g.scope = g.scope[:len(g.scope)-1] }()
	f()
}

func (g *Graph) newValue(v value) Tensor {
	g.values = append(g.values, v)
	return Tensor{g, len(g.values) - 1}
}

// Input declares an external input of the given shape.
func (g *Graph) Input(name string, shape ...int) Tensor {
	return g.external(input, name, shape, Slot{Buffer: name}, false)
}

// Param declares a weight that lives in slot. Operations on parameters that
// are not trainable run once, at set-up.
func (g *Graph) Param(name string, shape []int, slot Slot, trainable bool) Tensor {
	return g.external(param, name, shape, slot, trainable)
}

// PackedParam declares an untrained weight that lies in slot in a packed format.
// Only [Tensor.LinearPacked], [Tensor.Conv2DPacked] and [Graph.EmbeddingPacked] take it.
func (g *Graph) PackedParam(name string, shape []int, slot Slot, format shaders.Format) Tensor {
	t := g.external(param, name, shape, slot, false)
	t.value().format = format
	return t
}

// State declares memory that operations update, such as running statistics.
func (g *Graph) State(name string, shape []int, slot Slot) Tensor {
	return g.external(state, name, shape, slot, false)
}

// external declares memory from outside once; asking again returns the same tensor.
func (g *Graph) external(kind valueKind, name string, shape []int, slot Slot, trainable bool) Tensor {
	if t, ok := g.named[name]; ok {
		if v := t.value(); v.kind != kind || !slices.Equal(v.shape, shape) {
			fail("%s is declared twice, with shapes %v and %v", name, v.shape, shape)
		}
		return t
	}
	if slot.Words == 0 {
		slot.Words = slot.Offset + count(shape)
	}
	t := g.newValue(value{shape: slices.Clone(shape), kind: kind, name: name, slot: slot, trainable: trainable})
	g.named[name] = t
	return t
}

// Store makes t an output: every run writes it to slot.
func (g *Graph) Store(t Tensor, slot Slot) {
	if slot.Words == 0 {
		slot.Words = slot.Offset + t.Len()
	}
	g.stores = append(g.stores, store{t, slot})
}

// Output stores t in an external buffer of its own.
func (g *Graph) Output(name string, t Tensor) {
	g.Store(t, Slot{Buffer: name})
}

// apply adds a node and returns its outputs.
func (g *Graph) apply(o op, in ...Tensor) []Tensor {
	shapes := make([][]int, len(in))
	for i, t := range in {
		if !t.ok() {
			fail("%s: operand %d is missing", o.name(), i)
		}
		if format := t.value().format; format != shaders.F32 && !takesPacked(o, i) {
			fail("%s: operand %d lies in a packed format", o.name(), i)
		}
		shapes[i] = t.Shape()
	}
	n := &node{op: o, in: in, label: strings.Join(append(slices.Clone(g.scope), o.name()), ".")}
	for _, s := range o.infer(shapes) {
		n.out = append(n.out, g.newValue(value{shape: s, producer: n}))
	}
	g.nodes = append(g.nodes, n)
	return n.out
}

// takesPacked tells whether operand i of an operation may be packed.
func takesPacked(o op, i int) bool {
	switch o.(type) {
	case matmul, conv2D:
		return i == 1
	case embedding:
		return i > 0
	}
	return false
}

func (g *Graph) apply1(o op, in ...Tensor) Tensor { return g.apply(o, in...)[0] }

func (t Tensor) ok() bool      { return t.g != nil }
func (t Tensor) value() *value { return &t.g.values[t.id] }

// Shape returns the tensor's dimensions; callers must not change them.
func (t Tensor) Shape() []int { return t.value().shape }

// Dim returns dimension i, counted from the end when negative.
func (t Tensor) Dim(i int) int {
	s := t.Shape()
	if i < 0 {
		i += len(s)
	}
	return s[i]
}

// Len returns the number of elements.
func (t Tensor) Len() int { return count(t.Shape()) }

// Graph returns the graph that t belongs to.
func (t Tensor) Graph() *Graph { return t.g }

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// rows returns the product of all dimensions but the last.
func rows(shape []int) int { return count(shape[:len(shape)-1]) }
