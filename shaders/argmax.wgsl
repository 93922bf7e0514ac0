// y[o, i] = the index of the largest x[o, :, i] over x [outer size inner], the
// first of equal ones, or the last (LAST).
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Params { outputs: u32, size: u32, inner: u32 }
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.outputs) {
    return;
  }
  let base = (i / P.inner) * P.size * P.inner + i % P.inner;
  var best = 0u;
  var top = x[base];
  for (var k = 1u; k < P.size; k += 1u) {
    let v = x[base + k * P.inner];
#if LAST
    if (v >= top) {
#else
    if (v > top) {
#endif
      top = v;
      best = k;
    }
  }
  y[i] = best;
}
