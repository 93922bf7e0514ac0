// C = act(op(A) · op(B) + bias + residual) like matmul.wgsl, a tile a workgroup
// from operands staged in workgroup memory: for GPUs. All rows are multiples of four.
#paste "tile_bindings"
#paste "matmul_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
#import "staged"
#import "activation"
#import "tile_memory"

var<private> out_base: u32;
fn out_index(row: u32) -> u32 {
  return out_base + row * P.ldc;
}

var<private> a_at: vec4<u32>; // element where each row of the block begins; of [k m], where its column does
var<private> b_at: vec4<u32>;
var<private> k_last: u32;

fn fetch_a(k: u32) -> mat4x4<f32> {
#if TA
  return mat4x4<f32>(step_a(k), step_a(k + 1u), step_a(k + 2u), step_a(k + 3u));
#else
  if (k >= k_last) {
    return mat4x4<f32>();
  }
  return across(load_a(a_at.x + k, 4u), load_a(a_at.y + k, 4u), load_a(a_at.z + k, 4u), load_a(a_at.w + k, 4u));
#endif
}

fn fetch_b(k: u32) -> mat4x4<f32> {
#if TB
  if (k >= k_last) {
    return mat4x4<f32>();
  }
  return across(load_b(b_at.x + k, 4u), load_b(b_at.y + k, 4u), load_b(b_at.z + k, 4u), load_b(b_at.w + k, 4u));
#else
  return mat4x4<f32>(step_b(k), step_b(k + 1u), step_b(k + 2u), step_b(k + 3u));
#endif
}
#if TA

fn step_a(k: u32) -> vec4<f32> {
  if (k >= k_last) {
    return vec4<f32>();
  }
  return load_a(a_at.x + k * P.lda, 4u);
}
#endif
#if !TB

fn step_b(k: u32) -> vec4<f32> {
  if (k >= k_last) {
    return vec4<f32>();
  }
  return load_b(b_at.x + k * P.ldb, 4u);
}
#endif

#paste "staged_main"
  let z = rest / P.tiles_m;
  out_base = P.oc + z * P.zc;
#paste "matmul_ranges"
  k_last = k_end;
  let lanes = vec4<u32>(0u, 1u, 2u, 3u);
#if TA
  a_at = vec4<u32>(a_base + min(first_row + quad, P.m - 4u));
#else
  a_at = a_base + min(first_row + quad + lanes, vec4<u32>(P.m - 1u)) * P.lda;
#endif
#if TB
  b_at = b_base + min(first_col + quad + lanes, vec4<u32>(P.n - 1u)) * P.ldb;
#else
  b_at = vec4<u32>(b_base + min(first_col + quad, P.n - 4u));
#endif
#paste "staged_loop"
  let rows_end = P.m;
  let row = first_row + ty * 4u;
  let col = first_col + tx * 4u;
#paste "tile_store"
}
