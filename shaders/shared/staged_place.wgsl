  // The block that this invocation brings: rows (columns) from quad on, steps from
  // step on. Its tile is 4x4 (8x8: four quarters of 4x4) at ty, tx.
  let quad = (local % QUADS) * 4u;
  let step = local / QUADS * 4u;
  let ty = local / 8u;
  let tx = local % 8u;
