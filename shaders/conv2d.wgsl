// Convolution as an implicit matrix product: rows are output pixels, columns
// output channels, k runs over taps and input channels. One 8x8 tile an
// invocation, in registers; padding is read as zero.
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"
#import "tile_memory"

fn out_index(row: u32) -> u32 {
  return row * P.oc;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = flat_index(gid, groups);
  if (tile >= P.tiles) {
    return;
  }
  let col = (tile % P.tiles_n) * 8u;
  let row = (tile / P.tiles_n) * 8u;
  let pixels = P.oh * P.ow;
  let rows_end = P.images * pixels;
  let taps = P.kh * P.kw;
#for h 2
#for j 4
  // Output pixel of row 4h+j: its image's first element and the input position of tap (0, 0).
  let m$h$j = min(row + $hu * 4u + $ju, rows_end - 1u);
  let i$h$j = (m$h$j / pixels) * P.ih * P.iw;
  let y$h$j = i32(((m$h$j % pixels) / P.ow) * P.sy) - i32(P.py);
  let x$h$j = i32((m$h$j % P.ow) * P.sx) - i32(P.px);
  var q$h$j = min(col + $hu * 4u + $ju, P.oc - 1u) * taps * P.ic;
#end
#end
#paste "tile_total"
  for (var ky = 0u; ky < P.kh; ky += 1u) {
    for (var kx = 0u; kx < P.kw; kx += 1u) {
      let ty = i32(ky * P.dy);
      let tx = i32(kx * P.dx);
#for h 2
#for j 4
      let o$h$j = inside(y$h$j + ty, x$h$j + tx);
      let p$h$j = select(0u, (i$h$j + u32(y$h$j + ty) * P.iw + u32(x$h$j + tx)) * P.ic, o$h$j);
#end
#end
#paste "tile_zero"
      for (var k = 0u; k < P.ic; k += 4u) {
        let left = P.ic - k;
#for h 2
#for j 4
        let v$h$j = select(vec4<f32>(), load_a(p$h$j + k, left), o$h$j);
        let w$h$j = load_b(q$h$j + k, left);
#end
#end
#paste "tile_kk"
      }
#paste "tile_add"
#for h 2
#for j 4
      q$h$j += P.ic;
#end
#end
    }
  }
#paste "tile_take"
#paste "tile_store"
}

fn inside(y: i32, x: i32) -> bool {
  // Negative positions wrap to large ones. Without short-circuits: Chromium took
  // 26 s to compile eight of them unrolled, 0.4 s like this.
  return (u32(y) < P.ih) & (u32(x) < P.iw);
}
