// The gradient of max pooling, gathered: an input pixel sums the gradients of
// the outputs whose windows cover it and that it won. One invocation an input
// pixel and (vector of) channels.
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
  if (i >= P.images * P.ih * P.iw * P.c) {
    return;
  }
  let pixel = i / P.c;
  let position = pixel % (P.ih * P.iw);
  let image = pixel / (P.ih * P.iw);
  let row = position / P.iw + P.py;
  let col = position % P.iw + P.px;
  let oy_end = min(row / P.sy + 1u, P.oh);
  let ox_end = min(col / P.sx + 1u, P.ow);
  var sum = {{T}}();
  for (var oy = first(row, (P.kh - 1u) * P.dy, P.sy); oy < oy_end; oy += 1u) {
    for (var ox = first(col, (P.kw - 1u) * P.dx, P.sx); ox < ox_end; ox += 1u) {
      let o = ((image * P.oh + oy) * P.ow + ox) * P.c + i % P.c;
      sum += select({{T}}(), dy[o], winner[o] == {{U}}(position));
    }
  }
  dx[i] = sum;
}
