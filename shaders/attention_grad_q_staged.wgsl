// The queries' gradient of attention like attention_grad_q.wgsl, 16 queries of a
// head a workgroup, which shares keys and values through workgroup memory: for GPUs.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<vec4<f32>>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<vec4<f32>>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<vec4<f32>>; // rows [b tk] of [h/group dv]
@group(0) @binding({{DO_AT}}) var<storage, read> grad: array<vec4<f32>>; // do [b tq h dv]
@group(0) @binding({{STATS_AT}}) var<storage, read> stats: array<f32>; // from attention_grad_stats
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{DQ_AT}}) var<storage, read_write> dq: array<vec4<f32>>; // rows [b tq] of [h dh]
#paste "attention_params"
#import "attention_staged"
var<workgroup> queries: array<vec4<f32>, {{OWN_H}}>; // [16 DH + 1]
var<workgroup> grads: array<vec4<f32>, {{OWN_V}}>; // [16 DV + 1]
var<workgroup> keys_of: array<vec4<f32>, {{BLOCK_H}}>; // [8 DH + 1]
var<workgroup> values: array<vec4<f32>, {{BLOCK_V}}>; // [8 DV + 1]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  if (block >= P.invocations) {
    return;
  }
  let first = block % P.blocks * 16u;
  let r = local / 4u;
  let c = local % 4u;
  let h = block / P.blocks % P.h;
  let b = block / P.blocks / P.h;
  let all = P.b * P.h * P.tq;
  let keys = min(u32(stats[2u * all + b]), P.tk);
  let t = min(first + r, P.tq - 1u);
  let x = b * P.tq * P.q_row + P.q_at + h * P.dh;
  for (var i = local; i < 16u * DH; i += 64u) {
    queries[i / DH * (DH + 1u) + i % DH] = q[x + min(first + i / DH, P.tq - 1u) * P.q_row + i % DH];
  }
  for (var i = local; i < 16u * DV; i += 64u) {
    grads[i / DV * (DV + 1u) + i % DV] = grad[((b * P.tq + min(first + i / DV, P.tq - 1u)) * P.h + h) * P.dv + i % DV];
  }
  let y = b * P.tk * P.k_row + P.k_at + h / P.group * P.dh;
  let z = b * P.tk * P.v_row + P.v_at + h / P.group * P.dv;
  let lse = stats[(b * P.h + h) * P.tq + t];
  let delta = stats[all + (b * P.h + h) * P.tq + t];
#for m {{SHARES_H}}
  var u$m = vec4<f32>();
#end
  for (var j = 0u; j < keys; j += 8u) {
    workgroupBarrier();
    for (var i = local; i < 8u * DH; i += 64u) {
      keys_of[i / DH * (DH + 1u) + i % DH] = k[y + min(j + i / DH, keys - 1u) * P.k_row + i % DH];
    }
    for (var i = local; i < 8u * DV; i += 64u) {
      values[i / DV * (DV + 1u) + i % DV] = v[z + min(j + i / DV, keys - 1u) * P.v_row + i % DV];
    }
    workgroupBarrier();
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    for (var i = 0u; i < DH; i += 1u) {
      let a = queries[r * (DH + 1u) + i];
      s0 += a * keys_of[2u * c * (DH + 1u) + i];
      s1 += a * keys_of[(2u * c + 1u) * (DH + 1u) + i];
    }
    var e0 = vec4<f32>();
    var e1 = vec4<f32>();
    for (var i = 0u; i < DV; i += 1u) {
      let a = grads[r * (DV + 1u) + i];
      e0 += a * values[2u * c * (DV + 1u) + i];
      e1 += a * values[(2u * c + 1u) * (DV + 1u) + i];
    }
    var s = vec2<f32>(dot_of(s0), dot_of(s1)) * P.scale;
    let n = j + 2u * c;
#if MASK
    let at = b * P.mask_b + h * P.mask_h + t * P.tk;
    s += vec2<f32>(mask[at + min(n, P.tk - 1u)], mask[at + min(n + 1u, P.tk - 1u)]);
#endif
    let p = select(vec2<f32>(), exp(s - lse), (s > vec2<f32>(LOWEST)) & (vec2<u32>(n, n + 1u) < vec2<u32>(keys)));
    pairs[local] = p * (vec2<f32>(dot_of(e0), dot_of(e1)) - delta) * P.scale;
    workgroupBarrier();
#for n 4
    let w$n = pairs[4u * r + $nu];
#end
#for m {{SHARES_H}}
    {
      let i = min(c + $mu * 4u, DH - 1u);
#for n 4
      u$m += w$n.x * keys_of[2u * $nu * (DH + 1u) + i] + w$n.y * keys_of[(2u * $nu + 1u) * (DH + 1u) + i];
#end
    }
#end
  }
  if (first + r < P.tq) {
#for m {{SHARES_H}}
    if (c + $mu * 4u < DH) {
      dq[(b * P.tq + t) * P.dq_row + P.dq_at + h * P.dh + c + $mu * 4u] = u$m;
    }
#end
  }
}
