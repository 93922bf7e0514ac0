//go:build !js

package train

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"duet/gpu/gputest/tab"
	"duet/model/shared"
)

// TestTabAgrees compares vlm_tiny's logits, gradients and trajectories with the
// goldens in the browser, the gradients with the kernels for CPUs and for GPUs,
// and there trains its concat for twenty steps (the golden's ten are the first of
// them): the losses must be those here.
func TestTabAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	out := tab.RunWith(t, "duet/model/train", true, []string{shared.Path(t, "fixtures", "vlm_tiny")},
		"-test.run=^(TestTwentySteps|TestGoldenTrajectories|TestGoldenGradients)$/^(kernels_for_.PUs|gated|hadamard|cross_attention)$/^(concat|cross_attention|frozen|batch)$")
	for line := range strings.Lines(out) {
		if strings.Contains(line, "--- ") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if strings.Contains(out, "--- SKIP") {
		t.Error("tests were skipped in the tab")
	}
	_, line, found := strings.Cut(out, twenty)
	line, _, _ = strings.Cut(line, "\n")
	var got map[string][]float32
	if err := json.Unmarshal([]byte(line), &got); !found || err != nil {
		t.Fatalf("no losses in the tab's output (%v):\n%s", err, out)
	}
	for _, mode := range []string{"frozen", "batch"} {
		worst := 0.0
		for i, want := range lossesOfTwenty(t, mode) {
			if len(got[mode]) != 20 {
				t.Fatalf("%s: %d losses", mode, len(got[mode]))
			}
			off := math.Abs(float64(got[mode][i] - want))
			worst = max(worst, off)
			if !(off <= 1e-3) {
				t.Errorf("%s, step %d: loss %.6f in the tab, %.6f here", mode, i+1, got[mode][i], want)
			}
		}
		t.Logf("%s: largest difference of 20 losses %.2g", mode, worst)
	}
}
