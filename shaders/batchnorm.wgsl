// y = act((x − mean)·rstd·γ + β + r) over the rows of x [rows c]. With FROZEN the
// statistics are the running ones and rstd is computed from the variance. An
// invocation keeps its channels and handles several rows.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>;
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<{{T}}>;
@group(0) @binding({{SPREAD_AT}}) var<storage, read> spread: array<{{T}}>; // rstd, or the variance
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>;
@group(0) @binding({{BETA_AT}}) var<storage, read> beta: array<{{T}}>;
#if RESIDUAL
@group(0) @binding({{R_AT}}) var<storage, read> r: array<{{T}}>;
#endif
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>;
#paste "batchnorm_params"
#if RELU
#import "activation"
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let column = column_of(flat_index(gid, groups));
  if (column.begin >= P.rows * P.c) {
    return;
  }
  let c = column.c;
#if FROZEN
  let scale = gamma[c] / sqrt(spread[c] + P.eps);
#else
  let scale = gamma[c] * spread[c];
#endif
  let center = mean[c];
  let shift = beta[c];
  for (var at = column.begin; at < column.end; at += column.step) {
    var v = (x[at] - center) * scale + shift;
#if RESIDUAL
    v += r[at];
#endif
#if RELU
#if VEC4
    v = relu(v);
#else
    v = relu(vec4<f32>(v)).x;
#endif
#endif
    y[at] = v;
  }
}
