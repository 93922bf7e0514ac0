  // Sums over k from k_begin to k_end. fetch_a(k) and fetch_b(k) return blocks
  // whose column q is step k + q; the next ones are on their way while these are used.
#if TOTALS
#paste "tile_total"
#else
#paste "tile_zero"
#endif
  var next_a = fetch_a(k_begin + step);
  var next_b = fetch_b(k_begin + step);
  for (var k = k_begin; k < k_end; k += DEPTH) {
    workgroupBarrier();
#for q 4
    slab_a[step + $qu][quad / 4u] = next_a[$q];
    slab_b[step + $qu][quad / 4u] = next_b[$q];
#end
    workgroupBarrier();
    if (k + DEPTH < k_end) {
      next_a = fetch_a(k + DEPTH + step);
      next_b = fetch_b(k + DEPTH + step);
    }
#if TOTALS
#paste "tile_zero"
#endif
#for i {{DEPTH}}
    {
#for h {{HALVES}}
      let u$h = slab_a[$i][$hu * 8u + ty];
      let b$h = slab_b[$i][$hu * 8u + tx];
#end
#paste "tile_mn"
    }
#end
#if TOTALS
#paste "tile_add"
#endif
  }
#if TOTALS
#paste "tile_take"
#endif
