struct Params {
  rows: u32,
  c: u32,          // channels, counted in elements of the arrays
  chunks: u32,     // chunks of rows of the partial sums
  chunk_rows: u32, // rows of a chunk; the last may have fewer
  stride: u32,     // rows between two that an element-wise invocation handles
  eps: f32,
  momentum: f32,
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
