// Appends a number to a ring: ring[step mod n] = x, step being the third word
// of state. The host reads the ring every few steps instead of waiting for each.
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> ring: array<f32>;
struct Params { n: u32 }
@group(0) @binding(3) var<uniform> P: Params;

@compute @workgroup_size(1)
fn main() {
  ring[state[2] % P.n] = x[0];
}
