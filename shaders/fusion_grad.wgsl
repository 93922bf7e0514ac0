// The elementwise part of the fusion gradient. With dz = dy·W, cut into its
// segments: dv = dz_v + dz_p ∘ t, dt = dz_t + dz_p ∘ v, where dz_v and dz_t are
// absent without CONCAT and dz_p without PRODUCT. One invocation an element of
// [m max(dv, dt)].
@group(0) @binding(0) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> dz: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_v: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_t: array<f32>;
struct Params { m: u32, dv: u32, dt: u32, k: u32, width: u32 }
@group(0) @binding(5) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.m * P.width) {
    return;
  }
  let row = i / P.width;
  let d = i % P.width;
  let base = row * P.k;
  var gv = 0.0;
  var gt = 0.0;
#if CONCAT
  if (d < P.dv) {
    gv = dz[base + d];
  }
  if (d < P.dt) {
    gt = dz[base + P.dv + d];
  }
#endif
#if PRODUCT
  // Here dv equals dt.
  let p = dz[base + P.k - P.dv + d];
  gv += p * t[i];
  gt += p * v[i];
#endif
  if (d < P.dv) {
    grad_v[row * P.dv + d] = gv;
  }
  if (d < P.dt) {
    grad_t[row * P.dt + d] = gt;
  }
}
