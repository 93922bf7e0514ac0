      // u<h> holds the rows of A at one k, b<c> the columns of B: s += u ⊗ b.
#for h {{HALVES}}
#for j 4
#for c {{HALVES}}
      s$h$j_$c += u$h[$j] * b$c;
#end
#end
#end
