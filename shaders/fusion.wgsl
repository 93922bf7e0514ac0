// The fusion layer in one pass: y = act(W·z + bias) where z is [v;t] (CONCAT),
// [v;t;v∘t] (CONCAT and PRODUCT) or v∘t (PRODUCT) and never exists in memory.
// v is [m dv], t is [m dt], W is [n k], k the length of z.
@group(0) @binding(0) var<storage, read> v: array<{{T}}>;
@group(0) @binding(1) var<storage, read> t: array<{{T}}>;
@group(0) @binding(2) var<storage, read> b: array<{{T}}>;
@group(0) @binding(3) var<storage, read> bias: array<{{T}}>;
@group(0) @binding(4) var<storage, read_write> c: array<{{T}}>;
struct Params { m: u32, n: u32, dv: u32, dt: u32, k: u32, tiles_n: u32, tiles: u32 }
@group(0) @binding(5) var<uniform> P: Params;
const WORKGROUP: u32 = 64u;
#import "index"
#import "activation"
#import "fusion_memory"

fn out_index(row: u32) -> u32 {
  return row * P.n;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let tile = flat_index(gid, groups);
  if (tile >= P.tiles) {
    return;
  }
  let col = (tile % P.tiles_n) * 8u;
  let row = (tile / P.tiles_n) * 8u;
  let rows_end = P.m;
#for h 2
#for j 4
  let m$h$j = min(row + $hu * 4u + $ju, P.m - 1u);
  var q$h$j = min(col + $hu * 4u + $ju, P.n - 1u) * P.k;
#end
#end
#paste "tile_zero"
#if CONCAT
  for (var k = 0u; k < P.dv; k += 4u) {
    let left = P.dv - k;
#for h 2
#for j 4
    let v$h$j = load_v(m$h$j * P.dv + k, left);
    let w$h$j = load_b(q$h$j + k, left);
#end
#end
#paste "tile_kk"
  }
  for (var k = 0u; k < P.dt; k += 4u) {
    let left = P.dt - k;
#for h 2
#for j 4
    let v$h$j = load_t(m$h$j * P.dt + k, left);
    let w$h$j = load_b(q$h$j + P.dv + k, left);
#end
#end
#paste "tile_kk"
  }
#for h 2
#for j 4
  q$h$j += P.dv + P.dt;
#end
#end
#endif
#if PRODUCT
  for (var k = 0u; k < P.dv; k += 4u) {
    let left = P.dv - k;
#for h 2
#for j 4
    let v$h$j = load_v(m$h$j * P.dv + k, left) * load_t(m$h$j * P.dv + k, left);
    let w$h$j = load_b(q$h$j + k, left);
#end
#end
#paste "tile_kk"
  }
#endif
#paste "tile_store"
}
