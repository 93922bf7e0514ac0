// Multi-head attention, o = softmax(q·kᵀ·scale + mask)·v. An invocation takes
// {{R}} queries of a head and goes over the keys in blocks of eight: a tile of
// scores in registers, the softmax online (Milakov and Gimelshein 2018), the
// sums kept in o itself, so that no head dimension is too large. The
// log-sum-exp is kept for the gradient. A query whose keys are all masked gets
// zeros. Queries and keys beyond the end repeat the last one.
@group(0) @binding({{Q_AT}}) var<storage, read> q: array<{{T}}>; // rows [b tq] of [h dh]
@group(0) @binding({{K_AT}}) var<storage, read> k: array<{{T}}>; // rows [b tk] of [h/group dh]
@group(0) @binding({{V_AT}}) var<storage, read> v: array<{{T}}>; // rows [b tk] of [h/group dv]
#if LENGTHS
@group(0) @binding({{LENGTHS_AT}}) var<storage, read> lengths: array<u32>; // [b]
#endif
#if MASK
@group(0) @binding({{MASK_AT}}) var<storage, read> mask: array<f32>; // [b|1 h|1 tq tk]
#endif
@group(0) @binding({{O_AT}}) var<storage, read_write> o: array<{{T}}>; // [b tq h dv]
@group(0) @binding({{LSE_AT}}) var<storage, read_write> lse: array<f32>; // [b h tq]
#paste "attention_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let invocation = flat_index(gid, groups);
  if (invocation >= P.invocations) {
    return;
  }
  let h = invocation / P.blocks % P.h;
  let b = invocation / P.blocks / P.h;
#if LENGTHS
  let keys = min(lengths[b], P.tk);
#else
  let keys = P.tk;
#endif
  let last = max(keys, 1u) - 1u;
#for r {{R}}
  let t$r = min(invocation % P.blocks * {{R}}u + $ru, P.tq - 1u);
  let x$r = (b * P.tq + t$r) * P.q_row + P.q_at + h * P.dh;
  let o$r = ((b * P.tq + t$r) * P.h + h) * P.dv;
#if MASK
  let m$r = b * P.mask_b + h * P.mask_h + t$r * P.tk;
#endif
  var top$r = LOWEST;
  var total$r = 0.0;
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
    let left = vec4<u32>(keys - min(j, keys));
    let counts_0 = vec4<u32>(0u, 1u, 2u, 3u) < left;
    let counts_1 = vec4<u32>(4u, 5u, 6u, 7u) < left;
    let ends = j + 8u > last;
#for r {{R}}
#if MASK
    s$r_0 += vec4<f32>(mask[m$r + j0], mask[m$r + j1], mask[m$r + j2], mask[m$r + j3]);
    s$r_1 += vec4<f32>(mask[m$r + j4], mask[m$r + j5], mask[m$r + j6], mask[m$r + j7]);
#endif
    let half$r = max(s$r_0, s$r_1);
    let best$r = max(top$r, max(max(half$r.x, half$r.y), max(half$r.z, half$r.w)));
    let p$r_0 = select(vec4<f32>(), exp(s$r_0 - best$r), (s$r_0 > vec4<f32>(LOWEST)) & counts_0);
    let p$r_1 = select(vec4<f32>(), exp(s$r_1 - best$r), (s$r_1 > vec4<f32>(LOWEST)) & counts_1);
    let shrink$r = exp(top$r - best$r);
    let sum$r = p$r_0 + p$r_1;
    total$r = total$r * shrink$r + ((sum$r.x + sum$r.y) + (sum$r.z + sum$r.w));
    top$r = best$r;
    // After the last block the sums become means.
    let share$r = select(1.0, select(0.0, 1.0 / total$r, total$r > 0.0), ends);
#end
    for (var c = 0u; c < P.dv; c += 1u) {
#for n 8
      let v$n = v[w$n + c];
#end
      // All loads come before the stores: repeated queries then agree.
#for r {{R}}
      var u$r = {{T}}();
#end
      if (j > 0u) {
#for r {{R}}
        u$r = o[o$r + c] * shrink$r;
#end
      }
#for r {{R}}
      u$r += p$r_0.x * v0 + p$r_0.y * v1 + p$r_0.z * v2 + p$r_0.w * v3
        + p$r_1.x * v4 + p$r_1.y * v5 + p$r_1.z * v6 + p$r_1.w * v7;
#end
#for r {{R}}
      o[o$r + c] = u$r * share$r;
#end
    }
  }
#for r {{R}}
  lse[(b * P.h + h) * P.tq + t$r] = select(0.0, top$r + log(total$r), total$r > 0.0);
#end
}
