  // The accumulators of one invocation, 8x8 or 4x4: row h, j and column vec4 c is s<h><j>_<c>.
#for h {{HALVES}}
#for j 4
#for c {{HALVES}}
  var s$h$j_$c = vec4<f32>();
#end
#end
#end
