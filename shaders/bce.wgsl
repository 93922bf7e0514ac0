// Binary cross-entropy with logits, per element:
// max(x, 0) − x·y + log(1 + exp(−|x|)) = softplus(x) − x·y.
@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> targets: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> losses: array<vec4<f32>>;
struct Params { n: u32 } // vec4s
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  let x = logits[i];
  let y = targets[i];
  // softplus(x) − x·y loses the small differences at large x; softplus(x) − x = softplus(−x) does not.
  losses[i] = (1.0 - y) * softplus(x) + y * softplus(-x);
}
