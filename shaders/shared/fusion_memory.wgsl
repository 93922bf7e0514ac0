// The memory functions of tile_memory for an operand in two parts, v and t.
#if VEC4
fn load_v(i: u32, left: u32) -> vec4<f32> { return v[i / 4u]; }
fn load_t(i: u32, left: u32) -> vec4<f32> { return t[i / 4u]; }
fn load_b(i: u32, left: u32) -> vec4<f32> { return b[i / 4u]; }
fn bias_at(col: u32) -> vec4<f32> { return bias[min(col, P.n - 4u) / 4u]; }
fn store(o: u32, col: u32, y: vec4<f32>) {
  if (col < P.n) {
    c[o / 4u] = y;
  }
}
#else
fn load_v(i: u32, left: u32) -> vec4<f32> {
  var x = vec4<f32>();
#for q 4
  if ($qu < left) {
    x[$q] = v[i + $qu];
  }
#end
  return x;
}
fn load_t(i: u32, left: u32) -> vec4<f32> {
  var x = vec4<f32>();
#for q 4
  if ($qu < left) {
    x[$q] = t[i + $qu];
  }
#end
  return x;
}
fn load_b(i: u32, left: u32) -> vec4<f32> {
  var x = vec4<f32>();
#for q 4
  if ($qu < left) {
    x[$q] = b[i + $qu];
  }
#end
  return x;
}
fn bias_at(col: u32) -> vec4<f32> {
  var x = vec4<f32>();
#for q 4
  if (col + $qu < P.n) {
    x[$q] = bias[col + $qu];
  }
#end
  return x;
}
fn store(o: u32, col: u32, y: vec4<f32>) {
#for q 4
  if (col + $qu < P.n) {
    c[o + $qu] = y[$q];
  }
#end
}
#endif
