// The gated fusion: y = softmax(z) ∘ z over each row of z [rows d], one
// invocation a row. The row's log-sum-exp is saved for the gradient.
@group(0) @binding(0) var<storage, read> z: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
struct Params { rows: u32, d: u32 }
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flat_index(gid, groups);
  if (row >= P.rows) {
    return;
  }
  let base = row * P.d;
  var top = z[base];
  for (var i = 1u; i < P.d; i += 1u) {
    top = max(top, z[base + i]);
  }
  var sum = 0.0;
  for (var i = 0u; i < P.d; i += 1u) {
    sum += exp(z[base + i] - top);
  }
  for (var i = 0u; i < P.d; i += 1u) {
    y[base + i] = exp(z[base + i] - top) / sum * z[base + i];
  }
  lse[row] = top + log(sum);
}
