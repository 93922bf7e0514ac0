// The softmax of x [outer d inner] along d, or with LOG its logarithm: one
// invocation a line. A vec4 holds four neighbouring lines (inner), or with ALONG
// four values of one line (inner = 1).
//   y = exp(x − max) / Σ exp(x − max),   log y = x − max − log Σ exp(x − max)
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{T}}>;
#paste "softmax_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let line = flat_index(gid, groups);
  if (line >= P.outer * P.inner) {
    return;
  }
  let base = line / P.inner * P.d * P.inner + line % P.inner;
  let end = base + P.d * P.inner;
  var most = x[base];
  for (var i = base + P.inner; i < end; i += P.inner) {
    most = max(most, x[i]);
  }
  let top = fold_max(most);
  var sum = {{T}}();
  for (var i = base; i < end; i += P.inner) {
    sum += exp(x[i] - top);
  }
  let total = fold_sum(sum);
#if LOG
  // Apart from top: their sum would round log(total) away at large logits.
  let log_total = log(total);
#endif
  for (var i = base; i < end; i += P.inner) {
#if LOG
    y[i] = (x[i] - top) - log_total;
#else
    y[i] = exp(x[i] - top) / total;
#endif
  }
}
