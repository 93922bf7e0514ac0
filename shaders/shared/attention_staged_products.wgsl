    // The same of own_v and block_v.
    var e0 = vec4<f32>();
    var e1 = vec4<f32>();
    for (var i = 0u; i < DV; i += 1u) {
      let a = own_v[r * (DV + 1u) + i];
      e0 += a * block_v[2u * c * (DV + 1u) + i];
      e1 += a * block_v[(2u * c + 1u) * (DV + 1u) + i];
    }
