// What the loss of a row needs of every splits-th class, for rows too long for
// one invocation.
@group(0) @binding(0) var<storage, read> logits: array<f32>;
#if SOFT
@group(0) @binding(1) var<storage, read> targets: array<f32>;
#endif
#if WEIGHTED
@group(0) @binding({{WEIGHT_AT}}) var<storage, read> weight: array<f32>;
#endif
@group(0) @binding({{PARTIALS_AT}}) var<storage, read_write> partials: array<vec4<f32>>;
#paste "crossentropy_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "crossentropy_row"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.rows * P.splits) {
    return;
  }
  partials[i] = scan(i / P.splits, i % P.splits, P.splits);
}
