// Folds dimensions of x: y[out] = post(fold over r of pre(x[out, r])). The fold
// of one output is split into chunks of consecutive r, one invocation each;
// partial results [splits outputs] are folded by a second launch.
// COLUMNS: x is [R C], outputs are columns, four an invocation. Otherwise
// outputs and r are decoded over up to six dimensions each, innermost first.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>;
struct Params {
  outputs: u32, length: u32, chunk: u32, splits: u32, count: f32,
#for d 6
  s$d: u32, t$d: u32, // kept dimensions
#end
#for d 6
  r$d: u32, q$d: u32, // folded dimensions
#end
}
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

fn pre(v: {{T}}) -> {{T}} { return {{PRE}}; }
fn fold(a: {{T}}, v: {{T}}) -> {{T}} { return {{FOLD}}; }
fn post(a: {{T}}) -> {{T}} { return {{POST}}; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.outputs * P.splits) {
    return;
  }
  let out = i % P.outputs;
  let begin = i / P.outputs * P.chunk;
  let end = min(begin + P.chunk, P.length);
#if COLUMNS
  var at = begin * P.outputs + out;
  var a = pre(x[at]);
  for (var r = begin + 1u; r < end; r += 1u) {
    at += P.outputs;
    a = fold(a, pre(x[at]));
  }
#else
  var base = 0u;
  var rest = out;
#for d 6
  base += (rest % P.s$d) * P.t$d;
  rest /= P.s$d;
#end
  var a = pre(x[base + place(begin)]);
#if LOGSUMEXP
  // The largest first, so that no exponential overflows.
  for (var r = begin + 1u; r < end; r += 1u) {
    a = max(a, x[base + place(r)]);
  }
  let top = a;
  a = 0.0;
  for (var r = begin; r < end; r += 1u) {
    a += exp(x[base + place(r)] - top);
  }
  a = top + log(a);
#else
  for (var r = begin + 1u; r < end; r += 1u) {
    a = fold(a, pre(x[base + place(r)]));
  }
#endif
#endif
  y[i] = post(a);
}
#if !COLUMNS
fn place(r: u32) -> u32 {
  var rest = r;
  var at = 0u;
#for d {{FOLDED}}
  at += (rest % P.r$d) * P.q$d;
  rest /= P.r$d;
#end
  return at;
}
#endif
