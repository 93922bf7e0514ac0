// The gradient of the softmax, or with LOG of its logarithm, from its output:
//   dx = y·(dy − Σ y·dy),   with LOG dx = dy − exp(y)·Σ dy.
@group(0) @binding(0) var<storage, read> y: array<{{T}}>;
@group(0) @binding(1) var<storage, read> dy: array<{{T}}>;
@group(0) @binding(2) var<storage, read_write> dx: array<{{T}}>;
#paste "softmax_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let line = flat_index(gid, groups);
  if (line >= P.outer * P.inner) {
    return;
  }
  let base = line / P.inner * P.d * P.inner + line % P.inner;
  let end = base + P.d * P.inner;
  var sum = {{T}}();
  for (var i = base; i < end; i += P.inner) {
#if LOG
    sum += dy[i];
#else
    sum += y[i] * dy[i];
#endif
  }
  let total = fold_sum(sum);
  for (var i = base; i < end; i += P.inner) {
#if LOG
    dx[i] = dy[i] - exp(y[i]) * total;
#else
    dx[i] = y[i] * (dy[i] - total);
#endif
  }
}
