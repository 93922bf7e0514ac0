#for h {{HALVES}}
#for j 4
#for c {{HALVES}}
      t$h$j_$c += s$h$j_$c;
#end
#end
#end
