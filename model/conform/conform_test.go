package conform

import (
	"embed"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/shared"
	"duet/shaders"
)

//go:embed testdata
var testdata embed.FS

// core returns the committed cases.
func core(t *testing.T) fs.FS {
	t.Helper()
	files, err := fs.Sub(testdata, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// runAndReport runs suites and reports what fails.
func runAndReport(t *testing.T, b gpu.Backend, files fs.FS, suites ...string) *Report {
	t.Helper()
	report, err := Run(t.Context(), b, files, Options{Suites: suites, Failed: func(f Failure) {
		t.Errorf("%s %s: %s: %s", f.Suite, f.Op, f.Case, f.Reason)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report.Backend, "\n", report.Summary())
	return report
}

func TestCoreOnTwins(t *testing.T) {
	checkGradients(t, runAndReport(t, gpu.NewReference(), core(t), Gradients))
}

func TestCoreOnDevice(t *testing.T) {
	checkGradients(t, runAndReport(t, gputest.Open(t), core(t), Gradients))
}

// checkGradients wants all operators, and all of their cases, to pass.
func checkGradients(t *testing.T, r *Report) {
	t.Helper()
	if len(r.Rows) != 27 || r.OutOfScope > 0 {
		t.Errorf("%d operators and %d cases out of scope, want 27 and 0", len(r.Rows), r.OutOfScope)
	}
	for _, row := range r.Rows {
		if row.Passed == 0 {
			t.Errorf("no case of %s passes", row.Op)
		}
	}
}

func TestVectorsOnTwins(t *testing.T) {
	checkVectors(t, gpu.NewReference())
}

func TestVectorsOnDevice(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some hundred pipelines")
	}
	checkVectors(t, gputest.Open(t))
}

// checkVectors runs everything that the reference data has.
func checkVectors(t *testing.T, b gpu.Backend) {
	r := runAndReport(t, b, os.DirFS(shared.Path(t, "vectors")))
	for _, x := range r.Exclusions {
		if op, never := neverOutOfScope(x); never {
			t.Errorf("%s is never out of scope: %s (%s)", op, x.Reason, strings.Join(x.Cases, ", "))
		}
	}
	for suite, want := range map[string]struct{ cases, passed int }{ONNX: {200, 110}, WebNN: {300, 150}} {
		cases, passed := 0, 0
		for _, row := range r.Rows {
			if row.Suite == suite {
				cases, passed = cases+row.Passed+row.Failed+row.OutOfScope, passed+row.Passed
			}
		}
		if cases >= want.cases && passed < want.passed {
			t.Errorf("%d of %d cases of %s pass, want at least %d", passed, cases, suite, want.passed)
		}
	}
}

// neverOutOfScope reports whether the reason names an operator that every case
// must run of, but for the settings listed.
func neverOutOfScope(x Exclusion) (string, bool) {
	if x.Suite == Gradients {
		return x.Reason, true
	}
	allowed := []string{
		"Conv with attribute group ≠ 1", "conv2d with option groups ≠ 1", "MaxPool with output 1",
		"Attention with attribute is_causal and input 6", "Attention with input 6 and softcap or output 3",
		"Attention with softcap and qk_matmul_output_mode 0",
	}
	if slices.Contains(allowed, x.Reason) {
		return "", false
	}
	never := strings.Fields(`conv gemm matmul batchnormalization layernormalization softmax logsoftmax maxpool
		globalaveragepool relu gelu concat gather transpose add sub mul reducesum reducemean adam attention
		conv2d maxpool2d averagepool2d`)
	for _, word := range strings.Fields(x.Reason) {
		if slices.Contains(never, strings.ToLower(word)) {
			return word, true
		}
	}
	return "", false
}

// TestWrongResultsFail moves one number of every tensor that a case states: the
// case must then fail, so that none passes by not being looked at.
func TestWrongResultsFail(t *testing.T) {
	b := gpu.NewReference()
	cases, err := Load(core(t), Gradients)
	if err != nil {
		t.Fatal(err)
	}
	tol := suiteTolerance(Gradients)
	for _, c := range cases {
		j, err := c.build(shaders.CPU)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		stated := len(c.inputGrads) + len(c.outputs)
		if c.optimizer == nil && len(j.checks) != stated {
			t.Errorf("%s: %d tensors are compared, the case states %d", c.Name, len(j.checks), stated)
		}
		buffers, err := j.execute(t.Context(), b)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, check := range j.checks {
			if _, err := check.compare(buffers[check.buffer], tol); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			largest := 0.0
			for _, v := range check.want.Data {
				largest = max(largest, math.Abs(v))
			}
			i := len(check.want.Data) / 2
			check.want.Data[i] += 1e-4 * (largest + 0.05)
			if _, err := check.compare(buffers[check.buffer], tol); err == nil {
				t.Errorf("%s: a wrong %s[%d] passes", c.Name, check.want.Name, i)
			}
		}
		for _, b := range buffers {
			b.Release()
		}
	}
	if b.Allocated() != 0 {
		t.Errorf("%d bytes of buffers were not released", b.Allocated())
	}
}
