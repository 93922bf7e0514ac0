// For each position the next one with the same id (n where there is none); bit
// 31 is set where an earlier one exists or the id is the padding's, so that
// only the first position of an id starts a chain.
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> links: array<u32>;
struct Params { n: u32, padding: u32 }
@group(0) @binding(2) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  if (i >= P.n) {
    return;
  }
  let id = ids[i];
  var link = i + 1u;
  while (link < P.n && ids[link] != id) {
    link += 1u;
  }
  var earlier = id == P.padding;
  for (var j = 0u; j < i && !earlier; j += 1u) {
    earlier = ids[j] == id;
  }
  links[i] = link | select(0u, 0x80000000u, earlier);
}
