    // e<r>_<half>: the same for do and v, whose rows begin at z<r> and columns at w<n>.
#for r {{R}}
    var e$r_0 = vec4<f32>();
    var e$r_1 = vec4<f32>();
#end
    for (var c = 0u; c < P.dv; c += 1u) {
#for n 8
      let b$n = {{COLUMNS_V}}[w$n + c];
#end
#for r {{R}}
      let a$r = {{ROWS_V}}[z$r + c];
#end
#if VEC4
#for e 4
      {
        let b_0 = vec4<f32>(b0[$e], b1[$e], b2[$e], b3[$e]);
        let b_1 = vec4<f32>(b4[$e], b5[$e], b6[$e], b7[$e]);
#for r {{R}}
        e$r_0 += a$r[$e] * b_0;
        e$r_1 += a$r[$e] * b_1;
#end
      }
#end
#else
      let b_0 = vec4<f32>(b0, b1, b2, b3);
      let b_1 = vec4<f32>(b4, b5, b6, b7);
#for r {{R}}
      e$r_0 += a$r * b_0;
      e$r_1 += a$r * b_1;
#end
#endif
    }
