    // The products of row r of own_h with the two columns of block_h.
    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    for (var i = 0u; i < DH; i += 1u) {
      let a = own_h[r * (DH + 1u) + i];
      s0 += a * block_h[2u * c * (DH + 1u) + i];
      s1 += a * block_h[(2u * c + 1u) * (DH + 1u) + i];
    }
