// Element-wise functions that are no activations of a layer, on vec4s. Those
// of a second group take the scalars alpha (a) and beta (b).
fn erf(x: vec4<f32>) -> vec4<f32> {
  let y = 1.0 - erfc_abs(x);
  return select(y, -y, x < vec4<f32>());
}
fn neg(x: vec4<f32>) -> vec4<f32> { return -x; }
fn reciprocal(x: vec4<f32>) -> vec4<f32> { return 1.0 / x; }
fn square(x: vec4<f32>) -> vec4<f32> { return x * x; }
fn gelu_tanh(x: vec4<f32>) -> vec4<f32> {
  return x * sigmoid(1.5957691216 * (x + 0.044715 * x * x * x));
}

fn affine(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> { return a * x + b; }
fn clip(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> {
  let y = select(x, vec4<f32>(a), x < vec4<f32>(a));
  return select(y, vec4<f32>(b), y > vec4<f32>(b));
}
fn elu(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> {
  return select(x, a * (exp(min(x, vec4<f32>())) - 1.0), x < vec4<f32>());
}
fn leaky_relu(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> { return select(x, a * x, x < vec4<f32>()); }
fn hard_sigmoid(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> { return clip(a * x + b, 0.0, 1.0); }
fn hard_swish(x: vec4<f32>, a: f32, b: f32) -> vec4<f32> { return x * hard_sigmoid(x, a, b); }
