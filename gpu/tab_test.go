//go:build !js

package gpu_test

import (
	"strings"
	"testing"

	"duet/gpu/gputest/tab"
)

// TestInTab runs the tests of this package in a browser's worker: the same
// device, plan and executor tests, over the browser's WebGPU.
func TestInTab(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	out := tab.Run(t, "duet/gpu", true)
	for line := range strings.Lines(out) {
		if strings.Contains(line, "--- ") || strings.Contains(line, "adapter") || strings.Contains(line, "GB/s") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if strings.Contains(out, "--- SKIP") {
		t.Error("tests were skipped in the tab")
	}
	// A page may lack wasm/replay.js; the executor then encodes call by call.
	tab.Run(t, "duet/gpu", false, "-test.run=RandomProgramsAgree|SplitsKeepNumbers")
}
