      // Rows v<h><j> and columns w<h><j> both hold four steps of k: s += v · wᵀ.
#for q 4
      {
        let b0 = vec4<f32>(w00[$q], w01[$q], w02[$q], w03[$q]);
        let b1 = vec4<f32>(w10[$q], w11[$q], w12[$q], w13[$q]);
#for h 2
#for j 4
        s$h$j_0 += v$h$j[$q] * b0;
        s$h$j_1 += v$h$j[$q] * b1;
#end
#end
      }
#end
