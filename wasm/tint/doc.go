// Package tint holds WGSL against Tint, the compiler inside Chromium, without a
// GPU and without a browser. It runs wasm/tint.mjs under node; the compiler
// comes with the npm package webgpu, pinned in wasm/package-lock.json.
//
// It is a helper for tests: [Test] compiles every source and fails the test
// with positions. Each source must have exactly one compute entry point and
// must fit WebGPU's default limits.
package tint
