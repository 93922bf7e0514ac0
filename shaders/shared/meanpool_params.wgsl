struct Params { n: u32, p: u32, c: u32 } // c counted in elements of the arrays
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

fn positions(n: u32) -> u32 {
#if LENGTHS
  return min(lengths[n], P.p);
#else
  return P.p;
#endif
}
