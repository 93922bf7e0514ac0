// The second pass of batch-norm's gradient: dβ = Σ g and dγ = rstd·Σ g·(x − mean)
// from the chunks, and per channel what the last pass needs:
//   dx = scale·g + slope·(x − mean) + offset.
@group(0) @binding({{PARTS_AT}}) var<storage, read> parts: array<{{T}}>; // [2 chunks c]
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<{{T}}>; // [c]
@group(0) @binding({{SPREAD_AT}}) var<storage, read> spread: array<{{T}}>; // rstd, or the variance
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>;
@group(0) @binding({{BETA_AT}}) var<storage, read> beta: array<{{T}}>;
@group(0) @binding({{DGAMMA_AT}}) var<storage, read_write> dgamma: array<{{T}}>; // [c]
@group(0) @binding({{DBETA_AT}}) var<storage, read_write> dbeta: array<{{T}}>; // [c]
#if !FROZEN
@group(0) @binding({{COEF_AT}}) var<storage, read_write> coef: array<{{T}}>; // [5 c]: mean, scale, β, slope, offset
#endif
#paste "batchnorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let c = flat_index(gid, groups);
  if (c >= P.c) {
    return;
  }
  var sum = {{T}}();
  var product = {{T}}();
  for (var k = 0u; k < P.chunks; k += 1u) {
    sum += parts[k * P.c + c];
    product += parts[(P.chunks + k) * P.c + c];
  }
#if FROZEN
  dgamma[c] = product / sqrt(spread[c] + P.eps);
  dbeta[c] = sum;
#else
  // With x̂ = (x − mean)·rstd and m rows:
  // dx = γ·rstd·(g − dβ/m − x̂·dγ/m).
  let rstd = spread[c];
  let scale = gamma[c] * rstd;
  dgamma[c] = product * rstd;
  dbeta[c] = sum;
  coef[c] = mean[c];
  coef[P.c + c] = scale;
  coef[2u * P.c + c] = beta[c];
  coef[3u * P.c + c] = -scale * rstd * rstd * product / f32(P.rows);
  coef[4u * P.c + c] = -scale * sum / f32(P.rows);
#endif
}
