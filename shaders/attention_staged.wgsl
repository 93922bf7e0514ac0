// Multi-head attention like attention.wgsl, 16 queries of a head a workgroup, which
// shares keys and values through workgroup memory: for GPUs.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<vec4<f32>>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<vec4<f32>>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<vec4<f32>>; // rows [b tk] of [h/group dv]
#if LENGTHS
@group(0) @binding({{LENGTHS_AT}}) var<storage, read> lengths: array<u32>; // [b]
#endif
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{O_AT}}) var<storage, read_write> o: array<vec4<f32>>; // [b tq h dv]
@group(0) @binding({{LSE_AT}}) var<storage, read_write> lse: array<f32>; // [b h tq]
#paste "attention_params"
#import "attention_staged"
var<workgroup> own_h: array<vec4<f32>, {{OWN_H}}>; // queries [16 DH + 1]
var<workgroup> block_h: array<vec4<f32>, {{BLOCK_H}}>; // keys [8 DH + 1]
var<workgroup> block_v: array<vec4<f32>, {{BLOCK_V}}>; // values [8 DV + 1]

#paste "attention_staged_main"
  let h = block / P.blocks % P.h;
  let b = block / P.blocks / P.h;
#if LENGTHS
  let keys = min(lengths[b], P.tk);
#else
  let keys = P.tk;
#endif
  let t = min(first + r, P.tq - 1u);
  let x = b * P.tq * P.q_row + P.q_at + h * P.dh;
  for (var i = local; i < 16u * DH; i += 64u) {
    own_h[i / DH * (DH + 1u) + i % DH] = q[x + min(first + i / DH, P.tq - 1u) * P.q_row + i % DH];
  }
  let y = b * P.tk * P.k_row + P.k_at + h / P.group * P.dh;
  let z = b * P.tk * P.v_row + P.v_at + h / P.group * P.dv;
  var top = LOWEST;
  var all = 0.0;
#for m {{SHARES_V}}
  var u$m = vec4<f32>();
#end
  for (var j = 0u; j < keys; j += 8u) {
#paste "attention_staged_keys"
#paste "attention_staged_scores"
    var s = vec2<f32>(dot_of(s0), dot_of(s1)) * P.scale;
    let n = j + 2u * c;
#if MASK
    let at = b * P.mask_b + h * P.mask_h + t * P.tk;
    s += vec2<f32>(mask[at + min(n, P.tk - 1u)], mask[at + min(n + 1u, P.tk - 1u)]);
#endif
    pairs[local] = select(vec2<f32>(LOWEST), s, vec2<u32>(n, n + 1u) < vec2<u32>(keys));
    workgroupBarrier();
#for n 4
    let w$n = pairs[4u * r + $nu];
#end
    let most = max(max(w0, w1), max(w2, w3));
    let best = max(top, max(most.x, most.y));
#for n 4
    let p$n = select(vec2<f32>(), exp(w$n - best), w$n > vec2<f32>(LOWEST));
#end
    let shrink = exp(top - best);
    let sum = (p0 + p1) + (p2 + p3);
    all = all * shrink + (sum.x + sum.y);
    top = best;
#for m {{SHARES_V}}
    {
      let i = min(c + $mu * 4u, DV - 1u);
      u$m *= shrink;
#for n 4
      u$m += p$n.x * block_v[2u * $nu * (DV + 1u) + i] + p$n.y * block_v[(2u * $nu + 1u) * (DV + 1u) + i];
#end
    }
#end
  }
  if (first + r < P.tq) {
    let share = select(0.0, 1.0 / all, all > 0.0);
#for m {{SHARES_V}}
    if (c + $mu * 4u < DV) {
      o[((b * P.tq + t) * P.h + h) * P.dv + c + $mu * 4u] = u$m * share;
    }
#end
    if (c == 0u) {
      lse[(b * P.h + h) * P.tq + t] = select(0.0, top + log(all), all > 0.0);
    }
  }
}
