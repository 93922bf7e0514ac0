struct Params {
  rows: u32,
  c: u32,          // channels, counted in elements of the arrays
  chunks: u32,     // chunks of rows of the partial sums
  chunk_rows: u32, // rows of a chunk; the last may have fewer
  stride: u32,     // an element-wise invocation handles `steps` rows,
  steps: u32,      // stride rows apart
  eps: f32,
  momentum: f32,
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

// The elements of one invocation of an element-wise kernel: those of one column
// from begin up to end, step apart. Invocations side by side touch memory side
// by side.
struct Column { c: u32, begin: u32, end: u32, step: u32 }
fn column_of(i: u32) -> Column {
  let c = i % P.c;
  let first = i / P.c / P.stride * (P.stride * P.steps);
  let row = first + i / P.c % P.stride;
  return Column(c, row * P.c + c, min(first + P.stride * P.steps, P.rows) * P.c, P.stride * P.c);
}
