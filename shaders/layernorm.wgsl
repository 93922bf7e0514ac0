// Layer normalisation (Ba et al. 2016) of the rows of s = x (+ r):
//   y = (s − mean)·rstd·γ + β,   rstd = 1/√(var + eps).
// One invocation, or workgroup, a row; the variance is taken in a second loop, from the mean.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows d]
#if RESIDUAL
@group(0) @binding({{R_AT}}) var<storage, read> r: array<{{T}}>; // [rows d]
#endif
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>; // [d]
@group(0) @binding({{BETA_AT}}) var<storage, read> beta: array<{{T}}>; // [d]
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>; // [rows d]
@group(0) @binding({{MEAN_AT}}) var<storage, read_write> mean: array<f32>; // [rows]
@group(0) @binding({{RSTD_AT}}) var<storage, read_write> rstd: array<f32>; // [rows]
#if SUM
@group(0) @binding({{S_AT}}) var<storage, read_write> s: array<{{T}}>; // [rows d]
#endif
#paste "layernorm_params"
#import "row"

// s[i], which with a residual is kept where it is written, or else in y.
fn value(i: u32) -> {{T}} {
#if RESIDUAL
  return {{KEPT}}[i];
#else
  return x[i];
#endif
}

#paste "row_main"
  let base = row * P.d;
  var sum = {{T}}();
  for (var i = lane; i < P.d; i += STEP) {
#if RESIDUAL
    let v = x[base + i] + r[base + i];
    {{KEPT}}[base + i] = v;
#else
    let v = x[base + i];
#if SUM
    s[base + i] = v;
#endif
#endif
    sum += v;
  }
  let m = total(sum_of(sum), lane) / P.count;
  var squares = {{T}}();
  for (var i = lane; i < P.d; i += STEP) {
    let d = value(base + i) - m;
    squares += d * d;
  }
  let scale = 1.0 / sqrt(total(sum_of(squares), lane) / P.count + P.eps);
  for (var i = lane; i < P.d; i += STEP) {
    y[base + i] = (value(base + i) - m) * scale * gamma[i] + beta[i];
  }
  if (lane == 0u) {
    mean[row] = m;
    rstd[row] = scale;
  }
}
