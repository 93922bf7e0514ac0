package onnx

import "google.golang.org/protobuf/encoding/protowire"

// A kind is what a field holds.
type kind uint8

const (
	number  kind = iota // a varint
	float               // four bytes
	text                // UTF-8
	opaque              // bytes, or a text that is only read where it matters
	message             // see in
	numbers             // repeated varints, perhaps packed
	floats              // repeated four bytes, perhaps packed
	doubles             // repeated eight bytes, perhaps packed
)

// A spec is a field of onnx.proto.
type spec struct {
	name string
	kind kind
	many bool   // it may come more than once
	in   string // the message that it is
}

// messages are those of onnx.proto as of IR version 13. What is not in them is
// refused: it was added to the file, or the file is of a version to come.
var messages = map[string]map[protowire.Number]spec{
	"ModelProto": {
		1: {"ir_version", number, false, ""}, 2: {"producer_name", text, false, ""}, 3: {"producer_version", text, false, ""},
		4: {"domain", text, false, ""}, 5: {"model_version", number, false, ""}, 6: {"doc_string", opaque, false, ""},
		7: {"graph", message, false, "GraphProto"}, 8: {"opset_import", message, true, "OperatorSetIdProto"},
		14: {"metadata_props", message, true, "StringStringEntryProto"}, 20: {"training_info", message, true, "TrainingInfoProto"},
		25: {"functions", message, true, "FunctionProto"}, 26: {"configuration", opaque, true, ""},
	},
	"OperatorSetIdProto":     {1: {"domain", text, false, ""}, 2: {"version", number, false, ""}},
	"StringStringEntryProto": {1: {"key", text, false, ""}, 2: {"value", text, false, ""}},
	"TrainingInfoProto": {
		1: {"initialization", message, false, "GraphProto"}, 2: {"algorithm", message, false, "GraphProto"},
		3: {"initialization_binding", message, true, "StringStringEntryProto"}, 4: {"update_binding", message, true, "StringStringEntryProto"},
	},
	"FunctionProto": {
		1: {"name", text, false, ""}, 4: {"input", text, true, ""}, 5: {"output", text, true, ""}, 6: {"attribute", text, true, ""},
		7: {"node", message, true, "NodeProto"}, 8: {"doc_string", opaque, false, ""}, 9: {"opset_import", message, true, "OperatorSetIdProto"},
		10: {"domain", text, false, ""}, 11: {"attribute_proto", message, true, "AttributeProto"}, 12: {"value_info", message, true, "ValueInfoProto"},
		13: {"overload", text, false, ""}, 14: {"metadata_props", message, true, "StringStringEntryProto"},
	},
	"GraphProto": {
		1: {"node", message, true, "NodeProto"}, 2: {"name", text, false, ""}, 5: {"initializer", message, true, "TensorProto"},
		10: {"doc_string", opaque, false, ""}, 11: {"input", message, true, "ValueInfoProto"}, 12: {"output", message, true, "ValueInfoProto"},
		13: {"value_info", message, true, "ValueInfoProto"}, 14: {"quantization_annotation", opaque, true, ""},
		15: {"sparse_initializer", message, true, "SparseTensorProto"}, 16: {"metadata_props", message, true, "StringStringEntryProto"},
	},
	"NodeProto": {
		1: {"input", text, true, ""}, 2: {"output", text, true, ""}, 3: {"name", text, false, ""}, 4: {"op_type", text, false, ""},
		5: {"attribute", message, true, "AttributeProto"}, 6: {"doc_string", opaque, false, ""}, 7: {"domain", text, false, ""},
		8: {"overload", text, false, ""}, 9: {"metadata_props", message, true, "StringStringEntryProto"}, 10: {"device_configurations", opaque, true, ""},
	},
	"AttributeProto": {
		1: {"name", text, false, ""}, 2: {"f", float, false, ""}, 3: {"i", number, false, ""}, 4: {"s", opaque, false, ""},
		5: {"t", message, false, "TensorProto"}, 6: {"g", message, false, "GraphProto"}, 7: {"floats", floats, true, ""},
		8: {"ints", numbers, true, ""}, 9: {"strings", opaque, true, ""}, 10: {"tensors", message, true, "TensorProto"},
		11: {"graphs", message, true, "GraphProto"}, 13: {"doc_string", opaque, false, ""}, 14: {"tp", message, false, "TypeProto"},
		15: {"type_protos", message, true, "TypeProto"}, 20: {"type", number, false, ""}, 21: {"ref_attr_name", text, false, ""},
		22: {"sparse_tensor", message, false, "SparseTensorProto"}, 23: {"sparse_tensors", message, true, "SparseTensorProto"},
	},
	"TensorProto": {
		1: {"dims", numbers, true, ""}, 2: {"data_type", number, false, ""}, 3: {"segment", opaque, false, ""}, 4: {"float_data", floats, true, ""},
		5: {"int32_data", numbers, true, ""}, 6: {"string_data", opaque, true, ""}, 7: {"int64_data", numbers, true, ""}, 8: {"name", text, false, ""},
		9: {"raw_data", opaque, false, ""}, 10: {"double_data", doubles, true, ""}, 11: {"uint64_data", numbers, true, ""},
		12: {"doc_string", opaque, false, ""}, 13: {"external_data", message, true, "StringStringEntryProto"}, 14: {"data_location", number, false, ""},
		16: {"metadata_props", message, true, "StringStringEntryProto"},
	},
	"SparseTensorProto": {
		1: {"values", message, false, "TensorProto"}, 2: {"indices", message, false, "TensorProto"}, 3: {"dims", numbers, true, ""},
	},
	"ValueInfoProto": {
		1: {"name", text, false, ""}, 2: {"type", message, false, "TypeProto"}, 3: {"doc_string", opaque, false, ""},
		4: {"metadata_props", message, true, "StringStringEntryProto"},
	},
	"TypeProto": {
		1: {"tensor_type", message, false, "Tensor"}, 4: {"sequence_type", opaque, false, ""}, 5: {"map_type", opaque, false, ""},
		6: {"denotation", text, false, ""}, 7: {"opaque_type", opaque, false, ""}, 8: {"sparse_tensor_type", message, false, "Tensor"},
		9: {"optional_type", opaque, false, ""},
	},
	"Tensor":           {1: {"elem_type", number, false, ""}, 2: {"shape", message, false, "TensorShapeProto"}},
	"TensorShapeProto": {1: {"dim", message, true, "Dimension"}},
	"Dimension":        {1: {"dim_value", number, false, ""}, 2: {"dim_param", text, false, ""}, 3: {"denotation", text, false, ""}},
}

// fits reports whether a field of the wire type may hold the kind.
func (k kind) fits(wire protowire.Type) bool {
	switch k {
	case number:
		return wire == protowire.VarintType
	case float:
		return wire == protowire.Fixed32Type
	case numbers:
		return wire == protowire.VarintType || wire == protowire.BytesType
	case floats:
		return wire == protowire.Fixed32Type || wire == protowire.BytesType
	case doubles:
		return wire == protowire.Fixed64Type || wire == protowire.BytesType
	}
	return wire == protowire.BytesType
}

// An element is a type of tensors' elements, by its number in TensorProto.DataType.
type element struct {
	name string
	bits int64            // 0: texts
	data protowire.Number // the field of a tensor that holds them, where it is not raw_data
	per  int64            // of them make an element: 2 for complex numbers; -n: n elements are one of them
}

const (
	dataFloat  = 4
	dataInt32  = 5
	dataText   = 6
	dataInt64  = 7
	dataRaw    = 9
	dataDouble = 10
	dataUint64 = 11
)

var elementTypes = map[uint64]element{
	1: {"float32", 32, dataFloat, 1}, 2: {"uint8", 8, dataInt32, 1}, 3: {"int8", 8, dataInt32, 1}, 4: {"uint16", 16, dataInt32, 1},
	5: {"int16", 16, dataInt32, 1}, 6: {"int32", 32, dataInt32, 1}, 7: {"int64", 64, dataInt64, 1}, 8: {"string", 0, dataText, 1},
	9: {"bool", 8, dataInt32, 1}, 10: {"float16", 16, dataInt32, 1}, 11: {"float64", 64, dataDouble, 1}, 12: {"uint32", 32, dataUint64, 1},
	13: {"uint64", 64, dataUint64, 1}, 14: {"complex64", 64, dataFloat, 2}, 15: {"complex128", 128, dataDouble, 2}, 16: {"bfloat16", 16, dataInt32, 1},
	17: {"float8e4m3fn", 8, dataInt32, 1}, 18: {"float8e4m3fnuz", 8, dataInt32, 1}, 19: {"float8e5m2", 8, dataInt32, 1},
	20: {"float8e5m2fnuz", 8, dataInt32, 1}, 21: {"uint4", 4, dataInt32, -2}, 22: {"int4", 4, dataInt32, -2}, 23: {"float4e2m1", 4, dataInt32, -2},
	24: {"float8e8m0", 8, dataInt32, 1}, 25: {"uint2", 2, dataInt32, -4}, 26: {"int2", 2, dataInt32, -4},
}

// raw is how many bytes n elements are in raw_data.
func (e element) raw(n int64) int64 { return (n*e.bits + 7) / 8 }

// typed is how many values n elements are in a field of their own.
func (e element) typed(n int64) int64 {
	if e.per < 0 {
		return (n - e.per - 1) / -e.per
	}
	return n * e.per
}
