  // Totals of the accumulators: a long sum is made of short ones, which keeps
  // its rounding error that of the short ones.
#for h {{HALVES}}
#for j 4
#for c {{HALVES}}
  var t$h$j_$c = vec4<f32>();
#end
#end
#end
