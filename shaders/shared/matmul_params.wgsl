struct Params {
  m: u32, n: u32, k: u32,
  lda: u32, ldb: u32, ldc: u32,     // row strides in elements
  za: u32, zb: u32, zc: u32,        // strides from one z to the next
  oa: u32, ob: u32, oc: u32,        // offsets of the first element
  tiles_m: u32, tiles_n: u32, tiles: u32,
  k_step: u32,                      // k per split (SPLIT), else k
}
