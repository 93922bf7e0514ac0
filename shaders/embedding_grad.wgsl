// Gradient of y[i] = table[ids[i]]: dtable[v] = Σ over i with ids[i] = v of
// dy[i]. The first position of an id follows the chain of the others (see
// embedding_links) and adds in their order, so the sum is the same every time.
// Rows whose id does not occur keep what they hold: zero the table before.
// dtable may be a range of the table's rows, of which first is the first.
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> links: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<{{T}}>;
@group(0) @binding(3) var<storage, read_write> dtable: array<{{T}}>;
struct Params { n: u32, size: u32, d: u32, first: u32 } // d in Ts
@group(0) @binding(4) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = flat_index(gid, groups);
  let first = i / P.d;
  if (first >= P.n) {
    return;
  }
  var link = links[first];
  let id = ids[first] - P.first;
  if (link >= 0x80000000u || id >= P.size) {
    return;
  }
  let column = i % P.d;
  var sum = dy[i];
  while (link < P.n) {
    sum += dy[link * P.d + column];
    link = links[link] & 0x7fffffffu;
  }
  dtable[id * P.d + column] = sum;
}
