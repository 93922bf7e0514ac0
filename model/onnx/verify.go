package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Port is an input or output of a model.
type Port struct {
	Name  string
	Type  string   // of its elements: float32, int64, …; "" where it is no tensor
	Shape []string // a number or a name for each dimension, "?" where nothing is said
}

// String is the port in words.
func (p Port) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s [%s]", p.Name, p.Type, strings.Join(p.Shape, " ")))
}

// A Summary tells what an ONNX file holds.
type Summary struct {
	Producer, Version string
	Opset             int64 // of the default domain
	Nodes             int
	Tensors           int   // initializers
	Values            int64 // in them
	NotFinite         []string
	Inputs, Outputs   []Port
	Metadata          map[string]string
}

// Verify reads an ONNX file of size bytes, of any program, and says what it
// holds, or what is wrong with it: every message has only fields of onnx.proto,
// and each of them ends where it should; an opset is named; a node reads nothing
// but what comes before it; every tensor has as many bytes as its type and shape
// take, in the file itself. What operators mean is not looked at. Whatever the
// bytes, little memory is used.
func Verify(r io.ReaderAt, size int64) (*Summary, error) {
	if size > maxFile {
		return nil, fmt.Errorf("onnx: it has %d bytes; ONNX in one file ends at %d", size, maxFile)
	}
	v := &verifier{reader: reader{r: r, size: size, page: make([]byte, 0, pageSize)}, told: &Summary{Metadata: map[string]string{}}}
	if err := v.model(span{0, size}); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return v.told, nil
}

// A verifier goes through a file.
type verifier struct {
	reader
	told *Summary
}

// each reads a message. visit is given its fields; for what it leaves to each by
// returning false, only the structure is looked at.
func (v *verifier) each(name string, s span, visit func(field) (bool, error)) error {
	if v.nested++; v.nested > maxNested {
		return fmt.Errorf("byte %d: more than %d messages within each other", s.from, maxNested)
	}
	defer func() { v.nested-- }()
	specs := messages[name]
	seen := uint32(0) // fields that may come once
	for left := s; left.size() > 0; {
		f, err := v.next(&left)
		if err != nil {
			return err
		}
		x, known := specs[f.number]
		switch {
		case !known && f.at == 0:
			return errOther
		case !known:
			return fmt.Errorf("byte %d: %s has no field %d: something was added to the file, or it is of a newer version of ONNX", f.at, name, f.number)
		case !x.kind.fits(f.wire):
			return fmt.Errorf("byte %d: %s.%s is of a type that it cannot have", f.at, name, x.name)
		case !x.many && seen&(1<<f.number) != 0:
			return fmt.Errorf("byte %d: %s.%s comes twice", f.at, name, x.name)
		}
		seen |= 1 << f.number
		done, err := visit(f)
		if err == nil && !done {
			err = v.plain(x, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plain looks at the structure of a field that means nothing here.
func (v *verifier) plain(x spec, f field) error {
	if f.wire != protowire.BytesType {
		return nil
	}
	switch x.kind {
	case message:
		return v.each(x.in, f.content, func(field) (bool, error) { return false, nil })
	case text:
		_, err := v.text(f.content)
		return err
	case numbers:
		_, err := v.varints(f.content)
		return err
	case floats, doubles:
		if width := int64(4 + 4*(x.kind-floats)); f.content.size()%width != 0 {
			return fmt.Errorf("byte %d: %s holds a part of a number", f.at, x.name)
		}
	}
	return nil
}

// into reads a text into a variable.
func (v *verifier) into(to *string, f field) (bool, error) {
	var err error
	*to, err = v.text(f.content)
	return true, err
}

func (v *verifier) model(s span) error {
	version := uint64(0)
	var graph *span
	var functions []span
	opsets := map[string]int64{}
	err := v.each("ModelProto", s, func(f field) (bool, error) {
		switch f.number {
		case modelIRVersion:
			version = f.value
		case modelProducer:
			return v.into(&v.told.Producer, f)
		case modelVersion:
			return v.into(&v.told.Version, f)
		case modelOpset:
			return true, v.opset(f.content, opsets)
		case modelMetadata:
			return true, v.metadata(f.content)
		case modelGraph:
			graph = &f.content
			return true, nil
		case 25:
			functions = append(functions, f.content)
			return true, nil
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	v.told.Opset = opsets[""]
	switch {
	case version == 0 || version > math.MaxInt32:
		return errors.New("it names no version of ONNX (ir_version), so it is no ONNX file")
	case len(opsets) == 0:
		return errors.New("it names no opset (opset_import)")
	case graph == nil:
		return errors.New("it has no graph")
	}
	for _, f := range functions {
		if err := v.function(f); err != nil {
			return err
		}
	}
	return v.graph(*graph, &scope{opsets: opsets})
}

// opset reads an OperatorSetIdProto.
func (v *verifier) opset(s span, opsets map[string]int64) error {
	domain, version := "", uint64(0)
	err := v.each("OperatorSetIdProto", s, func(f field) (bool, error) {
		if f.number == 1 {
			return v.into(&domain, f)
		}
		version = f.value
		return true, nil
	})
	if err != nil {
		return err
	}
	if domain == "ai.onnx" { // another name of the default
		domain = ""
	}
	if version == 0 || version > math.MaxInt32 {
		return fmt.Errorf("byte %d: the opset of the domain %q has version %d", s.from, domain, int64(version))
	}
	if _, twice := opsets[domain]; twice {
		return fmt.Errorf("byte %d: the opset of the domain %q is named twice", s.from, domain)
	}
	opsets[domain] = int64(version)
	return nil
}

// metadata reads a StringStringEntryProto of the model's.
func (v *verifier) metadata(s span) error {
	key, value, err := v.entry(s)
	if err != nil {
		return err
	}
	if _, twice := v.told.Metadata[key]; twice {
		return fmt.Errorf("byte %d: the metadata %q comes twice", s.from, key)
	}
	v.told.Metadata[key] = value
	return nil
}

func (v *verifier) entry(s span) (key, value string, err error) {
	err = v.each("StringStringEntryProto", s, func(f field) (bool, error) {
		if f.number == 1 {
			return v.into(&key, f)
		}
		return v.into(&value, f)
	})
	return key, value, err
}

// port reads the ValueInfoProto of an input or output.
func (v *verifier) port(s span) (p Port, err error) {
	err = v.each("ValueInfoProto", s, func(f field) (bool, error) {
		switch f.number {
		case 1:
			return v.into(&p.Name, f)
		case 2:
			return true, v.each("TypeProto", f.content, func(f field) (bool, error) {
				if f.number != 1 {
					return false, nil
				}
				return true, v.tensorType(f.content, &p)
			})
		}
		return false, nil
	})
	if err == nil && p.Name == "" {
		err = fmt.Errorf("byte %d: an input or output without a name", s.from)
	}
	return p, err
}

// tensorType reads a TypeProto.Tensor.
func (v *verifier) tensorType(s span, p *Port) error {
	return v.each("Tensor", s, func(f field) (bool, error) {
		if f.number == 1 {
			x, known := elementTypes[f.value]
			if !known {
				return false, fmt.Errorf("byte %d: %q has elements of the unknown type %d", f.at, p.Name, int64(f.value))
			}
			p.Type = x.name
			return true, nil
		}
		return true, v.each("TensorShapeProto", f.content, func(f field) (bool, error) {
			size := "?"
			err := v.each("Dimension", f.content, func(f field) (bool, error) {
				switch {
				case f.number == 1 && int64(f.value) < 0:
					return true, fmt.Errorf("byte %d: %q has a dimension of %d", f.at, p.Name, int64(f.value))
				case f.number == 1:
					size = fmt.Sprint(f.value)
				case f.number == 2:
					return v.into(&size, f)
				default:
					return false, nil
				}
				return true, nil
			})
			if len(p.Shape) == maxRank {
				return true, fmt.Errorf("byte %d: %q has more than %d dimensions", f.at, p.Name, maxRank)
			}
			p.Shape = append(p.Shape, size)
			return true, err
		})
	})
}
