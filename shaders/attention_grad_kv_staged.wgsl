// The keys' and values' gradients of attention like attention_grad_kv.wgsl, 16 keys
// of a key head a workgroup, which shares queries through workgroup memory: for GPUs.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<vec4<f32>>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<vec4<f32>>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<vec4<f32>>; // rows [b tk] of [h/group dv]
@group(0) @binding({{DO_AT}}) var<storage, read> grad: array<vec4<f32>>; // do [b tq h dv]
@group(0) @binding({{STATS_AT}}) var<storage, read> stats: array<f32>; // from attention_grad_stats
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{DK_AT}}) var<storage, read_write> dk: array<vec4<f32>>; // rows [b tk] of [h/group dh]; PACKED: dv too
#if !PACKED
@group(0) @binding({{DV_AT}}) var<storage, read_write> dv: array<vec4<f32>>; // rows [b tk] of [h/group dv]
#endif
#paste "attention_params"
#import "attention_staged"
var<workgroup> own_h: array<vec4<f32>, {{OWN_H}}>; // keys [16 DH + 1]
var<workgroup> own_v: array<vec4<f32>, {{OWN_V}}>; // values [16 DV + 1]
var<workgroup> block_h: array<vec4<f32>, {{BLOCK_H}}>; // queries [8 DH + 1]
var<workgroup> block_v: array<vec4<f32>, {{BLOCK_V}}>; // grads [8 DV + 1]
var<workgroup> slopes: array<vec2<f32>, 64>; // [16 4], of the scores

#paste "attention_staged_main"
  let heads = P.h / P.group;
  let shared_head = block / P.blocks % heads;
  let b = block / P.blocks / heads;
  let all = P.b * P.h * P.tq;
  let keys = min(u32(stats[2u * all + b]), P.tk);
  let j = min(first + r, P.tk - 1u);
  for (var i = local; i < 16u * DH; i += 64u) {
    own_h[i / DH * (DH + 1u) + i % DH] = k[(b * P.tk + min(first + i / DH, P.tk - 1u)) * P.k_row + P.k_at + shared_head * P.dh + i % DH];
  }
  for (var i = local; i < 16u * DV; i += 64u) {
    own_v[i / DV * (DV + 1u) + i % DV] = v[(b * P.tk + min(first + i / DV, P.tk - 1u)) * P.v_row + P.v_at + shared_head * P.dv + i % DV];
  }
#for m {{SHARES_H}}
  var u$m = vec4<f32>();
#end
#for m {{SHARES_V}}
  var o$m = vec4<f32>();
#end
  let end = select(0u, P.tq, first < keys); // no query sees a masked key
  for (var h = shared_head * P.group; h < (shared_head + 1u) * P.group; h += 1u) {
    let rows = (b * P.h + h) * P.tq;
    for (var t = 0u; t < end; t += 8u) {
      workgroupBarrier();
      for (var i = local; i < 8u * DH; i += 64u) {
        block_h[i / DH * (DH + 1u) + i % DH] = q[(b * P.tq + min(t + i / DH, P.tq - 1u)) * P.q_row + P.q_at + h * P.dh + i % DH];
      }
      for (var i = local; i < 8u * DV; i += 64u) {
        block_v[i / DV * (DV + 1u) + i % DV] = grad[((b * P.tq + min(t + i / DV, P.tq - 1u)) * P.h + h) * P.dv + i % DV];
      }
      workgroupBarrier();
#paste "attention_staged_scores"
#paste "attention_staged_products"
      var s = vec2<f32>(dot_of(s0), dot_of(s1)) * P.scale;
      let n = vec2<u32>(t + 2u * c, t + 2u * c + 1u);
      let at = min(n, vec2<u32>(P.tq - 1u));
#if MASK
      let m_base = b * P.mask_b + h * P.mask_h + j;
      s += vec2<f32>(mask[m_base + at.x * P.tk], mask[m_base + at.y * P.tk]);
#endif
      let lse = vec2<f32>(stats[rows + at.x], stats[rows + at.y]);
      let delta = vec2<f32>(stats[all + rows + at.x], stats[all + rows + at.y]);
      let limit = select(0u, P.tq, j < keys);
      let p = select(vec2<f32>(), exp(s - lse), (s > vec2<f32>(LOWEST)) & (n < vec2<u32>(limit)));
      pairs[local] = p;
      slopes[local] = p * (vec2<f32>(dot_of(e0), dot_of(e1)) - delta) * P.scale;
      workgroupBarrier();
#for n 4
      let p$n = pairs[4u * r + $nu];
      let w$n = slopes[4u * r + $nu];
#end
#for m {{SHARES_H}}
      {
        let i = min(c + $mu * 4u, DH - 1u);
#for n 4
        u$m += w$n.x * block_h[2u * $nu * (DH + 1u) + i] + w$n.y * block_h[(2u * $nu + 1u) * (DH + 1u) + i];
#end
      }
#end
#for m {{SHARES_V}}
      {
        let i = min(c + $mu * 4u, DV - 1u);
#for n 4
        o$m += p$n.x * block_v[2u * $nu * (DV + 1u) + i] + p$n.y * block_v[(2u * $nu + 1u) * (DV + 1u) + i];
#end
      }
#end
    }
  }
  if (first + r < P.tk) {
#for m {{SHARES_H}}
    if (c + $mu * 4u < DH) {
      dk[(b * P.tk + j) * P.dk_row + P.dk_at + shared_head * P.dh + c + $mu * 4u] = u$m;
    }
#end
#for m {{SHARES_V}}
    if (c + $mu * 4u < DV) {
      {{DV_OUT}}[(b * P.tk + j) * P.dv_row + P.dv_at + shared_head * P.dv + c + $mu * 4u] = o$m;
    }
#end
  }
}
