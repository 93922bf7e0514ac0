// The gradient of y = x / n, n = max(‖x‖, eps): with ŷ = x / n
//   dx = (dy − ŷ (ŷ·dy)) / n   where ‖x‖ ≥ eps,   dx = dy / eps elsewhere.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>; // [rows d]
@group(0) @binding(1) var<storage, read> dy: array<{{T}}>; // [rows d]
@group(0) @binding(2) var<storage, read_write> dx: array<{{T}}>; // [rows d]
struct Params { rows: u32, d: u32, eps: f32 } // d counted in elements of the arrays
@group(0) @binding(3) var<uniform> P: Params;
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
  var product = {{T}}();
  for (var i = 0u; i < P.d; i += 1u) {
    let v = x[base + i];
    squares += v * v;
    product += v * dy[base + i];
  }
  let length = sqrt(sum_of(squares));
  let norm = max(length, P.eps);
  let along = select(0.0, sum_of(product) / norm / norm, length >= P.eps);
  for (var i = 0u; i < P.d; i += 1u) {
    dx[base + i] = (dy[base + i] - x[base + i] * along) / norm;
  }
}
