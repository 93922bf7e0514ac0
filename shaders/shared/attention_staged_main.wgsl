@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  if (block >= P.invocations) {
    return;
  }
  let first = block % P.blocks * 16u;
  let r = local / 4u;
  let c = local % 4u;
