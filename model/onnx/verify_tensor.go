package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A tensor is what a TensorProto says.
type tensor struct {
	name      string
	elements  int64
	notFinite bool
}

// stored is where and how a tensor's values lie.
type stored struct {
	shape    []int64
	kind     uint64                     // data_type
	count    map[protowire.Number]int64 // values in each field; bytes in raw_data
	parts    []span                     // of what is not a number by itself
	outside  bool                       // in another file
	location string                     // of that, where it is told
}

// tensor reads a TensorProto and compares its bytes with its type and shape.
func (v *verifier) tensor(s span) (t tensor, err error) {
	x := stored{count: map[protowire.Number]int64{}}
	if t.name, err = v.stored(s, &x); err != nil {
		return t, err
	}
	wrong := func(err error) error { return fmt.Errorf("byte %d: the tensor %q: %w", s.from, t.name, err) }
	kind, known := elementTypes[x.kind]
	if !known {
		return t, wrong(fmt.Errorf("the type %d of its elements is unknown", int64(x.kind)))
	}
	if t.elements, err = elements(x.shape); err != nil {
		return t, wrong(err)
	}
	if x.outside {
		return t, wrong(fmt.Errorf("its values lie in another file%s: a model is checked that is one file; write it with its values inside", x.location))
	}
	if len(x.count) > 1 {
		return t, wrong(errors.New("its values are given in more than one way"))
	}
	want := kind.typed(t.elements)
	for place, n := range x.count {
		switch {
		case place == dataRaw && kind.bits > 0:
			want = kind.raw(t.elements)
		case place != kind.data:
			return t, wrong(fmt.Errorf("%s cannot lie where it does, in %s", kind.name, messages["TensorProto"][place].name))
		}
		if n != want {
			return t, wrong(fmt.Errorf("a %s of shape %v takes %d in %s, and there are %d", kind.name, x.shape, want, messages["TensorProto"][place].name, n))
		}
	}
	if len(x.count) == 0 && t.elements > 0 {
		return t, wrong(fmt.Errorf("a %s of shape %v has no values", kind.name, x.shape))
	}
	for _, part := range x.parts {
		bad, err := v.notFinite(part, kind)
		if err != nil {
			return t, wrong(err)
		}
		t.notFinite = t.notFinite || bad
	}
	return t, nil
}

// stored reads a tensor's fields.
func (v *verifier) stored(s span, x *stored) (name string, err error) {
	err = v.each("TensorProto", s, func(f field) (bool, error) {
		switch f.number {
		case 1:
			x.shape, err = v.numbers(x.shape, f)
			if len(x.shape) > maxRank {
				err = fmt.Errorf("byte %d: a tensor of more than %d dimensions", f.at, maxRank)
			}
			return true, err
		case 2:
			x.kind = f.value
		case 3:
			return true, fmt.Errorf("byte %d: a tensor in segments, which nothing reads", f.at)
		case 8:
			return v.into(&name, f)
		case 13:
			key, value, err := v.entry(f.content)
			if x.outside = true; key == "location" {
				x.location = ", " + value
			}
			return true, err
		case 14:
			x.outside = x.outside || f.value != 0
		case dataRaw, dataFloat, dataDouble, dataInt32, dataInt64, dataUint64, dataText:
			n, err := v.valuesOf(f)
			if n > 0 || f.number != dataRaw { // an empty raw_data says nothing
				x.count[f.number] += n
			}
			if f.number == dataRaw || f.number == dataFloat || f.number == dataDouble {
				x.parts = append(x.parts, f.content)
			}
			return true, err
		}
		return false, nil
	})
	return name, err
}

// valuesOf counts the values in a field, of raw_data the bytes.
func (v *verifier) valuesOf(f field) (int64, error) {
	width := int64(1)
	switch f.number {
	case dataText:
		return 1, nil
	case dataInt32, dataInt64, dataUint64:
		if f.wire == protowire.VarintType {
			return 1, nil
		}
		return v.varints(f.content)
	case dataFloat:
		width = 4
	case dataDouble:
		width = 8
	}
	if f.content.size()%width != 0 {
		return 0, fmt.Errorf("byte %d: a part of a number", f.at)
	}
	return f.content.size() / width, nil
}

// notFinite reports whether a part of a tensor's data holds NaN or an infinity.
func (v *verifier) notFinite(s span, kind element) (bad bool, err error) {
	width, exponent := 0, uint64(0) // all of whose bits are set in such a number
	switch kind.name {
	case "float32", "complex64":
		width, exponent = 4, 0x7f80_0000
	case "float64", "complex128":
		width, exponent = 8, 0x7ff0_0000_0000_0000
	case "float16":
		width, exponent = 2, 0x7c00
	case "bfloat16":
		width, exponent = 2, 0x7f80
	default:
		return false, nil
	}
	err = v.pages(s, func(part []byte) { // pages hold whole numbers
		for i := 0; i+width <= len(part) && !bad; i += width {
			var x uint64
			switch width {
			case 2:
				x = uint64(binary.LittleEndian.Uint16(part[i:]))
			case 4:
				x = uint64(binary.LittleEndian.Uint32(part[i:]))
			case 8:
				x = binary.LittleEndian.Uint64(part[i:])
			}
			bad = x&exponent == exponent
		}
	})
	return bad, err
}

// sparse reads a SparseTensorProto but its values, which it returns.
func (v *verifier) sparse(s span) (values span, err error) {
	err = v.each("SparseTensorProto", s, func(f field) (bool, error) {
		switch f.number {
		case 1:
			values = f.content
			return true, nil
		case 2:
			_, err := v.tensor(f.content)
			return true, err
		}
		return false, nil
	})
	if err == nil && values == (span{}) {
		err = fmt.Errorf("byte %d: a sparse tensor without values", s.from)
	}
	return values, err
}
