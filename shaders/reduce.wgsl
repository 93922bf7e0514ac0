// Folds dimensions of x: y[out] = post(fold over r of pre(x[out, r])). The fold
// of one output may be split over several invocations, whose partial results
// [splits outputs] a second launch folds. Loads are vec4s where four outputs
// (COLUMNS) or four folded elements (ROWS) are neighbours. Kept and folded
// dimensions are walked innermost first.
@group(0) @binding(0) var<storage, read> x: array<{{X}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{Y}}>;
struct Params {
  outputs: u32, length: u32, // in Ys and in Xs
  splits: u32, chunk: u32,   // invocations an output, elements they take
  lanes: u32,                // of which so many take turns in one chunk
  start: f32, count: f32,    // what the fold begins with; elements folded
#for d {{KEPT}}
  k$d: u32, s$d: u32,
#end
#for d {{FOLDED}}
  r$d: u32, q$d: u32,
#end
}
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

fn pre(v: {{X}}) -> {{X}} { return {{PRE}}; }
fn fold(a: {{X}}, v: {{X}}) -> {{X}} { return {{FOLD}}; }
fn post(a: {{Y}}) -> {{Y}} { return {{POST}}; }

// The place of folded element r.
fn place(r: u32) -> u32 {
  var rest = r;
  var at = 0u;
#for d {{FOLDED_OUTERMOST}}
  {
    let next = rest / P.r$d;
    at += (rest - next * P.r$d) * P.q$d;
    rest = next;
  }
#end
  return at + rest * P.q{{FOLDED_OUTERMOST}};
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.outputs * P.splits) {
    return;
  }
  // Neighbouring invocations read neighbours: columns, or lanes of a chunk.
#if COLUMNS
  let split = i / P.outputs;
  let out = i - split * P.outputs;
#else
  let out = i / P.splits;
  let split = i - out * P.splits;
#endif
  let block = split / P.lanes;
  let begin = block * P.lanes * P.chunk + (split - block * P.lanes);
  let end = min((block + 1u) * P.lanes * P.chunk, P.length);
  var base = 0u;
  var rest = out;
#for d {{KEPT_OUTERMOST}}
  {
    let next = rest / P.k$d;
    base += (rest - next * P.k$d) * P.s$d;
    rest = next;
  }
#end
  base += rest * P.s{{KEPT_OUTERMOST}};
  var a = {{X}}(P.start);
#if LOGSUMEXP
  // The largest first, so that no exponential overflows.
  for (var r = begin; r < end; r += P.lanes) {
    a = max(a, x[base + place(r)]);
  }
#if ROWS
  a = vec4<f32>(max(max(a.x, a.y), max(a.z, a.w)));
#endif
  let top = a;
  a = {{X}}();
  for (var r = begin; r < end; r += P.lanes) {
    a += exp(x[base + place(r)] - top);
  }
#if ROWS
  y[split * P.outputs + out] = top.x + log((a.x + a.y) + (a.z + a.w));
#else
  y[split * P.outputs + out] = top + log(a);
#endif
#else
  for (var r = begin; r < end; r += P.lanes) {
    a = fold(a, pre(x[base + place(r)]));
  }
#if ROWS
  a = fold(a, a.zwxy);
  a = fold(a, a.yxwz);
  y[split * P.outputs + out] = post(a.x);
#else
  y[split * P.outputs + out] = post(a);
#endif
#endif
}
