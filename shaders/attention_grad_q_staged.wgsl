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
var<workgroup> own_h: array<vec4<f32>, {{OWN_H}}>; // queries [16 DH + 1]
var<workgroup> own_v: array<vec4<f32>, {{OWN_V}}>; // grads [16 DV + 1]
var<workgroup> block_h: array<vec4<f32>, {{BLOCK_H}}>; // keys [8 DH + 1]
var<workgroup> block_v: array<vec4<f32>, {{BLOCK_V}}>; // values [8 DV + 1]

#paste "attention_staged_main"
  let h = block / P.blocks % P.h;
  let b = block / P.blocks / P.h;
  let all = P.b * P.h * P.tq;
  let keys = min(u32(stats[2u * all + b]), P.tk);
  let t = min(first + r, P.tq - 1u);
  let x = b * P.tq * P.q_row + P.q_at + h * P.dh;
  for (var i = local; i < 16u * DH; i += 64u) {
    own_h[i / DH * (DH + 1u) + i % DH] = q[x + min(first + i / DH, P.tq - 1u) * P.q_row + i % DH];
  }
  for (var i = local; i < 16u * DV; i += 64u) {
    own_v[i / DV * (DV + 1u) + i % DV] = grad[((b * P.tq + min(first + i / DV, P.tq - 1u)) * P.h + h) * P.dv + i % DV];
  }
  let y = b * P.tk * P.k_row + P.k_at + h / P.group * P.dh;
  let z = b * P.tk * P.v_row + P.v_at + h / P.group * P.dv;
  let lse = stats[(b * P.h + h) * P.tq + t];
  let delta = stats[all + (b * P.h + h) * P.tq + t];
#for m {{SHARES_H}}
  var u$m = vec4<f32>();
#end
  for (var j = 0u; j < keys; j += 8u) {
#paste "attention_staged_keys"
#paste "attention_staged_scores"
#paste "attention_staged_products"
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
      u$m += w$n.x * block_h[2u * $nu * (DH + 1u) + i] + w$n.y * block_h[(2u * $nu + 1u) * (DH + 1u) + i];
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
