package train

import (
	"encoding/json"
	"fmt"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
)

// lossesOfTwenty trains vlm_tiny's concat for twenty steps, as TestTabAgrees
// compares here and in the tab.
func lossesOfTwenty(t *testing.T, batchNorm string) []float32 {
	t.Helper()
	device := gputest.Open(t)
	return runTiny(t, device, openTiny(t, device, model.Concat), batchNorm, 20)
}

// twenty precedes a line of losses.
const twenty = "losses of twenty steps: "

// TestTwentySteps prints the losses for TestTabAgrees, which runs it in the tab.
func TestTwentySteps(t *testing.T) {
	all := map[string][]float32{}
	for _, mode := range []string{"frozen", "batch"} {
		losses := lossesOfTwenty(t, mode)
		if len(losses) != 20 || !(losses[19] < losses[0]) {
			t.Errorf("%s: losses %v, want twenty that fall", mode, losses)
		}
		all[mode] = losses
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(twenty + string(text))
}
