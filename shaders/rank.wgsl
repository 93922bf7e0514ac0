// rank = how many classes come before the target's when logits are sorted from
// the largest, equal ones by index: 0 is a right top-1 answer, below 5 a right
// top-5. A target that names no class, or a NaN logit, ranks last.
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<i32>;
@group(0) @binding(2) var<storage, read_write> rank: array<u32>;
struct Params { rows: u32, classes: u32 }
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flat_index(gid, groups);
  if (row >= P.rows) {
    return;
  }
  let target_class = targets[row];
  if (target_class < 0 || target_class >= i32(P.classes)) {
    rank[row] = P.classes;
    return;
  }
  let y = u32(target_class);
  let base = row * P.classes;
  let x = logits[base + y];
  var before = 0u;
  for (var k = 0u; k < P.classes; k += 1u) {
    let z = logits[base + k];
    let behind = z < x || (z == x && k >= y);
    before += select(1u, 0u, behind);
  }
  rank[row] = before;
}
