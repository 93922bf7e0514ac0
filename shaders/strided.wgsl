// Copies words between a dense tensor and a strided view of another:
// y[i] = x[offset + Σ digits of i · strides], or the other way round (SCATTER).
// Dimension 0 is the innermost; indices wrap, so strides may be negative. With
// WIDE four neighbours of dimension 0 go together: they are one vec4 of the
// view (VEC4), one element (SPLAT), or four a stride apart.
@group(0) @binding(0) var<storage, read> x: array<{{X}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{Y}}>;
struct Params {
  n: u32, offset: u32, inner: u32,
#for d {{RANK}}
  n$d: u32, s$d: u32,
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
#for d {{OUTERMOST}}
  {
    let next = rest / P.n$d;
    at += (rest - next * P.n$d) * P.s$d;
    rest = next;
  }
#end
  at += rest * P.s{{OUTERMOST}};
#if SCATTER
#if WIDE
  let v = x[i];
#for k 4
  y[at + $ku * P.inner] = v[$k];
#end
#else
  y[at] = x[i];
#endif
#else
#if SPLAT
  y[i] = vec4<u32>(x[at]);
#else
#if WIDE
  y[i] = vec4<u32>(x[at], x[at + P.inner], x[at + 2u * P.inner], x[at + 3u * P.inner]);
#else
  y[i] = x[at];
#endif
#endif
#endif
}
