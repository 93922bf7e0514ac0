// y[o, i, :] = x[o, ids[i], :]: rows of a table (outer = 1), or a choice along
// any axis of x [outer size d]. A negative index counts from the end; indices
// out of range are clamped.
@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read> x: array<{{T}}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{T}}>;
struct Params { total: u32, n: u32, size: u32, d: u32 } // outer·n·d; d in Ts
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
  let size = i32(P.size);
  var id = ids[row % P.n];
  id = clamp(select(id, id + size, id < 0), 0, size - 1);
  let at = ((row / P.n) * P.size + u32(id)) * P.d + i % P.d;
  y[i] = x[at];
}
