// The fused vector z itself, [v;t], [v;t;v∘t] or v∘t: only the gradient of the
// fusion weights needs it (dW = dyᵀ·z).
@group(0) @binding(0) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
struct Params { m: u32, dv: u32, dt: u32, k: u32 }
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.m * P.k) {
    return;
  }
  let row = i / P.k;
  var d = i % P.k;
#if CONCAT
  if (d < P.dv) {
    z[i] = v[row * P.dv + d];
    return;
  }
  if (d < P.dv + P.dt) {
    z[i] = t[row * P.dt + d - P.dv];
    return;
  }
  d -= P.dv + P.dt;
#endif
#if PRODUCT
  z[i] = v[row * P.dv + d] * t[row * P.dv + d];
#endif
}
