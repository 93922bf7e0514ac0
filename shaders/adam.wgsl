// One step of Adam over an arena (Kingma and Ba 2015, in PyTorch's form), four
// weights an invocation:
//   g ← g·clip;  L2: g ← g + λ·w, DECOUPLED (AdamW): w ← w·(1 − η·λ)
//   m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²
//   w ← w − η/(1 − β1^t) · m / (√v/√(1 − β2^t) + ε)
@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> hyper: array<vec4<f32>>;
#if CLIP
@group(0) @binding({{CLIP_AT}}) var<storage, read> clip: array<f32>; // scale, norm
#endif
@group(0) @binding({{GRADS_AT}}) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding({{WEIGHTS_AT}}) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding({{M_AT}}) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding({{V_AT}}) var<storage, read_write> v: array<vec4<f32>>;
struct Params { n: u32 } // vec4s
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "adam_memory"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  let group = group_of(i / 16u);
  if (group.z == 0.0) {
    return;
  }
  // The padding behind a tensor stays 0 whatever its gradient holds.
  var g = select(vec4<f32>(), grads[i], valid(i));
#if CLIP
  g *= clip[0];
#endif
  var w = weights[i];
#if DECOUPLED
  w *= 1.0 - group.x * group.y;
#else
  g += group.y * w;
#endif
  let beta = hyper[0];
  let correction = hyper[1];
  let m1 = beta.x * m[i] + beta.y * g;
  let v1 = beta.z * v[i] + beta.w * g * g;
  m[i] = m1;
  v[i] = v1;
  weights[i] = w - group.x * correction.x * m1 / (sqrt(v1) * correction.y + correction.z);
}
