// Average pooling over [images h w c]: the sum over a window divided by the
// number of its positions inside the input, or with INCLUDE_PAD inside input
// and padding. One invocation an output pixel and (vector of) channels.
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{T}}>; // [images ih iw c]
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>; // [images oh ow c]
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
  var sum = {{T}}();
  var count = 0u;
  for (var ky = 0u; ky < P.kh; ky += 1u) {
    let row = top + ky * P.dy;
    for (var kx = 0u; kx < P.kw; kx += 1u) {
      let col = left + kx * P.dx;
#if INCLUDE_PAD
      if (row < P.py + P.ih + P.ey && col < P.px + P.iw + P.ex) {
        count += 1u;
      }
#endif
      if (row >= P.py && row < P.py + P.ih && col >= P.px && col < P.px + P.iw) {
        sum += x[((image * P.ih + row - P.py) * P.iw + col - P.px) * P.c + i % P.c];
#if !INCLUDE_PAD
        count += 1u;
#endif
      }
    }
  }
  y[i] = sum / f32(max(count, 1u));
}
