      // Rows v<h><j> hold four steps of k; b<q>_<c> is row k+q of B: s += v · b.
#for q 4
#for h 2
#for j 4
      s$h$j_0 += v$h$j[$q] * b$q_0;
      s$h$j_1 += v$h$j[$q] * b$q_1;
#end
#end
#end
