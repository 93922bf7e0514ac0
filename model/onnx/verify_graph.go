package onnx

import (
	"errors"
	"fmt"
)

// A scope is what nodes may read: the values of their graph that come before
// them, and those of the graphs around it.
type scope struct {
	opsets map[string]int64 // domain → version
	values map[string]bool
	outer  *scope
	depth  int
}

// inside is the scope of a graph within a node.
func (s *scope) inside() *scope {
	return &scope{opsets: s.opsets, values: map[string]bool{}, outer: s, depth: s.depth + 1}
}

func (s *scope) knows(name string) bool {
	for ; s != nil; s = s.outer {
		if s.values[name] {
			return true
		}
	}
	return false
}

// graph reads a GraphProto: first what nodes may read, then the nodes in their
// order.
func (v *verifier) graph(s span, outer *scope) error {
	in := outer.inside()
	if in.depth > maxDepth {
		return fmt.Errorf("byte %d: more than %d graphs within each other", s.from, maxDepth)
	}
	whole := in.depth == 1
	stored := map[string]bool{}
	inputs, outputs := []Port{}, []Port{}
	var nodes []span
	err := v.each("GraphProto", s, func(f field) (bool, error) {
		switch f.number {
		case graphNode:
			nodes = append(nodes, f.content)
			return true, nil
		case graphInitializer, 15:
			name, err := v.initializer(f, whole)
			if err == nil && stored[name] {
				err = fmt.Errorf("byte %d: the tensor %q comes twice", f.at, name)
			}
			stored[name], in.values[name] = true, true
			return true, err
		case graphInput:
			p, err := v.port(f.content)
			inputs = append(inputs, p)
			return true, err
		case graphOutput:
			p, err := v.port(f.content)
			outputs = append(outputs, p)
			return true, err
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, p := range inputs {
		if seen[p.Name] {
			return fmt.Errorf("the input %q comes twice", p.Name)
		}
		seen[p.Name], in.values[p.Name] = true, true
		if whole && !stored[p.Name] { // else it has a default
			v.told.Inputs = append(v.told.Inputs, p)
		}
	}
	for _, n := range nodes {
		if err := v.node(n, in); err != nil {
			return err
		}
	}
	for _, p := range outputs {
		if !in.knows(p.Name) {
			return fmt.Errorf("no node gives the output %q", p.Name)
		}
	}
	if len(outputs) == 0 {
		return errors.New("a graph has no output")
	}
	if whole {
		v.told.Outputs, v.told.Nodes = outputs, len(nodes)
	}
	return nil
}

// initializer reads a tensor of the graph, or a sparse one, which has the name
// of its values.
func (v *verifier) initializer(f field, whole bool) (string, error) {
	s := f.content
	var err error
	if f.number != graphInitializer {
		if s, err = v.sparse(s); err != nil {
			return "", err
		}
	}
	t, err := v.tensor(s)
	if err != nil {
		return "", err
	}
	if t.name == "" {
		return "", fmt.Errorf("byte %d: a tensor without a name", f.at)
	}
	if whole {
		v.told.Tensors++
		v.told.Values += t.elements
		if t.notFinite {
			v.told.NotFinite = append(v.told.NotFinite, t.name)
		}
	}
	return t.name, nil
}

// node reads a NodeProto, and adds what it gives to its graph's scope.
func (v *verifier) node(s span, in *scope) error {
	var name, kind, domain string
	var inputs, outputs []string
	var graphs []span
	err := v.each("NodeProto", s, func(f field) (done bool, err error) {
		x := ""
		switch f.number {
		case 1:
			done, err = v.into(&x, f)
			inputs = append(inputs, x)
		case 2:
			done, err = v.into(&x, f)
			outputs = append(outputs, x)
		case 3:
			return v.into(&name, f)
		case 4:
			return v.into(&kind, f)
		case 5:
			var more []span
			more, err = v.attribute(f.content)
			done, graphs = true, append(graphs, more...)
		case 7:
			return v.into(&domain, f)
		}
		return done, err
	})
	if err != nil {
		return err
	}
	wrong := func(format string, a ...any) error {
		return fmt.Errorf("byte %d: the node %q (%s) %s", s.from, name, kind, fmt.Sprintf(format, a...))
	}
	if kind == "" {
		return wrong("names no operator")
	}
	if domain == "ai.onnx" {
		domain = ""
	}
	if in.opsets[domain] == 0 {
		return wrong("is of the domain %q, for which no opset is named", domain)
	}
	for _, x := range inputs {
		if x != "" && !in.knows(x) {
			return wrong("reads %q, which nothing before it gives", x)
		}
	}
	for _, g := range graphs {
		if err := v.graph(g, in); err != nil {
			return err
		}
	}
	for _, x := range outputs {
		if x != "" && in.values[x] {
			return wrong("gives %q, which is there already", x)
		}
		if x != "" {
			in.values[x] = true
		}
	}
	return nil
}

// attribute reads an AttributeProto but its graphs, which it returns.
func (v *verifier) attribute(s span) (graphs []span, err error) {
	name := ""
	err = v.each("AttributeProto", s, func(f field) (bool, error) {
		switch f.number {
		case 1:
			return v.into(&name, f)
		case 5, 10:
			_, err := v.tensor(f.content)
			return true, err
		case 6, 11:
			graphs = append(graphs, f.content)
			return true, nil
		case 22, 23:
			values, err := v.sparse(f.content)
			if err == nil {
				_, err = v.tensor(values)
			}
			return true, err
		}
		return false, nil
	})
	if err == nil && name == "" {
		err = fmt.Errorf("byte %d: an attribute without a name", s.from)
	}
	return graphs, err
}

// function reads a FunctionProto, whose nodes know nothing but its own inputs.
func (v *verifier) function(s span) error {
	in := &scope{opsets: map[string]int64{}, values: map[string]bool{}, depth: 1}
	var outputs []string
	var nodes []span
	name := ""
	err := v.each("FunctionProto", s, func(f field) (done bool, err error) {
		x := ""
		switch f.number {
		case 1:
			return v.into(&name, f)
		case 4:
			done, err = v.into(&x, f)
			in.values[x] = true
		case 5:
			done, err = v.into(&x, f)
			outputs = append(outputs, x)
		case 7:
			done, nodes = true, append(nodes, f.content)
		case 9:
			done, err = true, v.opset(f.content, in.opsets)
		case 11:
			_, err = v.attribute(f.content)
			done = true
		}
		return done, err
	})
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := v.node(n, in); err != nil {
			return fmt.Errorf("the function %q: %w", name, err)
		}
	}
	for _, x := range outputs {
		if !in.knows(x) {
			return fmt.Errorf("the function %q: no node gives the output %q", name, x)
		}
	}
	return nil
}
