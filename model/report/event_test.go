package report

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestEventJSON writes and reads every kind of event.
func TestEventJSON(t *testing.T) {
	skipped := []Skip{{Source: Source{File: "a.png"}, Reason: "broken", Rows: 1}}
	for _, e := range []Event{
		{Event: "features", Step: 3, Steps: 9, Skipped: skipped},
		{Event: "before", ValLoss: 1.5, ValTop1: 0.25, Skipped: skipped},
		{Event: "step", Epoch: 1, Epochs: 2, Step: 3, Steps: 4, Loss: 0.5, LR: 1e-3, ExamplesPerSec: 7},
		{Event: "epoch", Epoch: 1, Epochs: 2, Step: 3, Steps: 4, TrainLoss: 0.5, ValLoss: 0.6, ValTop1: 0.7, Skipped: skipped},
		{Event: "done", Step: 3, Model: "m", ValTop1: 0.7, Stopped: true},
	} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got Event
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, e) {
			t.Errorf("%s becomes %+v, was %+v", text, got, e)
		}
	}
}
