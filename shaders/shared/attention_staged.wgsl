// A workgroup of 64 takes 16 rows of a head and goes over the columns in blocks of
// eight, which it brings to workgroup memory; rows there are padded by one vec4
// against conflicts of banks. An invocation has a quarter of a row: of a block's
// weights two, of the results every fourth vec4.
const DH: u32 = {{DH}}u; // vec4s of a head of queries and keys
const DV: u32 = {{DV}}u; // and of values
var<workgroup> pairs: array<vec2<f32>, 64>; // weights [16 4] of two columns each
fn dot_of(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }
