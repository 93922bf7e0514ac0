// y[o, i, :] = x[o, ids[i], :]: rows of a table (outer = 1), or a choice along
// any axis of x [outer size d]. A negative index counts from the end; indices
// out of range are clamped. F16: a table row is d/2 words of two half floats.
// RANGE: x holds the rows from first on of a table of vocab rows; those of y
// that lie elsewhere are left alone.
@group(0) @binding(0) var<storage, read> ids: array<i32>;
#if F16
@group(0) @binding(1) var<storage, read> x: array<vec2<u32>>;
#else
@group(0) @binding(1) var<storage, read> x: array<{{T}}>;
#endif
@group(0) @binding(2) var<storage, read_write> y: array<{{T}}>;
struct Params {
  total: u32, n: u32, size: u32, d: u32, // outer·n·d; d in Ts
  first: u32, vocab: u32,
}
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.total) {
    return;
  }
  let row = i / P.d;
#if RANGE
  let id = min(u32(ids[row]), P.vocab - 1u) - P.first;
  if (id >= P.size) {
    return;
  }
#else
  let size = i32(P.size);
  var id = ids[row % P.n];
  id = clamp(select(id, id + size, id < 0), 0, size - 1);
#endif
  let at = ((row / P.n) * P.size + u32(id)) * P.d + i % P.d;
#if F16
  let h = x[at];
  y[i] = vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));
#else
  y[i] = x[at];
#endif
}
