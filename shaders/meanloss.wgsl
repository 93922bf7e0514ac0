// loss = Σ losses/Σ weights. Where no row counts PyTorch's loss is NaN; here it
// is 0, so that one batch without a target does not end a training.
@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> normaliser: array<f32>;
struct Params { rows: u32 }
@group(0) @binding(4) var<uniform> P: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  if (gid.x > 0u) {
    return;
  }
  var sum = vec2<f32>();
  var i = 0u;
  // Sums of 16, then of those: shorter chains round less.
  while (i < P.rows) {
    let end = min(i + 16u, P.rows);
    var part = vec2<f32>();
    for (; i < end; i += 1u) {
      part += vec2<f32>(losses[i], weights[i]);
    }
    sum += part;
  }
  loss[0] = select(sum.x / sum.y, 0.0, sum.y == 0.0);
  normaliser[0] = sum.y;
}
