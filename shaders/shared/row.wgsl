// The rows of a kernel: an invocation takes one, or with GROUP a workgroup, whose
// invocations take every 64th element each and add up what they found.
#if GROUP
const STEP: u32 = 64u;
var<workgroup> lanes: array<f32, 64>;
// The sum of v over the workgroup, in the same order every time.
fn total(v: f32, lane: u32) -> f32 {
  workgroupBarrier(); // the last sum has been read
  lanes[lane] = v;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      lanes[lane] += lanes[lane + half];
    }
  }
  workgroupBarrier();
  return lanes[0];
}
#else
const STEP: u32 = 1u;
fn total(v: f32, lane: u32) -> f32 { return v; }
#endif
