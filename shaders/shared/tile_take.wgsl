#for h {{HALVES}}
#for j 4
#for c {{HALVES}}
  let s$h$j_$c = t$h$j_$c;
#end
#end
#end
