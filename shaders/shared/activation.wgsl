// The activations of the field, on vec4s. Their scalar twins are in activation.go.
fn relu(x: vec4<f32>) -> vec4<f32> { return max(x, vec4<f32>()); }
fn identity(x: vec4<f32>) -> vec4<f32> { return x; }

// erf by Abramowitz and Stegun 7.1.26, |error| < 1.5e-7.
fn erf(x: vec4<f32>) -> vec4<f32> {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-a * a));
}
fn gelu(x: vec4<f32>) -> vec4<f32> { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
