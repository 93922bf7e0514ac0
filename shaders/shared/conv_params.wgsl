struct Params {
  images: u32, ih: u32, iw: u32, ic: u32,   // input  [images ih iw ic]
  oh: u32, ow: u32, oc: u32,                // output [images oh ow oc]
  kh: u32, kw: u32,                         // weight [oc kh kw ic]
  sy: u32, sx: u32, py: u32, px: u32, dy: u32, dx: u32, // stride, padding before, dilation
  n: u32,                                   // columns of the tile grid's output
  tiles_m: u32, tiles_n: u32, tiles: u32,
  rows: u32,                                // rows a split of the weight gradient takes
}
