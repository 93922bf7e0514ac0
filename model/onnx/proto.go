package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages' field numbers and constants are those of onnx.proto, IR version 8.
const (
	irVersion = 8 // the one of opset 17
	opset     = 17

	elementFloat = 1 // TensorProto.DataType
	elementInt64 = 7
)

// Field numbers of ModelProto.
const (
	modelIRVersion = 1
	modelProducer  = 2
	modelVersion   = 3 // producer_version
	modelGraph     = 7
	modelOpset     = 8
	modelMetadata  = 14
)

// Field numbers of GraphProto.
const (
	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphDoc         = 10
	graphInput       = 11
	graphOutput      = 12
)

func putInt(m []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

func putText(m []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func putMessage(m []byte, field protowire.Number, inner []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), inner)
}

// putLength begins a field of n bytes that follow.
func putLength(m []byte, field protowire.Number, n int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.BytesType), uint64(n))
}

// An attribute is an AttributeProto.
type attribute []byte

func newAttribute(name string, kind int64) attribute {
	return putInt(putText(nil, 1, name), 20, kind)
}

func intAttribute(name string, v int64) attribute {
	return putInt(newAttribute(name, 2), 3, v)
}

func floatAttribute(name string, v float32) attribute {
	m := protowire.AppendTag(newAttribute(name, 1), 2, protowire.Fixed32Type)
	return protowire.AppendFixed32(m, math.Float32bits(v))
}

func intsAttribute(name string, values ...int64) attribute {
	m := newAttribute(name, 7)
	for _, v := range values {
		m = putInt(m, 8, v)
	}
	return m
}

// node is a NodeProto of one output.
func node(name, kind string, inputs []value, output value, attributes []attribute) []byte {
	var m []byte
	for _, in := range inputs {
		m = putText(m, 1, string(in))
	}
	m = putText(m, 2, string(output))
	m = putText(m, 3, name)
	m = putText(m, 4, kind)
	for _, a := range attributes {
		m = putMessage(m, 5, a)
	}
	return m
}

// tensorHead is a TensorProto up to its data, of size bytes, which follow.
func tensorHead(name string, shape []int, size int64) []byte {
	var m []byte
	for _, n := range shape {
		m = putInt(m, 1, int64(n))
	}
	m = putInt(m, 2, elementFloat)
	m = putText(m, 8, name)
	return putLength(m, 9, size)
}

// A dim is a dimension: its size, or the name of a dynamic one.
type dim struct {
	size int
	name string
}

// valueInfo is the ValueInfoProto of an input or output.
func valueInfo(name value, element int64, dims ...dim) []byte {
	var shape []byte
	for _, d := range dims {
		if d.name != "" {
			shape = putMessage(shape, 1, putText(nil, 2, d.name))
		} else {
			shape = putMessage(shape, 1, putInt(nil, 1, int64(d.size)))
		}
	}
	tensor := putMessage(putInt(nil, 1, element), 2, shape)
	return putMessage(putText(nil, 1, string(name)), 2, putMessage(nil, 1, tensor))
}
