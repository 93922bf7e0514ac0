  // Scale, bias, residual, activation and the store of the 8x8 tile. Needs row, col
  // (in elements), rows_end (first row that is not stored), N = P.n, and
  // out_index(row) = index of the row's first element in c.
#if SCALE
  let scale_0 = scale_at(col);
  let scale_1 = scale_at(col + 4u);
#endif
#if BIAS
  let bias_0 = bias_at(col);
  let bias_1 = bias_at(col + 4u);
#endif
#for h 2
#for j 4
  if (row + $hu * 4u + $ju < rows_end) {
    let o = out_index(row + $hu * 4u + $ju) + col;
    var y0 = s$h$j_0;
    var y1 = s$h$j_1;
#if SCALE
    y0 *= scale_0;
    y1 *= scale_1;
#endif
#if RESIDUAL
    y0 += residual_at(o, col);
    y1 += residual_at(o + 4u, col + 4u);
#endif
#if BIAS
    y0 += bias_0;
    y1 += bias_1;
#endif
    store(o, col, {{ACT}}(y0));
    store(o + 4u, col + 4u, {{ACT}}(y1));
  }
#end
#end
