// y = x as half floats, two a word. Values beyond ±65504 become that.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec2<u32>>;
struct Params { n: u32 } // vec4s
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  let v = clamp(x[i], vec4<f32>(-65504.0), vec4<f32>(65504.0));
  y[i] = vec2<u32>(pack2x16float(v.xy), pack2x16float(v.zw));
}
