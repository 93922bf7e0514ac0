// The queries' gradient of attention. An invocation takes {{R}} queries of a head
// and goes over the keys in blocks of eight, as in attention.wgsl; the sums are
// kept in dq itself. With s = q·kᵀ·scale + mask, p = exp(s − lse) and
// delta = Σ do∘o:
//   ds = p∘(do·vᵀ − delta),   dq = scale·ds·k.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<{{T}}>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<{{T}}>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<{{T}}>; // rows [b tk] of [h/group dv]
@group(0) @binding({{DO_AT}}) var<storage, read> grad: array<{{T}}>; // do [b tq h dv]
@group(0) @binding({{STATS_AT}}) var<storage, read> stats: array<f32>; // from attention_grad_stats
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{DQ_AT}}) var<storage, read_write> dq: array<{{T}}>; // rows [b tq] of [h dh]
#paste "attention_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let invocation = flat_index(gid, groups);
  if (invocation >= P.invocations) {
    return;
  }
  let h = invocation / P.blocks % P.h;
  let b = invocation / P.blocks / P.h;
  let n = P.b * P.h * P.tq;
  let keys = min(u32(stats[2u * n + b]), P.tk);
  let last = max(keys, 1u) - 1u;
#for r {{R}}
  let t$r = min(invocation % P.blocks * {{R}}u + $ru, P.tq - 1u);
  let x$r = (b * P.tq + t$r) * P.q_row + P.q_at + h * P.dh;
  let z$r = ((b * P.tq + t$r) * P.h + h) * P.dv;
  let d$r = (b * P.tq + t$r) * P.dq_row + P.dq_at + h * P.dh;
#if MASK
  let m$r = b * P.mask_b + h * P.mask_h + t$r * P.tk;
#endif
  let lse$r = stats[(b * P.h + h) * P.tq + t$r];
  let delta$r = stats[n + (b * P.h + h) * P.tq + t$r];
#end
  let k_base = b * P.tk * P.k_row + P.k_at + h / P.group * P.dh;
  let v_base = b * P.tk * P.v_row + P.v_at + h / P.group * P.dv;
  for (var j = 0u; j <= last; j += 8u) {
#for n 8
    let j$n = min(j + $nu, last);
    let y$n = k_base + j$n * P.k_row;
    let w$n = v_base + j$n * P.v_row;
#end
#paste "attention_scores"
#paste "attention_products"
    let left = vec4<u32>(keys - min(j, keys));
    let counts_0 = vec4<u32>(0u, 1u, 2u, 3u) < left;
    let counts_1 = vec4<u32>(4u, 5u, 6u, 7u) < left;
#for r {{R}}
#if MASK
    s$r_0 += vec4<f32>(mask[m$r + j0], mask[m$r + j1], mask[m$r + j2], mask[m$r + j3]);
    s$r_1 += vec4<f32>(mask[m$r + j4], mask[m$r + j5], mask[m$r + j6], mask[m$r + j7]);
#endif
    let p$r_0 = select(vec4<f32>(), exp(s$r_0 - lse$r), (s$r_0 > vec4<f32>(LOWEST)) & counts_0);
    let p$r_1 = select(vec4<f32>(), exp(s$r_1 - lse$r), (s$r_1 > vec4<f32>(LOWEST)) & counts_1);
    let g$r_0 = p$r_0 * (e$r_0 - delta$r) * P.scale;
    let g$r_1 = p$r_1 * (e$r_1 - delta$r) * P.scale;
#end
    for (var c = 0u; c < P.dh; c += 1u) {
#for n 8
      let k$n = k[y$n + c];
#end
      // All loads come before the stores: repeated queries then agree.
#for r {{R}}
      var u$r = {{T}}();
#end
      if (j > 0u) {
#for r {{R}}
        u$r = dq[d$r + c];
#end
      }
#for r {{R}}
      u$r += g$r_0.x * k0 + g$r_0.y * k1 + g$r_0.z * k2 + g$r_0.w * k3
        + g$r_1.x * k4 + g$r_1.y * k5 + g$r_1.z * k6 + g$r_1.w * k7;
#end
#for r {{R}}
      dq[d$r + c] = u$r;
#end
    }
  }
}
