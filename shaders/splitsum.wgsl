// y[i] = Σ_s x[s][i]: the second, deterministic pass of kernels that split a
// long sum over several invocations.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>;
struct Params { n: u32, splits: u32 }
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  var sum = x[i];
  for (var s = 1u; s < P.splits; s += 1u) {
    sum += x[s * P.n + i];
  }
  y[i] = sum;
}
