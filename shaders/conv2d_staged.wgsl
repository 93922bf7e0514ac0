// Convolution as an implicit matrix product like conv2d.wgsl, a tile a workgroup
// from operands staged in workgroup memory: for GPUs. k runs over taps and input
// channels as one, so a slab may hold several taps. IC and OC are multiples of four.
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
#import "staged"
#import "activation"
#import "tile_memory"

var<private> out_base: u32;
fn out_index(row: u32) -> u32 {
  return out_base + row * P.oc;
}

// Of the block's rows, output pixels: its image's first pixel and the input position of tap (0, 0).
var<private> image: vec4<u32>;
var<private> y_at: vec4<i32>;
var<private> x_at: vec4<i32>;
var<private> w_at: vec4<u32>; // where the weights of its columns begin
var<private> k_last: u32;

fn fetch_a(k: u32) -> mat4x4<f32> {
  if (k >= k_last) {
    return mat4x4<f32>();
  }
  let tap = k / P.ic;
  let y = y_at + i32(tap / P.kw * P.dy);
  let x = x_at + i32(tap % P.kw * P.dx);
  let inside = (vec4<u32>(y) < vec4<u32>(P.ih)) & (vec4<u32>(x) < vec4<u32>(P.iw)); // negative ones wrap
  let p = (image + vec4<u32>(y) * P.iw + vec4<u32>(x)) * P.ic + k % P.ic;
  var r = mat4x4<f32>();
#for j 4
  if (inside[$j]) {
    r[$j] = load_a(p[$j], 4u);
  }
#end
  return transpose(r);
}

fn fetch_b(k: u32) -> mat4x4<f32> {
  if (k >= k_last) {
    return mat4x4<f32>();
  }
  return across(load_b(w_at.x + k, 4u), load_b(w_at.y + k, 4u), load_b(w_at.z + k, 4u), load_b(w_at.w + k, 4u));
}

#paste "staged_main"
  let split = rest / P.tiles_m;
  let pixels = P.oh * P.ow;
  let rows_end = P.images * pixels;
  let k_all = P.kh * P.kw * P.ic;
  let k_begin = split * P.rows;
  let k_end = min(k_begin + P.rows, k_all);
  out_base = split * rows_end * P.oc;
  k_last = k_end;
  let lanes = vec4<u32>(0u, 1u, 2u, 3u);
  let m = min(first_row + quad + lanes, vec4<u32>(rows_end - 1u));
  image = m / pixels * (P.ih * P.iw);
  y_at = vec4<i32>(m % pixels / P.ow * P.sy) - i32(P.py);
  x_at = vec4<i32>(m % P.ow * P.sx) - i32(P.px);
  w_at = min(first_col + quad + lanes, vec4<u32>(P.oc - 1u)) * k_all;
#paste "staged_loop"
  let row = first_row + ty * 4u;
  let col = first_col + tx * 4u;
#paste "tile_store"
}
