#for h 2
#for j 4
  let s$h$j_0 = t$h$j_0;
  let s$h$j_1 = t$h$j_1;
#end
#end
