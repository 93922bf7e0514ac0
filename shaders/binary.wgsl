// y = f(a, b) with NumPy's broadcasting: dense on vec4s, a row of b for every
// row of a on vec4s, or any strides one element at a time. Dimension 0 is the
// innermost.
#if STRIDED
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
struct Params {
  n: u32,
#for d 6
  s$d: u32, a$d: u32, b$d: u32,
#end
}
#else
@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params { n: u32, period: u32 } // vec4s; b repeats after period
#endif
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
#if STRIDED
  var rest = i;
  var ia = 0u;
  var ib = 0u;
#for d 6
  ia += (rest % P.s$d) * P.a$d;
  ib += (rest % P.s$d) * P.b$d;
  rest /= P.s$d;
#end
  y[i] = f(a[ia], b[ib]);
#else
  y[i] = f(a[i], b[i % P.period]);
#endif
}
