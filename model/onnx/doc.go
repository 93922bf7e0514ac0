// Package onnx writes a model as one ONNX file (opset 17), which runs without
// Duet: in ONNX Runtime, in a browser through onnxruntime-web, on phones. It also
// checks such files, of any program.
//
// The graph is written from the model's layers a second time, in ONNX's own
// layouts and with a dynamic batch and text length; a test runs it in ONNX
// Runtime and compares. Its inputs are
//
//	pixel_values    float32 [batch 3 size size]  normalised as image_preparation says
//	input_ids       int64   [batch tokens]       with <s> and </s>, filled up with <pad>
//	attention_mask  int64   [batch tokens]       1 at tokens, 0 at the filling
//
// as far as the model has both sides; the output is
//
//	logits          float32 [batch classes]      softmax is left to the caller
//
// The initializers are the model's parameters with the names and layouts that
// they have in its checkpoint; every other number is a Constant node.
// Batch-norm is written as BatchNormalization with frozen statistics, which
// runtimes fold into the convolutions themselves.
//
// [Verify] goes through a file by the tables of schema.go, a page at a time, and
// keeps names only. A field that a later version of ONNX brings is a line there.
//
// # How to write another layer
//
// Add a method to [builder] in layers.go which adds nodes through op and takes
// parameters through param; [Write] refuses a model of which a parameter was
// left out.
package onnx
