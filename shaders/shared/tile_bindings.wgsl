@group(0) @binding(0) var<storage, read> a: array<{{T}}>;
@group(0) @binding(1) var<storage, read> b: array<{{TB}}>;
#if SCALE
@group(0) @binding(2) var<storage, read> scale: array<{{T}}>;
#endif
#if BIAS
@group(0) @binding({{BIAS_AT}}) var<storage, read> bias: array<{{T}}>;
#endif
#if RESIDUAL
@group(0) @binding({{RESIDUAL_AT}}) var<storage, read> residual: array<{{T}}>;
#endif
@group(0) @binding({{C_AT}}) var<storage, read_write> c: array<{{T}}>;
