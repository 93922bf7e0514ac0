// Package conform runs published conformance cases on the engine: those of ONNX
// and of WebNN, and values and gradients of single operators from PyTorch.
//
// # Central types
//
//   - A [Case] is one test as its file states it; [Load] reads a suite.
//   - A mapping turns one operator of a suite into operations of package graph,
//     layouts included: pictures become [N H W C] by transposes in the graph, so
//     that the kernels that run are those of models. Mappings stand in tables
//     (onnx.go, webnn.go, gradients.go).
//   - [Run] lowers every case to a gpu.Program, runs it on a backend and compares
//     what the program stored. A [Report] has a [Row] for each operator.
//
// A case is out of scope when an operator has no mapping, or when its mapping
// did not ask for one of its attributes, inputs or outputs: nothing is left out
// silently. The reason is printed with every report.
//
// The error of an element is |got − want| over |want| + 0.1, and may be 1e-4
// (1e-4 relative plus 1e-5 absolute); for gradients it is over the largest
// magnitude of the tensor + 0.05, and may be 2e-5 (plus 1e-6). Looser limits are
// listed, with their cause, in compare.go.
//
// The package takes its files as an fs.FS and compiles for js.
//
// # How to add an operator
//
// Add a line to the suite's table, and a function that builds the operator's
// outputs from [node]'s inputs and attributes; what two suites share belongs in
// compute.go or window.go. Ask for every attribute, or ignore it by name with
// the reason; call unsupported for settings that the engine does not have.
package conform
