// The keys' and values' gradients of attention, summed over the queries of the
// heads that share a key head. An invocation takes {{R}} keys of a key head and
// goes over the queries in blocks of eight; the sums are kept in dk and dv
// themselves. With s = q·kᵀ·scale + mask, p = exp(s − lse), delta = Σ do∘o:
//   dv = pᵀ·do,   ds = p∘(do·vᵀ − delta),   dk = scale·dsᵀ·q.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<{{T}}>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<{{T}}>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<{{T}}>; // rows [b tk] of [h/group dv]
@group(0) @binding({{DO_AT}}) var<storage, read> grad: array<{{T}}>; // do [b tq h dv]
@group(0) @binding({{STATS_AT}}) var<storage, read> stats: array<f32>; // from attention_grad_stats
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{DK_AT}}) var<storage, read_write> dk: array<{{T}}>; // rows [b tk] of [h/group dh]; PACKED: dv too
#if !PACKED
@group(0) @binding({{DV_AT}}) var<storage, read_write> dv: array<{{T}}>; // rows [b tk] of [h/group dv]
#endif
#paste "attention_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let invocation = flat_index(gid, groups);
  if (invocation >= P.invocations) {
    return;
  }
  let heads = P.h / P.group;
  let shared_head = invocation / P.blocks % heads;
  let b = invocation / P.blocks / heads;
  let n = P.b * P.h * P.tq;
  let keys = min(u32(stats[2u * n + b]), P.tk);
#for r {{R}}
  let j$r = min(invocation % P.blocks * {{R}}u + $ru, P.tk - 1u);
  let x$r = (b * P.tk + j$r) * P.k_row + P.k_at + shared_head * P.dh;
  let z$r = (b * P.tk + j$r) * P.v_row + P.v_at + shared_head * P.dv;
  let dk$r = (b * P.tk + j$r) * P.dk_row + P.dk_at + shared_head * P.dh;
  let dv$r = (b * P.tk + j$r) * P.dv_row + P.dv_at + shared_head * P.dv;
#end
  let first = shared_head * P.group;
  for (var h = first; h < first + P.group; h += 1u) {
  for (var t = 0u; t < P.tq; t += 8u) {
    let sums_begin = h == first && t == 0u;
#for n 8
    let t$n = min(t + $nu, P.tq - 1u);
    let y$n = (b * P.tq + t$n) * P.q_row + P.q_at + h * P.dh;
    let w$n = ((b * P.tq + t$n) * P.h + h) * P.dv;
#end
#paste "attention_scores"
#paste "attention_products"
    let rows = (b * P.h + h) * P.tq;
    let lse_0 = vec4<f32>(stats[rows + t0], stats[rows + t1], stats[rows + t2], stats[rows + t3]);
    let lse_1 = vec4<f32>(stats[rows + t4], stats[rows + t5], stats[rows + t6], stats[rows + t7]);
    let delta_0 = vec4<f32>(stats[n + rows + t0], stats[n + rows + t1], stats[n + rows + t2], stats[n + rows + t3]);
    let delta_1 = vec4<f32>(stats[n + rows + t4], stats[n + rows + t5], stats[n + rows + t6], stats[n + rows + t7]);
    let left = vec4<u32>(P.tq - t);
#if MASK
    let m_base = b * P.mask_b + h * P.mask_h;
#for n 8
    let m$n = m_base + t$n * P.tk;
#end
#endif
#for r {{R}}
#if MASK
    s$r_0 += vec4<f32>(mask[m0 + j$r], mask[m1 + j$r], mask[m2 + j$r], mask[m3 + j$r]);
    s$r_1 += vec4<f32>(mask[m4 + j$r], mask[m5 + j$r], mask[m6 + j$r], mask[m7 + j$r]);
#endif
    let limit$r = select(vec4<u32>(), left, j$r < keys); // no query sees a masked key
    let p$r_0 = select(vec4<f32>(), exp(s$r_0 - lse_0), (s$r_0 > vec4<f32>(LOWEST)) & (vec4<u32>(0u, 1u, 2u, 3u) < limit$r));
    let p$r_1 = select(vec4<f32>(), exp(s$r_1 - lse_1), (s$r_1 > vec4<f32>(LOWEST)) & (vec4<u32>(4u, 5u, 6u, 7u) < limit$r));
    let g$r_0 = p$r_0 * (e$r_0 - delta_0) * P.scale;
    let g$r_1 = p$r_1 * (e$r_1 - delta_1) * P.scale;
#end
    // All loads come before the stores: repeated keys then agree.
    for (var c = 0u; c < P.dh; c += 1u) {
#for n 8
      let q$n = q[y$n + c];
#end
#for r {{R}}
      var u$r = {{T}}();
#end
      if (!sums_begin) {
#for r {{R}}
        u$r = dk[dk$r + c];
#end
      }
#for r {{R}}
      u$r += g$r_0.x * q0 + g$r_0.y * q1 + g$r_0.z * q2 + g$r_0.w * q3
        + g$r_1.x * q4 + g$r_1.y * q5 + g$r_1.z * q6 + g$r_1.w * q7;
#end
#for r {{R}}
      dk[dk$r + c] = u$r;
#end
    }
    for (var c = 0u; c < P.dv; c += 1u) {
#for n 8
      let g$n = grad[w$n + c];
#end
#for r {{R}}
      var u$r = {{T}}();
#end
      if (!sums_begin) {
#for r {{R}}
        u$r = {{DV_OUT}}[dv$r + c];
#end
      }
#for r {{R}}
      u$r += p$r_0.x * g0 + p$r_0.y * g1 + p$r_0.z * g2 + p$r_0.w * g3
        + p$r_1.x * g4 + p$r_1.y * g5 + p$r_1.z * g6 + p$r_1.w * g7;
#end
#for r {{R}}
      {{DV_OUT}}[dv$r + c] = u$r;
#end
    }
  }
  }
}
