struct Params {
  images: u32, ih: u32, iw: u32, c: u32,            // input  [images ih iw c], c in elements of the arrays
  oh: u32, ow: u32,                                 // output [images oh ow c]
  kh: u32, kw: u32, sy: u32, sx: u32,               // window and stride
  py: u32, px: u32, ey: u32, ex: u32,               // padding before and behind
  dy: u32, dx: u32,                                 // dilation
  lowest: f32,                                      // minus infinity, which WGSL cannot spell
}
@group(0) @binding({{P_AT}}) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
const NONE: u32 = 0xffffffffu; // no winner: the window lies in the padding
#import "index"
