// The first pass of batch-norm's gradient: per channel and chunk of rows
//   Σ g  and  Σ g·(x − mean),   g = dy where the ReLU passed, else 0.
// The ReLU's mask follows from x (MASK_X: the output is computed again, cheaper
// than reading it), or from the output y where a residual went in (MASK_Y); then
// g, the residual's gradient, is written too, and the last pass reads it as dy.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows c]
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<{{T}}>; // [c]
#if MASK_X
@group(0) @binding({{SPREAD_AT}}) var<storage, read> spread: array<{{T}}>; // rstd, or the variance
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>;
@group(0) @binding({{BETA_AT}}) var<storage, read> beta: array<{{T}}>;
#endif
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [rows c]
#if MASK_Y
@group(0) @binding({{Y_AT}}) var<storage, read> y: array<{{T}}>; // [rows c]
@group(0) @binding({{DR_AT}}) var<storage, read_write> dr: array<{{T}}>; // [rows c]
#endif
@group(0) @binding({{PARTS_AT}}) var<storage, read_write> parts: array<{{T}}>; // [2 chunks c]
#paste "batchnorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.chunks * P.c) {
    return;
  }
  let c = i % P.c;
  let begin = i / P.c * P.chunk_rows;
  let n = min(P.chunk_rows, P.rows - begin);
  let center = mean[c];
#if MASK_X
#if FROZEN
  let scale = gamma[c] / sqrt(spread[c] + P.eps);
#else
  let scale = gamma[c] * spread[c];
#endif
  let shift = beta[c];
#endif
  var sum = {{T}}();
  var product = {{T}}();
  var at = begin * P.c + c;
  for (var row = 0u; row < n; row += 1u) {
    let d = x[at] - center;
    var g = dy[at];
#if MASK_X
    g = select({{T}}(), g, d * scale + shift > {{T}}());
#endif
#if MASK_Y
    g = select({{T}}(), g, y[at] > {{T}}());
    dr[at] = g;
#endif
    sum += g;
    product += g * d;
    at += P.c;
  }
  parts[i] = sum;
  parts[P.chunks * P.c + i] = product;
}
