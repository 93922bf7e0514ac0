struct Params {
  b: u32, h: u32, tq: u32, tk: u32,
  dh: u32, dv: u32,                // a head of q and k, and of v, in elements of the arrays
  group: u32,                      // query heads that share a key head
  q_row: u32, q_at: u32, k_row: u32, k_at: u32, v_row: u32, v_at: u32,       // row strides and
  dq_row: u32, dq_at: u32, dk_row: u32, dk_at: u32, dv_row: u32, dv_at: u32, // offsets, in elements of the arrays
  mask_b: u32, mask_h: u32,        // strides of the mask, 0 where it is broadcast
  blocks: u32, invocations: u32,   // of a head, and in all
  scale: f32,
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
// A score at or below this counts as masked: no probability and no gradient.
const LOWEST: f32 = -1e38;
#import "index"
