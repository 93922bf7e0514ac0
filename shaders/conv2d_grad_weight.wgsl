// Weight gradient of a convolution: dw[o, tap, i] = Σ_pixels dy[pixel, o]·x[pixel moved by tap, i].
// A tile is eight output channels by eight input channels of one tap; the sum
// over pixels is split by rows (image, output line) into partials
// [splits oc kh kw ic] that splitsum adds. Only the output columns that meet
// the input are visited, so nothing is masked.
// a = dy [images oh ow oc], b = x [images ih iw ic], c = partials.
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"
#import "tile_memory"

var<private> out_base: u32;
fn out_index(row: u32) -> u32 {
  return out_base + row * P.kh * P.kw * P.ic;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = flat_index(gid, groups);
  if (tile >= P.tiles) {
    return;
  }
  let taps = P.kh * P.kw;
  let col = (tile % P.tiles_n) * 8u;
  var rest = tile / P.tiles_n;
  let tap = rest % taps;
  rest /= taps;
  let row = (rest % P.tiles_m) * 8u;
  let split = rest / P.tiles_m;
  let rows_end = P.oc;
  out_base = (split * P.oc * taps + tap) * P.ic;
  let ty = i32((tap / P.kw) * P.dy) - i32(P.py);
  let tx = i32((tap % P.kw) * P.dx) - i32(P.px);
  // Output columns ox with 0 <= ox·sx + tx < iw.
  let sx = i32(P.sx);
  let x_begin = max(0, (sx - 1 - tx) / sx);
  let x_end = min(i32(P.ow), (i32(P.iw) - tx + sx - 1) / sx);
  let m0 = min(row, P.oc - 1u);
  let m1 = min(row + 4u, P.oc - 1u);
  let n0 = min(col, P.ic - 1u);
  let n1 = min(col + 4u, P.ic - 1u);
#if VEC4
  let r0 = min(row, P.oc - 4u);
  let r1 = min(row + 4u, P.oc - 4u);
  let c0 = min(col, P.ic - 4u);
  let c1 = min(col + 4u, P.ic - 4u);
#else
  let r0 = m0;
  let r1 = m1;
  let c0 = n0;
  let c1 = n1;
#endif
#paste "tile_zero"
  let last = min((split + 1u) * P.rows, P.images * P.oh);
  for (var line = split * P.rows; line < last; line += 1u) {
    let y = i32((line % P.oh) * P.sy) + ty;
    if (y < 0 || y >= i32(P.ih) || x_begin >= x_end) {
      continue;
    }
    var pa = (line * P.ow + u32(x_begin)) * P.oc;
    var pb = (((line / P.oh) * P.ih + u32(y)) * P.iw + u32(x_begin * sx + tx)) * P.ic;
    for (var x = x_begin; x < x_end; x += 1) {
      let u0 = load_a(pa + r0, P.oc - m0);
      let u1 = load_a(pa + r1, P.oc - m1);
      let b0 = load_b(pb + c0, P.ic - n0);
      let b1 = load_b(pb + c1, P.ic - n1);
#paste "tile_mn"
      pa += P.oc;
      pb += P.sx * P.ic;
    }
  }
#paste "tile_store"
}
