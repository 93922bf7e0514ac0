struct Params { outer: u32, d: u32, inner: u32 } // counted in elements of the arrays
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#if ALONG
#import "horizontal"
fn fold_max(v: {{T}}) -> f32 { return max_of(v); }
fn fold_sum(v: {{T}}) -> f32 { return sum_of(v); }
#else
fn fold_max(v: {{T}}) -> {{T}} { return v; }
fn fold_sum(v: {{T}}) -> {{T}} { return v; }
#endif
