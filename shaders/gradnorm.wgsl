// Second pass of the global norm: clip = (min(1, max_norm/(norm + 1e−6)), norm),
// as PyTorch's clip_grad_norm_. A max norm of 0 does not clip.
@group(0) @binding(0) var<storage, read> hyper: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> clip: array<f32>;
struct Params { n: u32 } // vec4s
@group(0) @binding(3) var<uniform> P: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  if (gid.x > 0u) {
    return;
  }
  var sum = vec4<f32>();
  for (var i = 0u; i < P.n; i += 1u) {
    sum += partials[i];
  }
  let norm = sqrt((sum.x + sum.y) + (sum.z + sum.w));
  let bound = hyper[1].w;
  var scale = 1.0;
  if (bound > 0.0) {
    scale = min(1.0, bound / (norm + 1e-6));
  }
  clip[0] = scale;
  clip[1] = norm;
}
