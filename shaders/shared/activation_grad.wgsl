// Derivatives of the activations times dy. Those of exp, tanh and sigmoid take
// the output y, the others the input x; relu takes either.
fn relu_grad(x: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return select(vec4<f32>(), dy, x > vec4<f32>()); }
fn exp_grad(y: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return dy * y; }
fn tanh_grad(y: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return dy * (1.0 - y) * (1.0 + y); }
fn sigmoid_grad(y: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return dy * y * (1.0 - y); }
fn softplus_grad(x: vec4<f32>, dy: vec4<f32>) -> vec4<f32> { return dy * sigmoid(x); }

// (x·s)′ = s·(1 + x·(1 − s)) with s = sigmoid(x).
fn silu_grad(x: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
  let s = sigmoid(x);
  return dy * s * (1.0 + x * (1.0 - s));
}

// (x·Φ)′ = Φ + x·φ with the normal density φ = exp(−x²/2)/√(2π).
fn gelu_grad(x: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
  return dy * (normal_cdf(x) + 0.3989422804014327 * x * exp(-0.5 * x * x));
}
