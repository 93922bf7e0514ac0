// y[n] = the mean of x[n] [p c] over its positions, with LENGTHS over the first
// lengths[n] of them (zero when there are none). One invocation a (vector of)
// channels of an n.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [n p c]
#if LENGTHS
@group(0) @binding({{LENGTHS_AT}}) var<storage, read> lengths: array<u32>; // [n]
#endif
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>; // [n c]
#paste "meanpool_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n * P.c) {
    return;
  }
  let n = i / P.c;
  let count = positions(n);
  var sum = {{T}}();
  var at = n * P.p * P.c + i % P.c;
  for (var k = 0u; k < count; k += 1u) {
    sum += x[at];
    at += P.c;
  }
  y[i] = sum / f32(max(count, 1u));
}
