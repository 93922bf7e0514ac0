// Input gradient of a convolution like conv2d_grad_input.wgsl, a tile a workgroup
// from operands staged in workgroup memory: for GPUs. k runs over the taps that
// are exact for the tile's parity class and over output channels as one. IC and
// OC are multiples of four, there is no dilation.
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
#import "staged"
#import "activation"
#import "tile_memory"

var<private> class_y: u32;
var<private> class_x: u32;
var<private> class_h: u32; // rows and columns of input pixels in this class
var<private> class_w: u32;
fn out_index(row: u32) -> u32 {
  let image = row / (class_h * class_w);
  let y = (row / class_w) % class_h * P.sy + class_y;
  let x = row % class_w * P.sx + class_x;
  return ((image * P.ih + y) * P.iw + x) * P.ic;
}

// Of the block's rows, input pixels: its image's first output pixel and the
// output position that the class's first tap leads to.
var<private> image: vec4<u32>;
var<private> y_at: vec4<i32>;
var<private> x_at: vec4<i32>;
var<private> w_at: u32;    // the first tap's weight of the block's first column
var<private> taps_x: u32;  // taps of the class in a row of the kernel
var<private> k_last: u32;

fn fetch_a(k: u32) -> mat4x4<f32> {
  if (k >= k_last) {
    return mat4x4<f32>();
  }
  let tap = k / P.oc;
  let y = y_at - i32(tap / taps_x);
  let x = x_at - i32(tap % taps_x);
  let inside = (vec4<u32>(y) < vec4<u32>(P.oh)) & (vec4<u32>(x) < vec4<u32>(P.ow)); // negative ones wrap
  let p = (image + vec4<u32>(y) * P.ow + vec4<u32>(x)) * P.oc + k % P.oc;
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
  let tap = k / P.oc;
  let row = P.kh * P.kw * P.ic;
  let p = w_at + (tap / taps_x * P.sy * P.kw + tap % taps_x * P.sx) * P.ic + k % P.oc * row;
  return mat4x4<f32>(load_b(p, 4u), load_b(p + row, 4u), load_b(p + 2u * row, 4u), load_b(p + 3u * row, 4u));
}

#paste "staged_main"
  let cy = rest / P.tiles_m / P.sx;
  let cx = rest / P.tiles_m % P.sx;
  if (cy >= P.ih || cx >= P.iw) {
    return;
  }
  let ch = (P.ih - cy + P.sy - 1u) / P.sy;
  let cw = (P.iw - cx + P.sx - 1u) / P.sx;
  let pixels = ch * cw;
  let rows_end = P.images * pixels;
  if (first_row >= rows_end) {
    return;
  }
  class_y = cy;
  class_x = cx;
  class_h = ch;
  class_w = cw;
  // Taps ky0, ky0 + sy, … and kx0, kx0 + sx, … are exact for this class.
  let ky0 = (cy + P.py) % P.sy;
  let kx0 = (cx + P.px) % P.sx;
  let ny = (max(P.kh, ky0) - ky0 + P.sy - 1u) / P.sy;
  let nx = (max(P.kw, kx0) - kx0 + P.sx - 1u) / P.sx;
  taps_x = max(nx, 1u);
  let k_begin = 0u;
  let k_end = ny * nx * P.oc;
  k_last = k_end;
  let lanes = vec4<u32>(0u, 1u, 2u, 3u);
  let m = min(first_row + quad + lanes, vec4<u32>(rows_end - 1u));
  image = m / pixels * (P.oh * P.ow);
  y_at = vec4<i32>(m / cw % ch) + i32((cy + P.py - ky0) / P.sy);
  x_at = vec4<i32>(m % cw) + i32((cx + P.px - kx0) / P.sx);
  w_at = (ky0 * P.kw + kx0) * P.ic + min(first_col + quad, P.ic - 4u);
#paste "staged_loop"
  let row = first_row + ty * 4u;
  let col = first_col + tx * 4u;
#paste "tile_store"
}
