// How a tile kernel touches memory: by vec4 when every row is a multiple of
// four elements (VEC4), else element by element with the tail masked. B may be
// packed: half floats (F16), or quarters of words without their scale (I8).
#if VEC4
fn store(o: u32, col: u32, y: vec4<f32>) {
  if (col < P.n) {
    c[o / 4u] = y;
  }
}
#if SCALE
fn scale_at(col: u32) -> vec4<f32> {
  return scale[min(col, P.n - 4u) / 4u];
}
#endif
#if BIAS
fn bias_at(col: u32) -> vec4<f32> {
  return bias[min(col, P.n - 4u) / 4u];
}
#endif
#if RESIDUAL
fn residual_at(o: u32, col: u32) -> vec4<f32> {
  if (col < P.n) {
    return residual[o / 4u];
  }
  return vec4<f32>();
}
#endif
// Four elements of A, or of B, from element index i on.
fn load_a(i: u32, left: u32) -> vec4<f32> {
  return a[i / 4u];
}
fn load_b(i: u32, left: u32) -> vec4<f32> {
#if F16
  let h = b[i / 4u];
  return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));
#else
#if I8
  return unpack4x8snorm(b[i / 4u]);
#else
  return b[i / 4u];
#endif
#endif
}
#else
fn store(o: u32, col: u32, y: vec4<f32>) {
#for q 4
  if (col + $qu < P.n) {
    c[o + $qu] = y[$q];
  }
#end
}
#if BIAS
fn bias_at(col: u32) -> vec4<f32> {
  return vec4<f32>(bias[min(col, P.n - 1u)], bias[min(col + 1u, P.n - 1u)], bias[min(col + 2u, P.n - 1u)], bias[min(col + 3u, P.n - 1u)]);
}
#endif
#if RESIDUAL
fn residual_at(o: u32, col: u32) -> vec4<f32> {
  var r = vec4<f32>();
#for q 4
  if (col + $qu < P.n) {
    r[$q] = residual[o + $qu];
  }
#end
  return r;
}
#endif
// Four elements of A, or of B, from element index i on; those at or beyond
// left elements are zero.
fn load_a(i: u32, left: u32) -> vec4<f32> {
  var v = vec4<f32>();
#for q 4
  if ($qu < left) {
    v[$q] = a[i + $qu];
  }
#end
  return v;
}
fn load_b(i: u32, left: u32) -> vec4<f32> {
  var v = vec4<f32>();
#for q 4
  if ($qu < left) {
    v[$q] = b[i + $qu];
  }
#end
  return v;
}
#endif
