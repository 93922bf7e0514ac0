// Max pooling over [images h w c]: each output is the largest value of its
// window, the first in row-major order among equals; padding never wins. The
// winner's position y·iw + x is kept for the gradient. One invocation an output
// pixel and (vector of) channels.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [images ih iw c]
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>; // [images oh ow c]
@group(0) @binding({{WINNER_AT}}) var<storage, read_write> winner: array<{{U}}>; // [images oh ow c]
#paste "pool_params"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.images * P.oh * P.ow * P.c) {
    return;
  }
  let pixel = i / P.c;
  let image = pixel / (P.oh * P.ow);
  let top = pixel / P.ow % P.oh * P.sy;
  let left = pixel % P.ow * P.sx;
  var best = {{T}}(P.lowest);
  var at = {{U}}(NONE);
  for (var ky = 0u; ky < P.kh; ky += 1u) {
    // Above and left of the input these wrap around to large numbers.
    let iy = top + ky * P.dy - P.py;
    if (iy >= P.ih) {
      continue;
    }
    for (var kx = 0u; kx < P.kw; kx += 1u) {
      let ix = left + kx * P.dx - P.px;
      if (ix >= P.iw) {
        continue;
      }
      let position = iy * P.iw + ix;
      let v = x[(image * P.ih * P.iw + position) * P.c + i % P.c];
      let wins = (v > best) | (at == {{U}}(NONE));
      best = select(best, v, wins);
      at = select(at, {{U}}(position), wins);
    }
  }
  y[i] = best;
  winner[i] = at;
}
