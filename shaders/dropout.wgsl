// y = x where the element is kept, scaled by 1/(1 − p), else 0. The bits come
// from a hash of (seed, step, layer, index), so the same kernel on dy is the
// gradient: it draws the same mask.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> rng: array<u32>; // seed low, seed high, step
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params { n: u32, threshold: u32, scale: f32, salt: u32 } // n in vec4s
@group(0) @binding(3) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

// pcg4d of Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 9(3), 2020.
fn pcg4d(seed: vec4<u32>) -> vec4<u32> {
  var v = seed * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4<u32>(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  let key = pcg4d(vec4<u32>(rng[0], rng[1], rng[2], P.salt));
  let bits = pcg4d(vec4<u32>(i, key.x, key.y, key.z ^ key.w));
  y[i] = select(vec4<f32>(), x[i] * P.scale, bits >= vec4<u32>(P.threshold));
}
