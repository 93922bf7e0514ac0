// The gradient of a slice: y is zero except where the slice was, in gather
// form: every element of y looks whether it was taken. Dimension 0 is the innermost.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Params {
  n: u32,
#for d 6
  s$d: u32, begin$d: u32, size$d: u32, step$d: u32, t$d: u32,
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
  var at = 0u;
  var taken = true;
#for d 6
  {
    // Below begin the subtraction wraps to a large number, which is not taken.
    let k = rest % P.s$d - P.begin$d;
    taken = taken & (k % P.step$d == 0u) & (k / P.step$d < P.size$d);
    at += k / P.step$d * P.t$d;
    rest /= P.s$d;
  }
#end
  y[i] = 0.0;
  if (taken) {
    y[i] = x[at];
  }
}
