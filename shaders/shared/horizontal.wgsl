// Folds what an invocation gathered along a row to one number.
#if VEC4
fn sum_of(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn max_of(v: vec4<f32>) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
#else
fn sum_of(v: f32) -> f32 { return v; }
fn max_of(v: f32) -> f32 { return v; }
#endif
