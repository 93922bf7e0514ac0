// Package gpu runs programs of compute kernels: on a GPU through WebGPU,
// natively and in the browser, or on the CPU through the kernels' twins. It
// knows nothing of models.
//
// # Central types
//
//   - A [Program] is a flat list of dispatches over named buffers. It is plain
//     data: it prints itself and needs no device.
//   - A [Plan] says how much memory a program takes, to the byte, before any is
//     allocated: temporary buffers whose lifetimes do not meet share slots.
//   - A [Backend] makes buffers and compiles programs. [Device] is the WebGPU
//     one ([Open] picks the adapter), [Reference] runs the CPU twins.
//   - An [Executable] is a compiled program: pipelines, bind groups and memory
//     are built once; a replay encodes one pass and submits it, or several where
//     one would keep the adapter busy for too long.
//
// [Diff] names the first dispatch where two backends part, [Device.Profile]
// times every dispatch, [SelfTest] compares an adapter with the twins.
//
// # Platforms
//
// The shared files hold the logic; what differs between the native library and
// the browser is in pairs of files, for example execute_native.go and
// execute_js.go, which define the same unexported methods of Device.
//
// # How to add a backend
//
// Implement [Backend], [Buffer] and [Executable]; call [NewPlan] first in
// Compile, since it refuses programs that read what nothing has written. Tests
// of package gpu that run over every backend then take one more row.
package gpu
