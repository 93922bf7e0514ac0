// The second pass of batch statistics: merges the chunks of each channel (Chan
// et al., Updating formulae and a pairwise algorithm for computing sample
// variances, 1979, in its form for many parts):
//   mean = Σ nᵢ meanᵢ / n,   M2 = Σ M2ᵢ + nᵢ (meanᵢ − mean)².
// The variance that normalises is M2 / n, the running one M2 / (n − 1).
@group(0) @binding({{PARTS_AT}}) var<storage, read> parts: array<{{T}}>; // [2 chunks c]
@group(0) @binding({{MEAN_AT}}) var<storage, read_write> mean: array<{{T}}>; // [c]
@group(0) @binding({{RSTD_AT}}) var<storage, read_write> rstd: array<{{T}}>; // [c]
#if RUNNING
@group(0) @binding({{RUNNING_MEAN_AT}}) var<storage, read_write> running_mean: array<{{T}}>; // [c]
@group(0) @binding({{RUNNING_VAR_AT}}) var<storage, read_write> running_var: array<{{T}}>; // [c]
#endif
#paste "batchnorm_params"

fn rows_of(chunk: u32) -> f32 {
  return f32(min(P.chunk_rows, P.rows - chunk * P.chunk_rows));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let c = flat_index(gid, groups);
  if (c >= P.c) {
    return;
  }
  var m = {{T}}();
  for (var k = 0u; k < P.chunks; k += 1u) {
    m += parts[k * P.c + c] * rows_of(k);
  }
  m /= f32(P.rows);
  var m2 = {{T}}();
  for (var k = 0u; k < P.chunks; k += 1u) {
    let d = parts[k * P.c + c] - m;
    m2 += parts[(P.chunks + k) * P.c + c] + d * d * rows_of(k);
  }
  mean[c] = m;
  rstd[c] = 1.0 / sqrt(m2 / f32(P.rows) + P.eps);
#if RUNNING
  running_mean[c] += P.momentum * (m - running_mean[c]);
  running_var[c] += P.momentum * (m2 / f32(max(P.rows, 2u) - 1u) - running_var[c]);
#endif
}
