// Weight gradient of a convolution like conv2d_grad_weight.wgsl, a tile a workgroup
// from operands staged in workgroup memory: for GPUs. Columns run over taps and
// input channels as one, k over the pixels of a split. IC and OC are multiples of four.
#paste "tile_bindings"
#paste "conv_params"
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
#import "staged"
#import "activation"
#import "tile_memory"

var<private> out_base: u32;
fn out_index(row: u32) -> u32 {
  return out_base + row * P.n;
}

var<private> dy_at: u32;  // the block's first output channel
var<private> x_at: u32;   // the block's first input channel
var<private> ty0: i32;    // and its tap's way from an output position times the stride
var<private> tx0: i32;
var<private> k_last: u32;

fn fetch_a(k: u32) -> mat4x4<f32> {
  var r = mat4x4<f32>();
#for q 4
  if (k + $qu < k_last) {
    r[$q] = load_a((k + $qu) * P.oc + dy_at, 4u);
  }
#end
  return r;
}

fn fetch_b(k: u32) -> mat4x4<f32> {
  var r = mat4x4<f32>();
#for q 4
  {
    let line = (k + $qu) / P.ow;
    let y = i32(line % P.oh * P.sy) + ty0;
    let x = i32((k + $qu) % P.ow * P.sx) + tx0;
    if ((k + $qu < k_last) & (u32(y) < P.ih) & (u32(x) < P.iw)) {
      r[$q] = load_b(((line / P.oh * P.ih + u32(y)) * P.iw + u32(x)) * P.ic + x_at, 4u);
    }
  }
#end
  return r;
}

#paste "staged_main"
  let split = rest / P.tiles_m;
  let rows_end = P.oc;
  out_base = split * P.oc * P.n;
  let k_begin = split * P.rows * P.ow;
  let k_end = min((split + 1u) * P.rows, P.images * P.oh) * P.ow;
  k_last = k_end;
  dy_at = min(first_row + quad, P.oc - 4u);
  let column = min(first_col + quad, P.n - 4u);
  let tap = column / P.ic;
  x_at = column % P.ic;
  ty0 = i32(tap / P.kw * P.dy) - i32(P.py);
  tx0 = i32(tap % P.kw * P.dx) - i32(P.px);
#paste "staged_loop"
  let row = first_row + ty * 4u;
  let col = first_col + tx * 4u;
#paste "tile_store"
}
