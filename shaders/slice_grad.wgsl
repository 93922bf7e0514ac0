// The gradient of a slice: y is zero except where the slice was, in gather
// form: every element of y looks whether it was taken. Dimension 0 is the innermost.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>;
struct Params {
  n: u32,
#for d {{RANK}}
  n$d: u32, begin$d: u32, step$d: u32, size$d: u32, s$d: u32,
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
#for d {{RANK}}
  {
    let next = rest / P.n$d;
    // Before begin the difference wraps to a large number, which is not taken.
    let digit = rest - next * P.n$d - P.begin$d;
    let index = digit / P.step$d;
    taken = taken & (index * P.step$d == digit) & (index < P.size$d);
    at += index * P.s$d;
    rest = next;
  }
#end
  y[i] = {{T}}();
  if (taken) {
    y[i] = x[at];
  }
}
