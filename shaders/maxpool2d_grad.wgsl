// The gradient of max pooling, gathered: an input pixel sums the gradients of
// the outputs whose windows cover it and that it won. One invocation two by two
// input pixels and a (vector of) channels.
@group(0) @binding({{WINNER_AT}}) var<storage, read> winner: array<{{U}}>; // [images oh ow c]
@group(0) @binding({{DY_AT}}) var<storage, read> dy: array<{{T}}>; // [images oh ow c]
@group(0) @binding({{DX_AT}}) var<storage, read_write> dx: array<{{T}}>; // [images ih iw c]
#paste "pool_params"

// The first output whose window, of the given reach, can cover the padded position.
fn first(position: u32, reach: u32, stride: u32) -> u32 {
  return select(0u, (position - reach + stride - 1u) / stride, position > reach);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  let cells_x = (P.iw + 1u) / 2u;
  let cells_y = (P.ih + 1u) / 2u;
  if (i >= P.images * cells_y * cells_x * P.c) {
    return;
  }
  let cell = i / P.c;
  let x = cell % cells_x * 2u;
  let y = cell / cells_x % cells_y * 2u;
  let image = cell / cells_x / cells_y;
  let here = {{U}}(y * P.iw + x);
  let oy_end = min((y + P.py + 1u) / P.sy + 1u, P.oh);
  let ox_end = min((x + P.px + 1u) / P.sx + 1u, P.ow);
  let ox_begin = first(x + P.px, (P.kw - 1u) * P.dx, P.sx);
  var s00 = {{T}}();
  var s01 = {{T}}();
  var s10 = {{T}}();
  var s11 = {{T}}();
  for (var oy = first(y + P.py, (P.kh - 1u) * P.dy, P.sy); oy < oy_end; oy += 1u) {
    for (var ox = ox_begin; ox < ox_end; ox += 1u) {
      let o = ((image * P.oh + oy) * P.ow + ox) * P.c + i % P.c;
      let from_here = winner[o] - here;
      let g = dy[o];
      s00 += select({{T}}(), g, from_here == {{U}}(0u));
      s01 += select({{T}}(), g, from_here == {{U}}(1u));
      s10 += select({{T}}(), g, from_here == {{U}}(P.iw));
      s11 += select({{T}}(), g, from_here == {{U}}(P.iw + 1u));
    }
  }
  let to = ((image * P.ih + y) * P.iw + x) * P.c + i % P.c;
  let right = x + 1u < P.iw;
  dx[to] = s00;
  if (right) {
    dx[to + P.c] = s01;
  }
  if (y + 1u < P.ih) {
    dx[to + P.iw * P.c] = s10;
    if (right) {
      dx[to + (P.iw + 1u) * P.c] = s11;
    }
  }
}
