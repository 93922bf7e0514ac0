// What both gradient passes of attention need of each query: its log-sum-exp
// and delta = Σ do∘o (Dao et al. 2022), and of each b the number of its keys.
// One invocation a query of a head.
@group(0) @binding({{O_AT}}) var<storage, read> o: array<{{T}}>; // [b tq h dv]
@group(0) @binding({{LSE_AT}}) var<storage, read> lse: array<f32>; // [b h tq]
@group(0) @binding({{DO_AT}}) var<storage, read> grad: array<{{T}}>; // do [b tq h dv]
#if LENGTHS
@group(0) @binding({{LENGTHS_AT}}) var<storage, read> lengths: array<u32>; // [b]
#endif
@group(0) @binding({{STATS_AT}}) var<storage, read_write> stats: array<f32>; // lse [b h tq], delta [b h tq], keys [b]
#paste "attention_params"
#import "horizontal"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  let n = P.b * P.tq * P.h;
  if (i >= n) {
    return;
  }
  let row = i / P.h;
  let at = (row / P.tq * P.h + i % P.h) * P.tq + row % P.tq;
  var sum = {{T}}();
  for (var c = i * P.dv; c < (i + 1u) * P.dv; c += 1u) {
    sum += o[c] * grad[c];
  }
  stats[at] = lse[at];
  stats[n + at] = sum_of(sum);
  if (i < P.b) {
#if LENGTHS
    stats[2u * n + i] = f32(min(lengths[i], P.tk));
#else
    stats[2u * n + i] = f32(P.tk);
#endif
  }
}
