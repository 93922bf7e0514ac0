// Package graph is Duet's model language: plain Go code builds a static graph of
// layer-level operations, the graph is differentiated, a few named rules fuse
// its kernels, and it is lowered to one flat gpu.Program.
//
// A [Tensor] is a small handle, operations are its methods:
//
//	y := x.Conv2D(w, 2, 3).ReLU().MaxPool(3, 2, 1) // stride 2, padding 3
//
// Shape errors panic where they are made, with the operation and the shapes;
// [Build] turns them into an error once. Gradients are ordinary tensors of the
// same graph ([Graph.Gradients]), so one builder serves inference and training,
// and a parameter that is not trainable simply has no backward branch.
//
// Feature maps are [N H W C], convolution weights [O KH KW I], linear weights
// [out in], token states [B T D].
//
// # How to add an operation
//
// Add a type with the four methods of op to the ops_*.go file of its kind:
// name, the shape rule infer, the gradient rule grad (which adds nodes), and
// lower (which adds dispatches of kernels from package shaders). Add the method
// on Tensor that applies it. Test it in ops_test.go: every operation there is
// checked against finite differences.
package graph
