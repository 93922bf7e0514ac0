// The second pass of the parameters' gradients: dγ and dβ are the sums of the
// chunks.
@group(0) @binding({{PARTS_AT}}) var<storage, read> parts: array<{{T}}>; // [2 chunks d]
@group(0) @binding({{DGAMMA_AT}}) var<storage, read_write> dgamma: array<{{T}}>; // [d]
@group(0) @binding({{DBETA_AT}}) var<storage, read_write> dbeta: array<{{T}}>; // [d]
#paste "layernorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.d) {
    return;
  }
  var product = {{T}}();
  var sum = {{T}}();
  for (var k = 0u; k < P.chunks; k += 1u) {
    product += parts[k * P.d + i];
    sum += parts[(P.chunks + k) * P.d + i];
  }
  dgamma[i] = product;
  dbeta[i] = sum;
}
