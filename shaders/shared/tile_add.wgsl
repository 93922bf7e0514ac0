#for h 2
#for j 4
      t$h$j_0 += s$h$j_0;
      t$h$j_1 += s$h$j_1;
#end
#end
