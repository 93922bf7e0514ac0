// Cross-entropy of each row of logits x [rows classes] as in PyTorch: with the
// shares t_k of the classes, loss = Σ t_k·(lse − x_k), lse = log Σ exp(x_k).
//   index target y: t_k = w_k·((1 − ε)·[k = y] + ε/classes), row weight w_y
//   soft target q:  t_k = w_k·((1 − ε)·q_k + ε/classes), row weight 1
// A row whose target is ignore_index or no class has loss and weight 0. Saved
// for the gradient: (top, Σ t_k/Σ exp(x_k − top)) with top = max x_k.
@group(0) @binding(0) var<storage, read> logits: array<f32>;
#if SOFT
@group(0) @binding(1) var<storage, read> targets: array<f32>;
#else
@group(0) @binding(1) var<storage, read> targets: array<i32>;
#endif
#if WEIGHTED
@group(0) @binding({{WEIGHT_AT}}) var<storage, read> weight: array<f32>;
#endif
#if SPLIT
@group(0) @binding({{PARTIALS_AT}}) var<storage, read> partials: array<vec4<f32>>;
#endif
@group(0) @binding({{LOSSES_AT}}) var<storage, read_write> losses: array<f32>;
@group(0) @binding({{WEIGHTS_AT}}) var<storage, read_write> weights: array<f32>;
@group(0) @binding({{SAVED_AT}}) var<storage, read_write> saved: array<vec2<f32>>;
#paste "crossentropy_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "crossentropy_row"

#if SPLIT
fn merge(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let top = max(a.x, b.x);
  let da = a.x - top;
  let db = b.x - top;
  return vec4<f32>(top, a.y * exp(da) + b.y * exp(db), a.z + a.w * da + b.z + b.w * db, a.w + b.w);
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = flat_index(gid, groups);
  if (row >= P.rows) {
    return;
  }
#if SPLIT
  var s = partials[row * P.splits];
  for (var c = 1u; c < P.splits; c += 1u) {
    s = merge(s, partials[row * P.splits + c]);
  }
#else
  let s = scan(row, 0u, 1u);
#endif
  // lse = top + log_sum, never added up: at large logits the sum loses digits.
  let log_sum = log(s.y);
  var loss = 0.0;
  var row_weight = 1.0;
  var total = 0.0;
#if SPREAD
  loss = s.w * log_sum - s.z;
  total = s.w;
#endif
#if !SOFT
  let y = targets[row];
  if (y == P.ignore_index || y < 0 || y >= i32(P.classes)) {
    loss = 0.0;
    row_weight = 0.0;
    total = 0.0;
  } else {
#if WEIGHTED
    row_weight = weight[y];
#endif
    let t = (1.0 - P.smoothing) * row_weight;
    loss += t * (log_sum - (logits[row * P.classes + u32(y)] - s.x));
    total += t;
  }
#endif
  losses[row] = loss;
  weights[row] = row_weight;
  saved[row] = vec2<f32>(s.x, total / s.y);
}
