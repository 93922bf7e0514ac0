// Package shaders holds Duet's compute kernels: WGSL sources, each beside a
// CPU twin of the same name that mirrors its index arithmetic in plain Go.
//
// A kernel is data ([Kernel]): a name, the complete WGSL text, the workgroup
// size and bindings read back from that text, and the twin. The package knows
// no GPU API; package gpu compiles and runs kernels, or runs their twins.
//
// # Conventions
//
//   - Pictures and feature maps are [N H W C] (NHWC), convolution weights are
//     [O KH KW I] (OHWI), linear weights [out in] as PyTorch has them, token
//     states [B T D]. All values are float32; ids, targets and masks uint32 or
//     int32 in the same 4-byte words.
//   - A buffer is an array of 4-byte words, its length rounded up to a multiple
//     of four words, so element-wise kernels may work on vec4 and leave
//     unspecified values in the padding. Nothing may read the padding as data.
//   - Shapes come in a uniform named P (struct Params), a list of u32 and f32
//     words in the order the Go constructor writes them. Everything that
//     changes from step to step (learning rate, seed, step number) is an
//     ordinary storage input instead.
//   - Every output element is written by exactly one invocation; no atomics.
//     The same device and inputs give the same bits.
//   - No kernel uses workgroup memory barriers unless it is a variant for GPUs,
//     and none needs more than WebGPU's default limits (8 storage buffers,
//     256 invocations a workgroup, 65,535 workgroups a dimension).
//   - WGSL core only: no override, no f16, no subgroups.
//
// # How to add a kernel
//
//  1. name.wgsl: bindings first (storage in argument order, the uniform last),
//     then one entry point `main`. Split long rows of workgroups with
//     `#import "index"` and flat_index.
//  2. name.go: a constructor that returns the [Kernel] variant and one that
//     returns the dispatch geometry and params, and the twin.
//  3. name_grad.wgsl (and its constructor) for each gradient, its derivation in
//     a comment.
//  4. List the variants in All (all.go): Tint and naga then compile them.
//  5. name_test.go: known values, finite differences in float64, odd shapes.
package shaders
