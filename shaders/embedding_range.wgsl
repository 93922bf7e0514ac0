// y[i] = table[ids[i]] where x holds the table's rows from first on; rows of y
// whose ids lie elsewhere are left alone. Ids beyond the table are its last. The
// table may be packed: half floats (F16), or bytes with a scale a row (I8).
@group(0) @binding({{IDS_AT}}) var<storage, read> ids: array<u32>;
@group(0) @binding({{X_AT}}) var<storage, read> x: array<{{TX}}>;
#if I8
@group(0) @binding({{SCALE_AT}}) var<storage, read> scale: array<f32>;
#endif
@group(0) @binding({{Y_AT}}) var<storage, read_write> y: array<{{T}}>;
struct Params { total: u32, rows: u32, d: u32, first: u32, vocab: u32 } // n·d; d in Ts
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.total) {
    return;
  }
  let row = min(ids[i / P.d], P.vocab - 1u) - P.first;
  if (row >= P.rows) {
    return;
  }
  let v = x[row * P.d + i % P.d];
#if F16
  y[i] = vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y));
#else
#if I8
  y[i] = unpack4x8snorm(v) * scale[row];
#else
  y[i] = v;
#endif
#endif
}
