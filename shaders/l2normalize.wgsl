// y = x / max(‖x‖, eps) over each row, one invocation a row.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>; // [rows d]
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>; // [rows d]
struct Params { rows: u32, d: u32, eps: f32 } // d counted in elements of the arrays
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "horizontal"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flat_index(gid, groups);
  if (row >= P.rows) {
    return;
  }
  let base = row * P.d;
  var squares = {{T}}();
  for (var i = 0u; i < P.d; i += 1u) {
    squares += x[base + i] * x[base + i];
  }
  let norm = max(sqrt(sum_of(squares)), P.eps);
  for (var i = 0u; i < P.d; i += 1u) {
    y[base + i] = x[base + i] / norm;
  }
}
