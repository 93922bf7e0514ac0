  // The 8x8 accumulators of one invocation: row 4h+j, column vec4 c is s<h><j>_<c>.
#for h 2
#for j 4
  var s$h$j_0 = vec4<f32>();
  var s$h$j_1 = vec4<f32>();
#end
#end
