// dx_k = dloss/normaliser·(p_k·Σ t − t_k) with p = softmax(x), the derivative of
// Σ t_k·(lse − x_k), see crossentropy; saved holds top and Σ t/Σ exp(x − top).
@group(0) @binding(0) var<storage, read> dloss: array<f32>;
@group(0) @binding(1) var<storage, read> saved: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> normaliser: array<f32>;
@group(0) @binding(3) var<storage, read> logits: array<{{T}}>;
#if SOFT
@group(0) @binding(4) var<storage, read> targets: array<{{T}}>;
#else
@group(0) @binding(4) var<storage, read> targets: array<i32>;
#endif
#if WEIGHTED
@group(0) @binding({{WEIGHT_AT}}) var<storage, read> weight: array<{{T}}>;
#endif
@group(0) @binding({{DLOGITS_AT}}) var<storage, read_write> dlogits: array<{{T}}>;
struct Params { rows: u32, columns: u32, classes: u32, ignore_index: i32, smoothing: f32 } // columns: Ts of a row
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  let row = i / P.columns;
  if (row >= P.rows) {
    return;
  }
  let column = i % P.columns;
  var g = dloss[0] / normaliser[0];
  // No row counts: the loss is 0 and so is its gradient.
  if (normaliser[0] == 0.0) {
    g = 0.0;
  }
  var t = {{T}}(P.smoothing / f32(P.classes));
#if SOFT
  t += (1.0 - P.smoothing) * targets[i];
#else
  let y = targets[row];
  if (y == P.ignore_index || y < 0 || y >= i32(P.classes)) {
    dlogits[i] = {{T}}();
    return;
  }
#if VEC4
  let k = column * 4u + vec4<u32>(0u, 1u, 2u, 3u);
#else
  let k = column;
#endif
  t += select({{T}}(), {{T}}(1.0 - P.smoothing), k == {{U}}(u32(y)));
#endif
#if WEIGHTED
  t *= weight[column];
#endif
  let s = saved[row];
  dlogits[i] = g * (exp(logits[i] - s.x) * s.y - t);
}
