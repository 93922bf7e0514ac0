//go:build !js

package onnx_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"duet/model"
	"duet/model/onnx"
	"duet/model/shared"

	"google.golang.org/protobuf/encoding/protowire"
)

func verify(data []byte) (*onnx.Summary, error) {
	return onnx.Verify(bytes.NewReader(data), int64(len(data)))
}

// TestVerifyOwn reads what this package writes, of every fusion.
func TestVerifyOwn(t *testing.T) {
	for _, fusion := range model.FusionKinds {
		m := newVLM(t, shape(fusion, false))
		data, err := os.ReadFile(write(t, m, tensors(m), side))
		if err != nil {
			t.Fatal(err)
		}
		s, err := verify(data)
		if err != nil {
			t.Errorf("%s: %v", fusion, err)
			continue
		}
		var ports []string
		if m.Visual != nil {
			ports = append(ports, "pixel_values float32 [batch 3 64 64]")
		}
		if m.Text != nil {
			ports = append(ports, "input_ids int64 [batch tokens]", "attention_mask int64 [batch tokens]")
		}
		ports = append(ports, "logits float32 [batch 7]")
		if got := words(slices.Concat(s.Inputs, s.Outputs)); !slices.Equal(got, ports) {
			t.Errorf("%s: inputs and outputs %q, want %q", fusion, got, ports)
		}
		if s.Producer != "duet" || s.Version != "v1" || s.Opset != 17 || s.Metadata["a"] != "1" || s.Tensors != len(m.Params.All()) || s.Values != int64(m.Params.Len()) || s.Nodes < 10 || len(s.NotFinite) > 0 {
			t.Errorf("%s: %+v", fusion, s)
		}
	}
}

func words(ports []onnx.Port) (out []string) {
	for _, p := range ports {
		out = append(out, p.String())
	}
	return out
}

// TestVerifyVectors reads the models of all conformance vectors, which another
// program wrote.
func TestVerifyVectors(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(shared.Path(t, "vectors", "onnx", "node"), "*", "model.onnx"))
	if err != nil || len(paths) < 100 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := verify(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if s.Nodes == 0 || len(s.Outputs) == 0 {
			t.Errorf("%s: %+v", path, s)
		}
	}
}

// msg is a message of field numbers, each with its content: an int is a varint,
// a float32 four bytes, texts and bytes are themselves.
func msg(fields ...any) (m []byte) {
	for i := 0; i < len(fields); i += 2 {
		n := protowire.Number(fields[i].(int))
		switch x := fields[i+1].(type) {
		case int:
			m = protowire.AppendVarint(protowire.AppendTag(m, n, protowire.VarintType), uint64(x))
		case float32:
			m = protowire.AppendFixed32(protowire.AppendTag(m, n, protowire.Fixed32Type), math.Float32bits(x))
		case string:
			m = protowire.AppendString(protowire.AppendTag(m, n, protowire.BytesType), x)
		case []byte:
			m = protowire.AppendBytes(protowire.AppendTag(m, n, protowire.BytesType), x)
		}
	}
	return m
}

// port is a ValueInfoProto of float32 [n 2].
func port(name string) []byte {
	return msg(1, name, 2, msg(1, msg(1, 1, 2, msg(1, msg(2, "n"), 1, msg(1, 2)))))
}

// parts are the fields of a file's messages: y = x·w, with w of [2 3].
type parts struct {
	tensor, node, graph, model []any
	after                      string
}

func file(change func(p *parts)) []byte {
	p := &parts{
		tensor: []any{1, 2, 1, 3, 2, 1, 8, "w"},
		node:   []any{1, "x", 1, "w", 2, "y", 3, "product"},
		graph:  []any{2, "g", 11, port("x"), 12, port("y")},
		model:  []any{1, 8, 2, "test", 8, msg(2, 17)},
	}
	tensor, node := p.tensor, p.node
	change(p)
	if reflect.DeepEqual(p.tensor, tensor) {
		p.tensor = append(p.tensor, 9, make([]byte, 24))
	}
	if reflect.DeepEqual(p.node, node) {
		p.node = append(p.node, 4, "MatMul")
	}
	graph := append(p.graph, 1, msg(p.node...), 5, msg(p.tensor...))
	return append(msg(append(p.model, 7, msg(graph...))...), p.after...)
}

// floats are n values as raw_data.
func floats(values ...float32) (b []byte) {
	for _, x := range values {
		b = protowire.AppendFixed32(b, math.Float32bits(x))
	}
	return b
}

// branch is a graph that gives z of what a node reads.
func branch(reads string, more ...any) []byte {
	return msg(append([]any{2, "b", 1, msg(1, reads, 2, "z", 4, "Relu"), 12, port("z")}, more...)...)
}

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(p *parts)
		want   string // of the error; "": none
	}{
		{"a product", func(p *parts) {}, ""},
		{"packed dimensions", func(p *parts) { p.tensor = []any{1, "\x02\x03", 2, 1, 8, "w", 9, make([]byte, 24)} }, ""},
		{"float_data, packed", func(p *parts) { p.tensor = append(p.tensor, 4, make([]byte, 24)) }, ""},
		{"float_data, one by one", func(p *parts) {
			for range 6 {
				p.tensor = append(p.tensor, 4, float32(1))
			}
		}, ""},
		{"int64_data", func(p *parts) { p.tensor = []any{1, 3, 2, 7, 8, "w", 7, "\x01\x80\x01\x03"} }, ""},
		{"int4 in int32_data", func(p *parts) { p.tensor = []any{1, 3, 2, 22, 8, "w", 5, "\x21\x03"} }, ""},
		{"int4 in raw_data", func(p *parts) { p.tensor = []any{1, 3, 2, 22, 8, "w", 9, "\x21\x03"} }, ""},
		{"complex numbers", func(p *parts) { p.tensor = []any{1, 3, 2, 14, 8, "w", 4, make([]byte, 24)} }, ""},
		{"texts", func(p *parts) { p.tensor = []any{1, 2, 2, 8, 8, "w", 6, "a", 6, "\xff"} }, ""},
		{"a scalar", func(p *parts) { p.tensor = []any{2, 1, 8, "w", 9, make([]byte, 4)} }, ""},
		{"no elements", func(p *parts) { p.tensor = []any{1, 0, 1, 1 << 40, 2, 1, 8, "w", 9, ""} }, ""},
		{"a sparse tensor", func(p *parts) {
			p.graph = append(p.graph, 15, msg(1, msg(1, 1, 2, 1, 8, "s", 9, make([]byte, 4)), 2, msg(1, 1, 2, 7, 9, make([]byte, 8)), 3, 6))
		}, ""},
		{"an operator of another domain", func(p *parts) {
			p.model = append(p.model, 8, msg(1, "more", 2, 1))
			p.node = append(p.node, 4, "F", 7, "more")
		}, ""},
		{"the default domain by its name", func(p *parts) { p.node = append(p.node, 4, "MatMul", 7, "ai.onnx") }, ""},
		{"a branch reads what is around it", func(p *parts) {
			p.node = append(p.node, 4, "If", 5, msg(1, "then_branch", 6, branch("x"), 20, 5), 5, msg(1, "else_branch", 6, branch("w"), 20, 5))
		}, ""},
		{"a tensor in an attribute", func(p *parts) {
			p.node = append(p.node, 4, "F", 5, msg(1, "value", 5, msg(1, 1, 2, 1, 4, float32(1)), 20, 4))
		}, ""},
		{"a function", func(p *parts) {
			p.model = append(p.model, 25, msg(1, "F", 4, "a", 5, "b", 7, msg(1, "a", 2, "b", 4, "Relu"), 9, msg(2, 17), 10, "own"))
		}, ""},
		{"an input with a default", func(p *parts) { p.graph = append(p.graph, 11, port("w")) }, ""},

		{"zeros behind it", func(p *parts) { p.after = "\x00\x00" }, "no field begins here"},
		{"a text behind it", func(p *parts) { p.after = "hello, world" }, "ModelProto has no field 13"},
		{"a field of no version", func(p *parts) { p.model = append(p.model, 99, "x") }, "ModelProto has no field 99"},
		{"a field of a wrong type", func(p *parts) { p.model = append(p.model, 6, 1) }, "ModelProto.doc_string is of a type that it cannot have"},
		{"two graphs", func(p *parts) { p.model = append(p.model, 7, "") }, "ModelProto.graph comes twice"},
		{"no version", func(p *parts) { p.model = []any{8, msg(2, 17)} }, "no ONNX file"},
		{"no opset", func(p *parts) { p.model = []any{1, 8} }, "names no opset"},
		{"an opset of no version", func(p *parts) { p.model = []any{1, 8, 8, ""} }, "version 0"},
		{"an opset twice", func(p *parts) { p.model = append(p.model, 8, msg(1, "ai.onnx", 2, 17)) }, "named twice"},
		{"metadata twice", func(p *parts) { p.model = append(p.model, 14, msg(1, "k", 2, "a"), 14, msg(1, "k", 2, "b")) }, `"k" comes twice`},
		{"a text that is none", func(p *parts) { p.model = append(p.model, 3, "\xff") }, "not UTF-8"},
		{"a long text", func(p *parts) { p.model = append(p.model, 3, strings.Repeat("x", 2<<20)) }, "a text of 2097152 bytes"},
		{"more bytes than its shape", func(p *parts) { p.tensor = append(p.tensor, 9, make([]byte, 28)) }, `the tensor "w": a float32 of shape [2 3] takes 24 in raw_data, and there are 28`},
		{"fewer values than its shape", func(p *parts) { p.tensor = append(p.tensor, 4, make([]byte, 20)) }, "takes 6 in float_data, and there are 5"},
		{"no values", func(p *parts) { p.tensor = append(p.tensor, 12, "d") }, "has no values"},
		{"values twice", func(p *parts) { p.tensor = append(p.tensor, 9, make([]byte, 24), 4, make([]byte, 24)) }, "in more than one way"},
		{"values of another type", func(p *parts) { p.tensor = append(p.tensor, 10, make([]byte, 48)) }, "float32 cannot lie where it does, in double_data"},
		{"texts as bytes", func(p *parts) { p.tensor = []any{1, 2, 2, 8, 8, "w", 9, "ab"} }, "string cannot lie"},
		{"a part of a number", func(p *parts) { p.tensor = append(p.tensor, 4, make([]byte, 23)) }, "a part of a number"},
		{"a number without an end", func(p *parts) { p.tensor = []any{1, 1, 2, 7, 8, "w", 7, "\x80"} }, "do not end"},
		{"a type of elements that is none", func(p *parts) { p.tensor = []any{1, 1, 2, 77, 8, "w", 9, "x"} }, "the type 77"},
		{"a negative dimension", func(p *parts) { p.tensor = []any{1, -1, 2, 1, 8, "w", 9, ""} }, "a negative dimension"},
		{"a shape beyond all memory", func(p *parts) { p.tensor = []any{1, 1 << 40, 1, 1 << 40, 2, 1, 8, "w", 9, "x"} }, "is too large"},
		{"a shape that wraps around", func(p *parts) { p.tensor = []any{1, 1 << 62, 1, 4, 2, 1, 8, "w", 9, ""} }, "is too large"},
		{"many dimensions", func(p *parts) { p.tensor = []any{1, bytes.Repeat([]byte{1}, 100), 2, 1, 8, "w", 9, ""} }, "dimensions"},
		{"values in another file", func(p *parts) {
			p.tensor = append(p.tensor, 13, msg(1, "location", 2, "weights.bin"), 14, 1)
		}, `the tensor "w": its values lie in another file, weights.bin`},
		{"values in a file without a name", func(p *parts) { p.tensor = append(p.tensor, 14, 1) }, "in another file:"},
		{"a tensor in segments", func(p *parts) { p.tensor = append(p.tensor, 3, "") }, "in segments"},
		{"a tensor without a name", func(p *parts) { p.graph = append(p.graph, 5, msg(1, 0, 2, 1)) }, "a tensor without a name"},
		{"a tensor twice", func(p *parts) { p.graph = append(p.graph, 5, msg(8, "w", 1, 0, 2, 1)) }, `the tensor "w" comes twice`},
		{"an input twice", func(p *parts) { p.graph = append(p.graph, 11, port("x")) }, `the input "x" comes twice`},
		{"an input without a name", func(p *parts) { p.graph = append(p.graph, 11, "") }, "without a name"},
		{"an output that nothing gives", func(p *parts) { p.graph = append(p.graph, 12, port("q")) }, `no node gives the output "q"`},
		{"no output", func(p *parts) { p.graph = []any{2, "g", 11, port("x")} }, "has no output"},
		{"a node reads what comes later", func(p *parts) { p.graph = append(p.graph, 1, msg(1, "y", 2, "v", 4, "Relu")) }, `reads "y", which nothing before it gives`},
		{"a node gives what is there", func(p *parts) { p.graph = append(p.graph, 1, msg(1, "x", 2, "x", 4, "Relu")) }, `gives "x", which is there already`},
		{"a node without an operator", func(p *parts) { p.node = append(p.node, 6, "") }, `the node "product" () names no operator`},
		{"an operator of an unnamed domain", func(p *parts) { p.node = append(p.node, 4, "F", 7, "more") }, `the domain "more", for which no opset`},
		{"a branch reads what is in another", func(p *parts) {
			p.node = append(p.node, 4, "If", 5, msg(1, "a", 6, branch("x")), 5, msg(1, "b", 6, branch("z")))
		}, `reads "z"`},
		{"an attribute without a name", func(p *parts) { p.node = append(p.node, 4, "F", 5, msg(3, 1)) }, "an attribute without a name"},
		{"an input of elements of no type", func(p *parts) { p.graph = append(p.graph, 11, msg(1, "q", 2, msg(1, msg(1, 99)))) }, "the unknown type 99"},
		{"an input of a negative size", func(p *parts) {
			p.graph = append(p.graph, 11, msg(1, "q", 2, msg(1, msg(1, 1, 2, msg(1, msg(1, -3))))))
		}, "a dimension of -3"},
		{"a sparse tensor without values", func(p *parts) { p.graph = append(p.graph, 15, msg(3, 6)) }, "without values"},
		{"a function reads what is around it", func(p *parts) {
			p.model = append(p.model, 25, msg(1, "F", 7, msg(1, "w", 2, "b", 4, "Relu"), 9, msg(2, 17)))
		}, `the function "F"`},
		{"a group", func(p *parts) { p.after = "\x0b\x0c" }, "no field begins here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := verify(file(test.change))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want == "" && (s.Opset != 17 || s.Producer != "test" || len(s.Inputs) != 1 || s.Tensors < 1):
				t.Errorf("%+v", s)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestVerifyAnother refuses files that are nothing like ONNX, and says so.
func TestVerifyAnother(t *testing.T) {
	for name, content := range map[string]string{"a text": "hello, world", "a picture": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "zeros": "\x00\x00\x00\x00", "nothing": ""} {
		if _, err := verify([]byte(content)); err == nil || !strings.Contains(err.Error(), "no ONNX file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(-1)), float32(math.NaN())
	for want, tensor := range map[string][]any{
		"[]":   {4, floats(1, -2, math.MaxFloat32, 0, 1e-45, 3)},
		"[w]":  {9, floats(1, 2, 3, 4, 5, inf)},
		"[w] ": {4, floats(nan), 4, floats(1, 2, 3, 4, 5)},
	} {
		s, err := verify(file(func(p *parts) { p.tensor = append(p.tensor, tensor...) }))
		if err != nil || fmt.Sprint(s.NotFinite) != strings.TrimSpace(want) {
			t.Errorf("%v, %v, want %s", s, err, want)
		}
	}
	half := []byte{0, 0x3c, 0, 0xfc}
	s, err := verify(file(func(p *parts) { p.tensor = []any{1, 2, 2, 10, 8, "w", 9, half} }))
	if err != nil || !slices.Equal(s.NotFinite, []string{"w"}) {
		t.Errorf("%v, %v", s, err)
	}
}

// TestVerifyDeep nests messages and graphs without end.
func TestVerifyDeep(t *testing.T) {
	inner := branch("x")
	for range 40 {
		inner = branch("x", 1, msg(4, "If", 5, msg(1, "then_branch", 6, inner)))
	}
	_, err := verify(file(func(p *parts) { p.node = append(p.node, 4, "If", 5, msg(1, "then_branch", 6, inner)) }))
	if err == nil || !strings.Contains(err.Error(), "graphs within each other") {
		t.Errorf("graphs: %v", err)
	}
	inner = nil
	for range 2_000 { // in what is otherwise passed over
		inner = msg(1, msg(5, msg(6, inner)))
	}
	_, err = verify(file(func(p *parts) { p.model = append(p.model, 20, msg(1, inner)) }))
	if err == nil || !strings.Contains(err.Error(), "messages within each other") {
		t.Errorf("messages: %v", err)
	}
	_, err = verify(file(func(p *parts) {
		p.node = append(p.node, 4, "F")
		p.graph = append(p.graph, 14, "")
		p.after = strings.Repeat("\xd2\x01\x00", 3<<20)
	}))
	if err == nil || !strings.Contains(err.Error(), "fields") {
		t.Errorf("many fields: %v", err)
	}
}

// TestVerifyDamaged cuts a file short everywhere, changes each of its bytes, and
// puts random bytes behind it. It is refused or read, never more; cut short it is
// always refused, for the graph ends the file.
func TestVerifyDamaged(t *testing.T) {
	whole := file(func(p *parts) {
		p.node = append(p.node, 4, "If", 5, msg(1, "then_branch", 6, branch("x"), 20, 5), 5, msg(1, "f", 7, floats(1, 2), 8, 3, 20, 7))
	})
	if _, err := verify(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := verify(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are accepted", n, len(whole))
		}
	}
	accepted := 0
	for i := range whole {
		for _, x := range []byte{0x01, 0x80, 0xff} {
			changed := slices.Clone(whole)
			changed[i] ^= x
			if _, err := verify(changed); err == nil {
				accepted++
			}
		}
	}
	if accepted == 0 || accepted > 2*len(whole) { // what changes values or names only
		t.Errorf("%d of %d changes are accepted", accepted, 3*len(whole))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		tail := make([]byte, 1+n%40)
		for i := range tail {
			tail[i] = byte(random.Uint32())
		}
		if _, err := verify(append(slices.Clone(whole), tail...)); err == nil && tail[0] != 26<<3|2 {
			t.Errorf("%x behind it is accepted", tail)
		}
	}
}
