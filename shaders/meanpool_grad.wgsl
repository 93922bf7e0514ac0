// dx of the mean over positions: dy / count at every position that counted.
// One invocation an element (or vec4).
#if LENGTHS
@group(0) @binding({{LENGTHS_AT}}) var<storage, read> lengths: array<u32>; // [n]
#endif
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [n c]
@group(0) @binding({{DX_AT}}) var<storage, read_write> dx: array<{{T}}>; // [n p c]
#paste "meanpool_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n * P.p * P.c) {
    return;
  }
  let n = i / (P.p * P.c);
  let count = positions(n);
  dx[i] = select({{T}}(), dy[n * P.c + i % P.c] / f32(max(count, 1u)), i / P.c % P.p < count);
}
