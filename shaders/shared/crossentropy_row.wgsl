// The share t of class k that smoothing and soft targets give.
fn share(row: u32, k: u32) -> f32 {
  var t = P.smoothing / f32(P.classes);
#if SOFT
  t += (1.0 - P.smoothing) * targets[row * P.classes + k];
#endif
#if WEIGHTED
  t *= weight[k];
#endif
  return t;
}

// (top, Σ exp(x − top), Σ t·(x − top), Σ t) over every step-th class from
// first on, top being the largest x.
fn scan(row: u32, first: u32, step: u32) -> vec4<f32> {
  let base = row * P.classes;
  var top = -3.4028234e38; // not −∞: −∞ − top must not be NaN
  for (var k = first; k < P.classes; k += step) {
    top = max(top, logits[base + k]);
  }
  var s = vec3<f32>();
  for (var k = first; k < P.classes; k += step) {
    let x = logits[base + k] - top;
    s.x += exp(x);
#if SPREAD
    let t = share(row, k);
    s.y += t * x;
    s.z += t;
#endif
  }
  return vec4<f32>(top, s);
}
