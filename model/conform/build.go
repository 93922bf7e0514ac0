package conform

import (
	"errors"
	"fmt"
	"slices"

	"duet/gpu"
	"duet/model/graph"
	"duet/shaders"
)

// A job is a case as a program: what its external buffers hold before the run,
// and what must be found in some of them afterwards.
type job struct {
	program  *gpu.Program
	contents map[string][]byte
	checks   []check
}

// A check compares a buffer with what the case states.
type check struct {
	buffer  string
	want    *Value
	offset  int  // of the tensor in the buffer, in words
	integer bool // the buffer holds integers
}

// outOfScope is why a case cannot be asked of the engine: the name of an
// operator, or an attribute or input of one.
type outOfScope string

func (o outOfScope) Error() string { return string(o) }

// badCase is a contradiction between a case and its operator's definition.
type badCase string

// unsupported ends the building of a case that is out of scope.
func unsupported(format string, a ...any) { panic(outOfScope(fmt.Sprintf(format, a...))) }

// mismatch ends the building of a case that is not as its operator wants it.
func mismatch(format string, a ...any) { panic(badCase(fmt.Sprintf(format, a...))) }

// build turns a case into a program. The error is an [outOfScope] where an
// operator or attribute is out of scope.
func (c *Case) build(target shaders.Target) (j *job, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case outOfScope:
			j, err = nil, r
		default:
			j, err = nil, fmt.Errorf("%v", r)
		}
	}()
	if c.optimizer != nil {
		return c.optimizer.build(c.Name)
	}
	if c.Suite == ONNX && c.Op == "Adam" {
		return buildAdam(c)
	}
	b := &builder{c: c, operands: map[string]*operand{}, job: &job{contents: map[string][]byte{}}}
	g, err := graph.Build(b.build)
	if err == nil {
		b.job.program, err = g.Lower(c.Name, target)
	}
	if err != nil {
		return nil, err
	}
	return b.job, nil
}

// builder is the state of building one case's graph.
type builder struct {
	c        *Case
	g        *graph.Graph
	operands map[string]*operand
	job      *job
}

// An operand is a named tensor of a case.
type operand struct {
	value   *Value       // of inputs: what the file states
	tensor  graph.Tensor // of inputs: the zero Tensor until an operator asks for it
	integer bool         // the tensor holds integers
	used    bool
}

func (b *builder) build(g *graph.Graph) {
	b.g = g
	for _, v := range b.c.inputs {
		if v != nil {
			b.operands[v.Name] = &operand{value: v}
		}
	}
	table := operators(b.c.Suite)
	for _, o := range b.c.operators {
		if v, err := o.constant(); v != nil || err != nil {
			if err != nil {
				mismatch("operator Constant: %v", err)
			}
			b.operands[v.Name] = &operand{value: v}
			continue
		}
		f, ok := table[o.Op]
		if !ok {
			unsupported("operator %s", o.Op)
		}
		n := &node{builder: b, operator: o, attrs: newAttributes(o.Attrs)}
		out := f(n)
		n.finish(out)
		for i, name := range o.Out {
			if name != "" {
				b.operands[name] = &operand{tensor: out[i], integer: n.integer && i == 0}
			}
		}
	}
	for i, want := range b.c.outputs {
		if want == nil {
			continue
		}
		o := b.operands[b.c.names[i]]
		if o == nil {
			mismatch("nothing computes output %s", b.c.names[i])
		}
		b.output(want, b.tensor(o), o.integer)
	}
	if b.c.inputGrads != nil {
		b.gradients()
	}
}

// operators returns the table of a suite: each builds an operator's outputs.
func operators(suite string) map[string]func(*node) []graph.Tensor {
	switch suite {
	case ONNX:
		return onnxOperators()
	case WebNN:
		return webNNOperators()
	}
	return gradientOperators()
}

// output stores t and compares it with want.
func (b *builder) output(want *Value, t graph.Tensor, integer bool) {
	if !slices.Equal(t.Shape(), want.Shape) {
		mismatch("%s has shape %v, want %v", want.Name, t.Shape(), want.Shape)
	}
	if t.Len() == 0 {
		return
	}
	buffer := "output " + want.Name
	b.g.Output(buffer, t)
	b.job.checks = append(b.job.checks, check{buffer: buffer, want: want, integer: integer})
}

// external declares an input of the graph with the given content.
func (b *builder) external(name string, content []byte, shape ...int) graph.Tensor {
	b.job.contents[name] = content
	return b.g.Input(name, shape...)
}

// tensor returns an operand as the graph knows it, declaring it at first use.
func (b *builder) tensor(o *operand) graph.Tensor {
	if o.tensor.Graph() == nil {
		if !o.value.isFloat() {
			unsupported("data type %s", o.value.DType)
		}
		o.tensor = b.external("input "+o.value.Name, o.value.floats(), o.value.Shape...)
	}
	return o.tensor
}

// gradients adds Σ output·output_grad's gradients of the inputs that have one.
func (b *builder) gradients() {
	if len(b.c.outputs) != 1 || len(b.c.outputGrads) != 1 {
		mismatch("%d outputs and %d gradients of outputs, want one of each", len(b.c.outputs), len(b.c.outputGrads))
	}
	y, dy := b.tensor(b.operands[b.c.names[0]]), b.c.outputGrads[0]
	var wants []*Value
	var inputs []graph.Tensor
	for _, want := range b.c.inputGrads {
		if want == nil {
			continue
		}
		o := b.operands[want.Name[min(1, len(want.Name)):]]
		if o == nil {
			mismatch("gradient %s belongs to no input", want.Name)
		}
		wants, inputs = append(wants, want), append(inputs, b.tensor(o))
	}
	for i, d := range b.g.GradientsFrom(y, b.external("output gradient", dy.floats(), dy.Shape...), inputs...) {
		if d.Graph() == nil {
			mismatch("the output does not depend on the input of %s", wants[i].Name)
		}
		b.output(wants[i], d, false)
	}
}

// A node is an operator while it is built.
type node struct {
	*builder
	operator
	attrs   attributes
	integer bool // set by an operator whose first output holds integers
	extra   int  // inputs added
}

// operand returns input i, nil where it is left out.
func (n *node) operand(i int) *operand {
	if i >= len(n.In) || n.In[i] == "" {
		return nil
	}
	return n.named(n.In[i])
}

func (n *node) named(name string) *operand {
	o := n.operands[name]
	if o == nil {
		mismatch("%s reads %s, which nothing computes", n.Op, name)
	}
	o.used = true
	return o
}

// in returns input i, which must be there.
func (n *node) in(i int) graph.Tensor {
	t, ok := n.optional(i)
	if !ok {
		mismatch("%s lacks input %d", n.Op, i)
	}
	return t
}

// optional returns input i and whether it is there.
func (n *node) optional(i int) (graph.Tensor, bool) {
	o := n.operand(i)
	if o == nil {
		return graph.Tensor{}, false
	}
	return n.tensor(o), true
}

// stated returns the data of input i, nil where it is left out. Shapes, axes and
// indices must be stated by the case: the engine's graphs are static.
func (n *node) stated(i int) *Value {
	o := n.operand(i)
	if o == nil {
		return nil
	}
	if o.value == nil {
		unsupported("%s with computed %s", n.Op, n.In[i])
	}
	return o.value
}

// wants reports whether the case asks for output i.
func (n *node) wants(i int) bool { return i < len(n.Out) && n.Out[i] != "" }

// constant adds an input with a content of the mapping's own.
func (n *node) constant(content []byte, shape ...int) graph.Tensor {
	n.extra++
	return n.external(fmt.Sprintf("%s constant %d", n.Op, n.extra), content, shape...)
}

// finish puts a case out of scope that asks for more than its operator's
// mapping gives.
func (n *node) finish(out []graph.Tensor) {
	if name := n.attrs.unused(); name != "" {
		unsupported("%s with attribute %s", n.Op, name)
	}
	for i, name := range n.In {
		if name != "" && !n.operands[name].used {
			unsupported("%s with input %d", n.Op, i)
		}
	}
	for i, name := range n.Out {
		if name != "" && (i >= len(out) || out[i].Graph() == nil) {
			unsupported("%s with output %d", n.Op, i)
		}
	}
}

// isOutOfScope returns why a case is out of scope, "" when err is another error.
func isOutOfScope(err error) string {
	var o outOfScope
	if errors.As(err, &o) {
		return string(o)
	}
	return ""
}
