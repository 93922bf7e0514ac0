// The first pass of the parameters' gradients of layer normalisation: per
// column and chunk of rows Σ dy·x̂ and Σ dy, x̂ = (x − mean)·rstd.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows d]
@group(0) @binding({{MEAN_AT}}) var<storage, read> mean: array<f32>; // [rows]
@group(0) @binding({{RSTD_AT}}) var<storage, read> rstd: array<f32>; // [rows]
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [rows d]
@group(0) @binding({{PARTS_AT}}) var<storage, read_write> parts: array<{{T}}>; // [2 chunks d]
#paste "layernorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.chunks * P.d) {
    return;
  }
  let begin = i / P.d * P.chunk_rows;
  let end = min(begin + P.chunk_rows, P.rows);
  var product = {{T}}();
  var sum = {{T}}();
  var at = begin * P.d + i % P.d;
  for (var row = begin; row < end; row += 1u) {
    let g = dy[at];
    product += g * ((x[at] - mean[row]) * rstd[row]);
    sum += g;
    at += P.d;
  }
  parts[i] = product;
  parts[P.chunks * P.d + i] = sum;
}
