struct Params {
  b: u32, h: u32, tq: u32, tk: u32,
  group: u32,                      // query heads that share a key head
  q_row: u32, q_at: u32, k_row: u32, k_at: u32, v_row: u32, v_at: u32,       // row strides and
  dq_row: u32, dq_at: u32, dk_row: u32, dk_at: u32, dv_row: u32, dv_at: u32, // offsets, in elements of the arrays
  mask_b: u32, mask_h: u32,        // strides of the mask, 0 where it is broadcast
  scale: f32,
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = {{W}}u;
const DH: u32 = {{DH}}u; // a head of q and k, in elements of the arrays
const DV: u32 = {{DV}}u; // a head of v
// A score at or below this counts as masked: no probability and no gradient.
const LOWEST: f32 = -1e38;
#import "horizontal"
