  // What product, or range of k, z takes.
#if SPLIT
  let k_begin = z * P.k_step;
  let k_end = min(k_begin + P.k_step, P.k);
  let a_base = P.oa;
  let b_base = P.ob;
#else
  let k_begin = 0u;
  let k_end = P.k;
  let a_base = P.oa + z * P.za;
  let b_base = P.ob + z * P.zb;
#endif
