    // Brings the keys from j on and their values.
    workgroupBarrier();
    for (var i = local; i < 8u * DH; i += 64u) {
      block_h[i / DH * (DH + 1u) + i % DH] = k[y + min(j + i / DH, keys - 1u) * P.k_row + i % DH];
    }
    for (var i = local; i < 8u * DV; i += 64u) {
      block_v[i / DV * (DV + 1u) + i % DV] = v[z + min(j + i / DV, keys - 1u) * P.v_row + i % DV];
    }
    workgroupBarrier();
