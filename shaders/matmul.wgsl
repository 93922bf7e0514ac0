// C = act(op(A) · op(B) + bias + residual), batched, one 8x8 tile an invocation
// in registers. op(A) is [m k]: stored so, or [k m] with TA; op(B) is [k n]:
// stored so, or [n k] with TB. Tiles are numbered columns first, so that the
// lanes of a CPU adapter share the rows of A.
#paste "tile_bindings"
#paste "matmul_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"
#import "tile_memory"

var<private> out_base: u32;
fn out_index(row: u32) -> u32 {
  return out_base + row * P.ldc;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = flat_index(gid, groups);
  if (tile >= P.tiles) {
    return;
  }
  let col = (tile % P.tiles_n) * 8u;
  let rest = tile / P.tiles_n;
  let row = (rest % P.tiles_m) * 8u;
  let z = rest / P.tiles_m;
  let rows_end = P.m;
  out_base = P.oc + z * P.zc;
#paste "matmul_ranges"
#paste "tile_zero"
#if TA
  // A is [k m]: a step of k is one row of each operand.
  let c0 = min(row, P.m - 1u);
  let c1 = min(row + 4u, P.m - 1u);
#if VEC4
  var pa0 = a_base + k_begin * P.lda + min(row, P.m - 4u);
  var pa1 = a_base + k_begin * P.lda + min(row + 4u, P.m - 4u);
#else
  var pa0 = a_base + k_begin * P.lda + c0;
  var pa1 = a_base + k_begin * P.lda + c1;
#endif
#if TB
  // Both transposed: columns of B are strided.
#for h 2
#for j 4
  let q$h$j = b_base + min(col + $hu * 4u + $ju, P.n - 1u) * P.ldb;
#end
#end
  for (var k = k_begin; k < k_end; k += 1u) {
    let u0 = load_a(pa0, P.m - c0);
    let u1 = load_a(pa1, P.m - c1);
    let b0 = vec4<f32>(scalar_b(q00 + k), scalar_b(q01 + k), scalar_b(q02 + k), scalar_b(q03 + k));
    let b1 = vec4<f32>(scalar_b(q10 + k), scalar_b(q11 + k), scalar_b(q12 + k), scalar_b(q13 + k));
#paste "tile_mn"
    pa0 += P.lda;
    pa1 += P.lda;
  }
#else
  let n0 = min(col, P.n - 1u);
  let n1 = min(col + 4u, P.n - 1u);
#if VEC4
  var pb0 = b_base + k_begin * P.ldb + min(col, P.n - 4u);
  var pb1 = b_base + k_begin * P.ldb + min(col + 4u, P.n - 4u);
#else
  var pb0 = b_base + k_begin * P.ldb + n0;
  var pb1 = b_base + k_begin * P.ldb + n1;
#endif
  for (var k = k_begin; k < k_end; k += 1u) {
    let u0 = load_a(pa0, P.m - c0);
    let u1 = load_a(pa1, P.m - c1);
    let b0 = load_b(pb0, P.n - n0);
    let b1 = load_b(pb1, P.n - n1);
#paste "tile_mn"
    pa0 += P.lda;
    pa1 += P.lda;
    pb0 += P.ldb;
    pb1 += P.ldb;
  }
#endif
#else
#for h 2
#for j 4
  let p$h$j = a_base + min(row + $hu * 4u + $ju, P.m - 1u) * P.lda;
#end
#end
#if TB
#for h 2
#for j 4
  let q$h$j = b_base + min(col + $hu * 4u + $ju, P.n - 1u) * P.ldb;
#end
#end
  for (var k = k_begin; k < k_end; k += 4u) {
    let left = k_end - k;
#for h 2
#for j 4
    let v$h$j = load_a(p$h$j + k, left);
    let w$h$j = load_b(q$h$j + k, left);
#end
#end
#paste "tile_kk"
  }
#else
  let n0 = min(col, P.n - 1u);
  let n1 = min(col + 4u, P.n - 1u);
#if VEC4
  var pb0 = b_base + k_begin * P.ldb + min(col, P.n - 4u);
  var pb1 = b_base + k_begin * P.ldb + min(col + 4u, P.n - 4u);
#else
  var pb0 = b_base + k_begin * P.ldb + n0;
  var pb1 = b_base + k_begin * P.ldb + n1;
#endif
  for (var k = k_begin; k < k_end; k += 4u) {
    let left = k_end - k;
#for h 2
#for j 4
    let v$h$j = load_a(p$h$j + k, left);
#end
#end
#for q 4
#if VEC4
    let b$q_0 = load_b(pb0, 4u);
    let b$q_1 = load_b(pb1, 4u);
#else
    let b$q_0 = load_b(pb0, select(0u, P.n - n0, $qu < left));
    let b$q_1 = load_b(pb1, select(0u, P.n - n1, $qu < left));
#endif
    pb0 += P.ldb;
    pb1 += P.ldb;
#end
#paste "tile_kn"
  }
#endif
#endif
#paste "tile_store"
}
#if TA
#if TB
fn scalar_b(i: u32) -> f32 {
  return b[i];
}
#endif
#endif
