// y = f(a, b) with NumPy's broadcasting, over the digits of the output's index,
// dimension 0 the innermost. Four elements an invocation where dimension 0
// allows it: an operand is then a vec4, or one element that repeats.
@group(0) @binding(0) var<storage, read> a: array<{{A}}>;
@group(0) @binding(1) var<storage, read> b: array<{{B}}>;
@group(0) @binding(2) var<storage, read_write> y: array<{{T}}>;
struct Params {
  n: u32,
#for d {{RANK}}
  n$d: u32, a$d: u32, b$d: u32,
#end
}
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

fn f(a: {{T}}, b: {{T}}) -> {{T}} {
  return {{F}};
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  var rest = i;
  var at_a = 0u;
  var at_b = 0u;
#for d {{OUTERMOST}}
  {
    let next = rest / P.n$d;
    let digit = rest - next * P.n$d;
    at_a += digit * P.a$d;
    at_b += digit * P.b$d;
    rest = next;
  }
#end
  at_a += rest * P.a{{OUTERMOST}};
  at_b += rest * P.b{{OUTERMOST}};
  y[i] = f({{T}}(a[at_a]), {{T}}(b[at_b]));
}
