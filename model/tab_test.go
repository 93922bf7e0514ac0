//go:build !js

package model_test

import (
	"strings"
	"testing"

	"duet/gpu/gputest/tab"
	"duet/model/shared"
)

// TestTowersInTheTab compares the two towers with their goldens in the browser:
// stages, states, every gradient, running statistics and trajectories. It also
// reads checkpoints from Blobs.
func TestTowersInTheTab(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	fixtures := []string{shared.Path(t, "fixtures", "resnet18_width16"), shared.Path(t, "fixtures", "roberta_tiny_synthetic")}
	out := tab.RunWith(t, "duet/model", true, fixtures, "-test.run=^(TestResNet.*|TestRoBERTa.*)$/^device$")
	passed := 0
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "--- PASS") {
			passed++
			t.Log(strings.TrimSpace(line))
		}
	}
	if passed != 9 || strings.Contains(out, "--- SKIP") {
		t.Errorf("%d of 9 tests passed in the tab:\n%s", passed, out)
	}
}
