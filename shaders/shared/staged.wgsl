// A workgroup of 64 computes a tile of SIDE x SIDE. It brings slabs of both operands,
// DEPTH steps of k deep, to workgroup memory, and an invocation brings of each a
// block of four rows (of A; columns of B) by four steps.
const SIDE: u32 = {{SIDE}}u;
const QUADS: u32 = {{QUADS}}u;
const DEPTH: u32 = {{DEPTH}}u;
// By step and quad: a compiler checks the bounds of a variable index, of a constant
// one it does not, so that the unrolled loop over a slab has no arithmetic but its own.
var<workgroup> slab_a: array<array<vec4<f32>, {{QUADS}}>, {{DEPTH}}>;
var<workgroup> slab_b: array<array<vec4<f32>, {{QUADS}}>, {{DEPTH}}>;

// Block of an operand that lies with k along its rows, from its rows' values.
fn across(r0: vec4<f32>, r1: vec4<f32>, r2: vec4<f32>, r3: vec4<f32>) -> mat4x4<f32> {
  return transpose(mat4x4<f32>(r0, r1, r2, r3));
}
