// A peak probe: {{N}} independent accumulators of fused multiply-adds and no
// memory traffic in the loop. What the best of several N reaches is taken as
// an adapter's peak in float32.
@group(0) @binding(0) var<storage, read> a: array<{{T}}>;
@group(0) @binding(1) var<storage, read> b: array<{{T}}>;
@group(0) @binding(2) var<storage, read_write> c: array<{{T}}>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let x = a[gid.x & 255u];
  let y = b[gid.x & 255u];
  var sum = {{T}}(0.0);
#for i {{N}}
  var s$i = x + {{T}}($i.0);
#end
  for (var k = 0u; k < 1024u; k += 1u) {
#for i {{N}}
#if FMA
    s$i = fma(s$i, x, y);
#else
    s$i = s$i * x + y;
#endif
#end
  }
#for i {{N}}
  sum += s$i;
#end
  c[gid.x] = sum;
}
