package conform

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// The suites, named by their folders.
const (
	ONNX      = "onnx-json"
	WebNN     = "wpt-webnn-json"
	Gradients = "torch-gradients"
)

// Suites returns the names of all suites, in the order in which they run.
func Suites() []string { return []string{ONNX, WebNN, Gradients} }

// A Case is one test of a suite: operators over stated inputs, and what must
// come out.
type Case struct {
	Suite, Name string
	Op          string // the operator that the case is counted under
	opset       int    // of ONNX
	operators   []operator
	inputs      []*Value // by position, nil where one is left out
	outputs     []*Value // likewise
	names       []string // of the outputs of the last operators, by position
	outputGrads []*Value // of torch-gradients
	inputGrads  []*Value // named d + the input's name
	optimizer   *optimizerCase
}

// An operator is one step of a case.
type operator struct {
	Op    string         `json:"op"`
	Attrs map[string]any `json:"attrs"`
	In    []string       `json:"inputs"`  // by position, "" where one is left out
	Out   []string       `json:"outputs"` // likewise
}

// constant returns the tensor that ONNX's operator Constant states, nil for
// other operators.
func (o operator) constant() (*Value, error) {
	if o.Op != "Constant" || len(o.Attrs) != 1 || o.Attrs["value"] == nil || len(o.Out) != 1 {
		return nil, nil
	}
	text, err := json.Marshal(o.Attrs["value"])
	if err != nil {
		return nil, err
	}
	v := new(Value)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, err
	}
	v.Name = o.Out[0]
	return v, v.check()
}

// Load reads the cases of a suite, sorted by operator and name. It fails when
// the folder is not there or a file is malformed.
func Load(fsys fs.FS, suite string) ([]*Case, error) {
	var cases []*Case
	err := fs.WalkDir(fsys, suite, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(file) != ".json" {
			return err
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return err
		}
		found, err := parse(suite, file, text)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		cases = append(cases, found...)
		return nil
	})
	if err == nil && len(cases) == 0 {
		err = errors.New("there are no cases")
	}
	if err != nil {
		return nil, fmt.Errorf("conform: reading suite %s: %w", suite, err)
	}
	slices.SortStableFunc(cases, func(a, b *Case) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Op), strings.ToLower(b.Op)), strings.Compare(a.Name, b.Name))
	})
	return cases, nil
}

func parse(suite, file string, text []byte) (cases []*Case, err error) {
	switch suite {
	case ONNX:
		cases, err = parseONNX(text)
	case WebNN:
		cases, err = parseWebNN(text)
	case Gradients:
		cases, err = parseGradients(path.Base(file), text)
	default:
		err = fmt.Errorf("no suite %q", suite)
	}
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		c.Suite = suite
		for _, list := range [][]*Value{c.inputs, c.outputs, c.outputGrads, c.inputGrads} {
			for _, v := range list {
				if v == nil {
					continue
				}
				if err := v.check(); err != nil {
					return nil, fmt.Errorf("case %s: %w", c.Name, err)
				}
			}
		}
	}
	return cases, nil
}

func parseONNX(text []byte) ([]*Case, error) {
	var file struct {
		Name    string
		Op      string
		Attrs   map[string]any
		Opset   map[string]int
		Nodes   []operator
		Inputs  []*Value
		Outputs []*Value
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	c := &Case{Name: file.Name, Op: file.Op, operators: file.Nodes, inputs: file.Inputs, outputs: file.Outputs}
	for _, version := range file.Opset {
		c.opset = max(c.opset, version)
	}
	c.names = valueNames(file.Outputs)
	if len(file.Nodes) == 0 {
		c.operators = []operator{{Op: file.Op, Attrs: file.Attrs, In: valueNames(file.Inputs), Out: c.names}}
	}
	return []*Case{c}, nil
}

// valueNames returns the names of values, "" for those left out.
func valueNames(values []*Value) []string {
	names := make([]string, len(values))
	for i, v := range values {
		if v != nil {
			names[i] = v.Name
		}
	}
	return names
}

// webNNValue is a tensor of a WebNN file.
type webNNValue struct {
	Data       data
	Descriptor struct {
		Shape    []int
		DataType string
	}
}

func (v webNNValue) value(name string) *Value {
	return &Value{Name: name, DType: v.Descriptor.DataType, Shape: v.Descriptor.Shape, Data: v.Data}
}

func parseWebNN(text []byte) ([]*Case, error) {
	var file struct {
		Tests []struct {
			Name  string
			Graph struct {
				Inputs    map[string]webNNValue
				Operators []struct {
					Name      string
					Arguments []map[string]any
					Outputs   any // a name or a list of names
				}
				ExpectedOutputs map[string]webNNValue
			}
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	var cases []*Case
	for _, test := range file.Tests {
		c := &Case{Name: test.Name}
		for _, name := range slices.Sorted(maps.Keys(test.Graph.Inputs)) {
			c.inputs = append(c.inputs, test.Graph.Inputs[name].value(name))
		}
		for _, name := range slices.Sorted(maps.Keys(test.Graph.ExpectedOutputs)) {
			c.outputs = append(c.outputs, test.Graph.ExpectedOutputs[name].value(name))
			c.names = append(c.names, name)
		}
		for _, o := range test.Graph.Operators {
			step := operator{Op: o.Name, Attrs: map[string]any{}}
			for _, argument := range o.Arguments {
				for name, v := range argument {
					if options, ok := v.(map[string]any); ok {
						maps.Copy(step.Attrs, options)
					} else {
						step.Attrs[name] = v
					}
				}
			}
			switch out := o.Outputs.(type) {
			case string:
				step.Out = []string{out}
			case []any:
				for _, name := range out {
					s, _ := name.(string)
					step.Out = append(step.Out, s)
				}
			}
			c.operators = append(c.operators, step)
		}
		if len(c.operators) == 0 {
			return nil, fmt.Errorf("case %s has no operators", c.Name)
		}
		c.Op = c.operators[len(c.operators)-1].Op
		cases = append(cases, c)
	}
	return cases, nil
}

func parseGradients(file string, text []byte) ([]*Case, error) {
	if file == "optimizer.json" {
		return parseOptimizer(text)
	}
	var list []struct {
		Name        string
		Op          string
		Attrs       map[string]any
		Inputs      []*Value
		Outputs     []*Value
		OutputGrads []*Value `json:"output_grads"`
		InputGrads  []*Value `json:"input_grads"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	var cases []*Case
	for _, f := range list {
		names := valueNames(f.Outputs)
		cases = append(cases, &Case{
			Name: f.Name, Op: f.Op, inputs: f.Inputs, outputs: f.Outputs, names: names,
			outputGrads: f.OutputGrads, inputGrads: f.InputGrads,
			operators: []operator{{Op: f.Op, Attrs: f.Attrs, In: valueNames(f.Inputs), Out: names}},
		})
	}
	return cases, nil
}
