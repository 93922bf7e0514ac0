// y[i] = act(Σ_s x[s][i] · scale + bias + residual): the second, deterministic pass
// of kernels that split a long sum over several invocations.
@group(0) @binding(0) var<storage, read> x: array<{{T}}>;
#if SCALE
@group(0) @binding({{SCALE_AT}}) var<storage, read> scale: array<{{T}}>;
#endif
#if BIAS
@group(0) @binding({{BIAS_AT}}) var<storage, read> bias: array<{{T}}>;
#endif
#if RESIDUAL
@group(0) @binding({{RESIDUAL_AT}}) var<storage, read> residual: array<{{T}}>;
#endif
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>;
struct Params { n: u32, splits: u32, columns: u32 }
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  var sum = x[i];
  for (var s = 1u; s < P.splits; s += 1u) {
    sum += x[s * P.n + i];
  }
#if SCALE
  sum *= scale[i % P.columns];
#endif
#if RESIDUAL
  sum += residual[i];
#endif
#if BIAS
  sum += bias[i % P.columns];
#endif
#if VEC4
  y[i] = {{ACT}}(sum);
#else
  y[i] = {{ACT}}(vec4<f32>(sum)).x;
#endif
}
