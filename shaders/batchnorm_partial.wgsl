// The first pass of batch statistics: per channel and chunk of rows the mean
// and M2 = Σ (x − mean)². One invocation a chunk and (vector of) channels, one
// pass over memory: deviations are taken from the chunk's first value, so that
// no large numbers cancel.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [rows c]
@group(0) @binding({{PARTS_AT}}) var<storage, read_write> parts: array<{{T}}>; // [2 chunks c]: means, then M2
#paste "batchnorm_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.chunks * P.c) {
    return;
  }
  let begin = i / P.c * P.chunk_rows;
  let n = min(P.chunk_rows, P.rows - begin);
  var at = begin * P.c + i % P.c;
  let shift = x[at];
  var sum = {{T}}();
  var squares = {{T}}();
  for (var row = 0u; row < n; row += 1u) {
    let d = x[at] - shift;
    sum += d;
    squares += d * d;
    at += P.c;
  }
  let mean = sum / f32(n);
  parts[i] = shift + mean;
  parts[P.chunks * P.c + i] = max(squares - sum * mean, {{T}}());
}
