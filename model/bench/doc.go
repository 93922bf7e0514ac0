// Package bench holds the benchmark cases of the command line and of the tab's
// bench.html: forward passes and training steps named and shaped as other
// engines' benchmark pages have them. A [Case] builds a [Work]; [Prepare]
// compiles it on a backend, [Bench.Run] times one run with its read-back.
// testdata/pytorch.py times the same cases in PyTorch.
//
// To add a case: a function that returns a Work, its name in Cases, and the
// same in pytorch.py.
package bench
