// y = v everywhere.
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
struct Params { n: u32, v: f32 } // vec4s
@group(0) @binding(1) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i < P.n) {
    y[i] = vec4<f32>(P.v);
  }
}
