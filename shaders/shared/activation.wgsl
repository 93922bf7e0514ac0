// The activations of the field, on vec4s, safe for large |x|; NaN passes. Their
// scalar twins are in activation.go. Exponentials take −|x| only, so nothing
// overflows.
fn identity(x: vec4<f32>) -> vec4<f32> { return x; }
// By the bits: drivers take a comparison with zero for a maximum, which drops NaN.
fn relu(x: vec4<f32>) -> vec4<f32> {
  return select(x, vec4<f32>(), bitcast<vec4<u32>>(x) - vec4<u32>(0x80000001u) < vec4<u32>(0x7f800000u));
}

// erfc(|x|) by Abramowitz and Stegun 7.1.26, |error| < 1.5e-7.
fn erfc_abs(x: vec4<f32>) -> vec4<f32> {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return p * exp(-a * a);
}

// The distribution function of the standard normal.
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
  let q = 0.5 * erfc_abs(x * 0.7071067811865476);
  return select(1.0 - q, q, x < vec4<f32>());
}
fn gelu(x: vec4<f32>) -> vec4<f32> { return x * normal_cdf(x); }

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-abs(x));
  return select(vec4<f32>(1.0), e, x < vec4<f32>()) / (1.0 + e);
}
fn silu(x: vec4<f32>) -> vec4<f32> { return x * sigmoid(x); }

// log(1 + exp(x)) = max(x, 0) + log(1 + e), the logarithm by its series where e is small.
fn softplus(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-abs(x));
  let series = e * (1.0 - e * (0.5 - e * (0.33333334 - e * 0.25)));
  return relu(x) + select(log(1.0 + e), series, e < vec4<f32>(0.03));
}

// (1 − exp(−2|x|)) / (1 + exp(−2|x|)), by the series near 0, where that cancels.
fn tanh_stable(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-2.0 * abs(x));
  let far = (1.0 - e) / (1.0 + e);
  let s = x * x;
  let near = x * (1.0 - s * (0.33333334 - s * (0.13333334 - s * 0.053968254)));
  return select(select(far, -far, x < vec4<f32>()), near, abs(x) < vec4<f32>(0.2));
}
