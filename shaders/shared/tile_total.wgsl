  // Totals of the accumulators: a long sum is made of short ones, which keeps
  // its rounding error that of the short ones.
#for h 2
#for j 4
  var t$h$j_0 = vec4<f32>();
  var t$h$j_1 = vec4<f32>();
#end
#end
