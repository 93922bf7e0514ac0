      // u<h> holds eight rows of A at one k, b0 and b1 eight columns of B: s += u ⊗ b.
#for h 2
#for j 4
      s$h$j_0 += u$h[$j] * b0;
      s$h$j_1 += u$h[$j] * b1;
#end
#end
