//go:build !js

package conform

import (
	"strings"
	"testing"

	"duet/gpu/gputest/tab"
)

// TestCoreInTab runs the committed cases on the browser's WebGPU.
func TestCoreInTab(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	out := tab.Run(t, "duet/model/conform", true, "-test.run=^TestCoreOnDevice$")
	for line := range strings.Lines(out) {
		if strings.Contains(line, "torch-gradients:") || strings.Contains(line, "vectors:") || strings.Contains(line, "--- ") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if strings.Contains(out, "--- SKIP") {
		t.Error("the cases were skipped in the tab")
	}
}
