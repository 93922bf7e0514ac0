// Gradient of y = p ∘ z with p = softmax(z): with g_i = dy_i·z_i,
// dz_i = p_i·(dy_i + g_i − Σ_j p_j·g_j).
@group(0) @binding(0) var<storage, read> z: array<f32>;
@group(0) @binding(1) var<storage, read> lse: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dz: array<f32>;
struct Params { rows: u32, d: u32 }
@group(0) @binding(4) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flat_index(gid, groups);
  if (row >= P.rows) {
    return;
  }
  let base = row * P.d;
  let l = lse[row];
  var mean = 0.0;
  for (var i = base; i < base + P.d; i += 1u) {
    mean += exp(z[i] - l) * dy[i] * z[i];
  }
  for (var i = base; i < base + P.d; i += 1u) {
    dz[i] = exp(z[i] - l) * (dy[i] + dy[i] * z[i] - mean);
  }
}
