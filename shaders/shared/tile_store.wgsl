  // Scale, bias, residual, activation and the store of a tile, whose second half is
  // APART rows and columns from the first. Needs row, col (in elements), rows_end
  // (first row that is not stored), N = P.n, and out_index(row) = index of the
  // row's first element in c.
#for c {{HALVES}}
#if SCALE
  let scale_$c = scale_at(col + $cu * {{APART}}u);
#endif
#if BIAS
  let bias_$c = bias_at(col + $cu * {{APART}}u);
#endif
#end
#for h {{HALVES}}
#for j 4
  if (row + $hu * {{APART}}u + $ju < rows_end) {
    let o = out_index(row + $hu * {{APART}}u + $ju) + col;
#for c {{HALVES}}
    var y$c = s$h$j_$c;
#if SCALE
    y$c *= scale_$c;
#endif
#if RESIDUAL
    y$c += residual_at(o + $cu * {{APART}}u, col + $cu * {{APART}}u);
#endif
#if BIAS
    y$c += bias_$c;
#endif
    store(o + $cu * {{APART}}u, col + $cu * {{APART}}u, {{ACT}}(y$c));
#end
  }
#end
#end
