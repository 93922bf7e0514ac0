// The last pass of batch-norm's gradient. With batch statistics
//   dx = scale·g + slope·(x − mean) + offset
// with the coefficients of batchnorm_grad_sums; with FROZEN ones dx = γ·rstd·g.
// g is dy, with MASK_X where the ReLU passed. An invocation keeps its channels
// and handles several rows.
#if FROZEN
#if MASK_X
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows c]
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<{{T}}>; // [c]
#endif
@group(0) @binding({{SPREAD_AT}}) var<storage, read> spread: array<{{T}}>; // the variance
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>;
#if MASK_X
@group(0) @binding({{BETA_AT}}) var<storage, read> beta: array<{{T}}>;
#endif
#else
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows c]
@group(0) @binding({{COEF_AT}}) var<storage, read> coef: array<{{T}}>; // [5 c]
#endif
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [rows c]
@group(0) @binding({{DX_AT}}) var<storage, read_write> dx: array<{{T}}>; // [rows c]
#paste "batchnorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let column = column_of(flat_index(gid, groups));
  if (column.begin >= P.rows * P.c) {
    return;
  }
  let c = column.c;
#if FROZEN
  let scale = gamma[c] / sqrt(spread[c] + P.eps);
#if MASK_X
  let center = mean[c];
  let shift = beta[c];
#endif
#else
  let center = coef[c];
  let scale = coef[P.c + c];
  let shift = coef[2u * P.c + c];
  let slope = coef[3u * P.c + c];
  let offset = coef[4u * P.c + c];
#endif
  for (var at = column.begin; at < column.end; at += column.step) {
    var g = dy[at];
#if FROZEN
#if MASK_X
    g = select({{T}}(), g, (x[at] - center) * scale + shift > {{T}}());
#endif
    dx[at] = scale * g;
#else
    let d = x[at] - center;
#if MASK_X
    g = select({{T}}(), g, d * scale + shift > {{T}}());
#endif
    dx[at] = scale * g + slope * d + offset;
#endif
  }
}
