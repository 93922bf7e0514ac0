@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let tile = group.x + group.y * groups.x;
  if (tile >= P.tiles) {
    return;
  }
  // The block that this invocation brings: rows (columns) from quad on, steps from
  // step on. Its tile is 4x4 (8x8: four quarters of 4x4) at ty, tx.
  let quad = (local % QUADS) * 4u;
  let step = local / QUADS * 4u;
  let ty = local / 8u;
  let tx = local % 8u;
  let rest = tile / P.tiles_n;
  let first_row = rest % P.tiles_m * SIDE;
  let first_col = tile % P.tiles_n * SIDE;
