    // s<r>_<half>: the products of row r, which begins at x<r>, with the eight
    // columns, which begin at y<n>.
#for r {{R}}
    var s$r_0 = vec4<f32>();
    var s$r_1 = vec4<f32>();
#end
    for (var c = 0u; c < P.dh; c += 1u) {
#for n 8
      let b$n = {{COLUMNS}}[y$n + c];
#end
#for r {{R}}
      let a$r = {{ROWS}}[x$r + c];
#end
#if VEC4
#for e 4
      {
        let b_0 = vec4<f32>(b0[$e], b1[$e], b2[$e], b3[$e]);
        let b_1 = vec4<f32>(b4[$e], b5[$e], b6[$e], b7[$e]);
#for r {{R}}
        s$r_0 += a$r[$e] * b_0;
        s$r_1 += a$r[$e] * b_1;
#end
      }
#end
#else
      let b_0 = vec4<f32>(b0, b1, b2, b3);
      let b_1 = vec4<f32>(b4, b5, b6, b7);
#for r {{R}}
      s$r_0 += a$r * b_0;
      s$r_1 += a$r * b_1;
#end
#endif
    }
#for r {{R}}
    s$r_0 *= P.scale;
    s$r_1 *= P.scale;
#end
