// Copies between a dense tensor and a strided view of another. Dimension 0 is
// the innermost; {{T}} is vec4<f32> where four neighbours stay neighbours.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>;
struct Params {
  n: u32, offset: u32,
#for d 6
  s$d: u32, t$d: u32,
#end
}
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  var rest = i;
  var at = P.offset;
#for d 6
  at += (rest % P.s$d) * P.t$d;
  rest /= P.s$d;
#end
#if SCATTER
  y[at] = x[i];
#else
  y[i] = x[at];
#endif
}
