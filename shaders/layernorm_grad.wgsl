// The input's gradient of layer normalisation, one invocation, or workgroup, a row. With
// x̂ = (x − mean)·rstd and g = dy·γ:
//   dx = rstd·(g − mean(g) − x̂·mean(g·x̂)).
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows d]
@group(0) @binding({{GAMMA_AT}}) var<storage, read> gamma: array<{{T}}>; // [d]
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<f32>; // [rows]
@group(0) @binding({{RSTD_AT}}) var<storage, read> rstd: array<f32>; // [rows]
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [rows d]
@group(0) @binding({{DX_AT}}) var<storage, read_write> dx: array<{{T}}>; // [rows d]
#paste "layernorm_params"
#import "row"

#paste "row_main"
  let base = row * P.d;
  let m = mean[row];
  let scale = rstd[row];
  var sum = {{T}}();
  var product = {{T}}();
  for (var i = lane; i < P.d; i += STEP) {
    let g = dy[base + i] * gamma[i];
    sum += g;
    product += g * (x[base + i] - m);
  }
  let offset = total(sum_of(sum), lane) / P.count;
  let slope = total(sum_of(product), lane) / P.count * scale * scale;
  for (var i = lane; i < P.d; i += STEP) {
    // The maximum keeps compilers from contracting: of one column, g − offset is to
    // be zero, and the rounding of g times rstd is not.
    let g = max(dy[base + i] * gamma[i], {{T}}(-3.4e38));
    dx[base + i] = scale * (g - offset - slope * (x[base + i] - m));
  }
}
