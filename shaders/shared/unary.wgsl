// The element-wise functions beyond the activations of epilogues. exp and tanh
// overflow in hardware for large arguments, so they are kept from them.
fn exp_(x: vec4<f32>) -> vec4<f32> { return exp(x); }
fn tanh_(x: vec4<f32>) -> vec4<f32> { return tanh(clamp(x, vec4<f32>(-15.0), vec4<f32>(15.0))); }
fn sigmoid(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp(-clamp(x, vec4<f32>(-80.0), vec4<f32>(80.0)))); }
fn silu(x: vec4<f32>) -> vec4<f32> { return x * sigmoid(x); }
fn softplus(x: vec4<f32>) -> vec4<f32> { return max(x, vec4<f32>()) + log(1.0 + exp(-abs(x))); }
fn erf_(x: vec4<f32>) -> vec4<f32> { return erf(x); }
fn sqrt_(x: vec4<f32>) -> vec4<f32> { return sqrt(x); }
fn rsqrt(x: vec4<f32>) -> vec4<f32> { return inverseSqrt(x); }
fn abs_(x: vec4<f32>) -> vec4<f32> { return abs(x); }
fn neg(x: vec4<f32>) -> vec4<f32> { return -x; }
fn log_(x: vec4<f32>) -> vec4<f32> { return log(x); }
fn ceil_(x: vec4<f32>) -> vec4<f32> { return ceil(x); }
fn floor_(x: vec4<f32>) -> vec4<f32> { return floor(x); }
fn reciprocal(x: vec4<f32>) -> vec4<f32> { return 1.0 / x; }
fn sign_(x: vec4<f32>) -> vec4<f32> { return sign(x); }
fn square(x: vec4<f32>) -> vec4<f32> { return x * x; }
fn affine(x: vec4<f32>) -> vec4<f32> { return x * P.alpha + P.beta; }
fn clamp_(x: vec4<f32>) -> vec4<f32> { return min(max(x, vec4<f32>(P.alpha)), vec4<f32>(P.beta)); }
fn elu(x: vec4<f32>) -> vec4<f32> { return select(P.alpha * (exp(min(x, vec4<f32>())) - 1.0), x, x > vec4<f32>()); }
fn leaky_relu(x: vec4<f32>) -> vec4<f32> { return select(P.alpha * x, x, x > vec4<f32>()); }
fn hard_sigmoid(x: vec4<f32>) -> vec4<f32> { return clamp(P.alpha * x + P.beta, vec4<f32>(), vec4<f32>(1.0)); }
fn hard_swish(x: vec4<f32>) -> vec4<f32> { return x * clamp(x / 6.0 + 0.5, vec4<f32>(), vec4<f32>(1.0)); }
