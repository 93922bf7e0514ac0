struct Params {
  rows: u32,
  d: u32,          // counted in elements of the arrays
  count: f32,      // values of a row
  eps: f32,
  chunks: u32,     // chunks of rows of the parameters' gradients
  chunk_rows: u32, // rows of a chunk; the last may have fewer
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "horizontal"
