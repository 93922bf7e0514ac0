// Gradient of the mean binary cross-entropy: dx = dloss/n·(sigmoid(x) − y).
@group(0) @binding(0) var<storage, read> dloss: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> targets: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<vec4<f32>>;
struct Params { n: u32, scale: f32 } // vec4s; 1/n
@group(0) @binding(4) var<uniform> P: Params;
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
  // (1 − y)·sigmoid(x) − y·sigmoid(−x): exact in both tails.
  dlogits[i] = dloss[0] * P.scale * ((1.0 - y) * sigmoid(x) - y * sigmoid(-x));
}
