// Input gradient of a convolution, in gather form: dx[y, x] = Σ dy[(y+p-k·d)/s, …]·w[k]
// over the taps for which the division is exact. Rows are input pixels of one
// parity class (y mod stride, x mod stride), so that a tap is exact for all rows
// of a tile or for none; columns are input channels, k runs over output channels.
// a = dy [images oh ow oc], b = w [oc kh kw ic], c = dx [images ih iw ic].
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = flat_index(gid, groups);
  if (tile >= P.tiles) {
    return;
  }
  let col = (tile % P.tiles_n) * 8u;
  let rest = tile / P.tiles_n;
  let row = (rest % P.tiles_m) * 8u;
  let class_index = rest / P.tiles_m;
  class_y = class_index / P.sx;
  class_x = class_index % P.sx;
  if (class_y >= P.ih || class_x >= P.iw) {
    return;
  }
  class_h = (P.ih - class_y + P.sy - 1u) / P.sy;
  class_w = (P.iw - class_x + P.sx - 1u) / P.sx;
  let pixels = class_h * class_w;
  let rows_end = P.images * pixels;
  if (row >= rows_end) {
    return;
  }
#for h 2
#for j 4
  let m$h$j = min(row + $hu * 4u + $ju, rows_end - 1u);
  let i$h$j = (m$h$j / pixels) * P.oh * P.ow;
  let y$h$j = i32((m$h$j / class_w) % class_h);
  let x$h$j = i32(m$h$j % class_w);
#end
#end
  let taps = P.kh * P.kw;
  let row_b = taps * P.ic;
  let n0 = min(col, P.ic - 1u);
  let n1 = min(col + 4u, P.ic - 1u);
#if VEC4
  let c0 = min(col, P.ic - 4u);
  let c1 = min(col + 4u, P.ic - 4u);
#else
  let c0 = n0;
  let c1 = n1;
#endif
#paste "tile_total"
  for (var ky = 0u; ky < P.kh; ky += 1u) {
    // Moved by whole strides, since remainders of negative numbers are undefined
    // in Vulkan (an H200 took −3 % 3 for another number than 0).
    let ey = class_y + P.py + (taps * P.sy - ky) * P.dy;
    if (ey % P.sy != 0u) {
      continue;
    }
    let ty = i32(ey / P.sy) - i32(taps * P.dy);
    for (var kx = 0u; kx < P.kw; kx += 1u) {
      let ex = class_x + P.px + (taps * P.sx - kx) * P.dx;
      if (ex % P.sx != 0u) {
        continue;
      }
      let tx = i32(ex / P.sx) - i32(taps * P.dx);
#for h 2
#for j 4
      let o$h$j = inside(y$h$j + ty, x$h$j + tx);
      let p$h$j = select(0u, (i$h$j + u32(y$h$j + ty) * P.ow + u32(x$h$j + tx)) * P.oc, o$h$j);
#end
#end
      var pb0 = (ky * P.kw + kx) * P.ic + c0;
      var pb1 = (ky * P.kw + kx) * P.ic + c1;
#paste "tile_zero"
      for (var k = 0u; k < P.oc; k += 4u) {
        let left = P.oc - k;
#for h 2
#for j 4
        let v$h$j = select(vec4<f32>(), load_a(p$h$j + k, left), o$h$j);
#end
#end
#for q 4
#if VEC4
        let b$q_0 = load_b(pb0, 4u);
        let b$q_1 = load_b(pb1, 4u);
#else
        let b$q_0 = load_b(pb0, select(0u, P.ic - n0, $qu < left));
        let b$q_1 = load_b(pb1, select(0u, P.ic - n1, $qu < left));
#endif
        pb0 += row_b;
        pb1 += row_b;
#end
#paste "tile_kn"
      }
#paste "tile_add"
    }
  }
#paste "tile_take"
#paste "tile_store"
}

fn inside(y: i32, x: i32) -> bool {
  // Without short-circuits, see conv2d.wgsl.
  return (u32(y) < P.oh) & (u32(x) < P.ow);
}
