// First pass of the global norm: the squares of an arena's gradients of trained
// groups. Sixteen invocations share a chunk of blocks, each taking one vec4 of
// every block.
@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> hyper: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;
struct Params { blocks: u32, chunks: u32, chunk: u32 } // chunk: blocks
@group(0) @binding(4) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "adam_memory"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.chunks * 16u) {
    return;
  }
  let end = min((i / 16u + 1u) * P.chunk, P.blocks);
  var sum = vec4<f32>();
  for (var b = (i / 16u) * P.chunk; b < end; b += 1u) {
    let at = b * 16u + i % 16u;
    if (group_of(b).z != 0.0) {
      let g = select(vec4<f32>(), grads[at], valid(at));
      sum += g * g;
    }
  }
  partials[i] = (sum.x + sum.y) + (sum.z + sum.w);
}
