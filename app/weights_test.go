//go:build !js

package app

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
	"duet/model/data"
)

// An evaluation with packed weights tells what they cost; a model that lies so is
// not saved.
func TestEvaluatePacked(t *testing.T) {
	dir := drawn(t, 120)
	device := gputest.Open(t)
	files, err := OpenFiles(Default)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for weights, share := range map[string]float64{model.WeightsF16: 0.6, model.WeightsInt8: 0.4} {
		told := 0

		r, err := EvaluatePacked(t.Context(), device, files, weights, EvaluateOptions{Collection: open(t, dir), Split: "all", Each: func(data.Example, int) { told++ }})
		if err != nil {
			t.Fatal(err)
		}
		p := r.Packed
		if p == nil || p.Weights != weights || p.Float32.N != r.N || told != r.N {
			t.Fatalf("%s: %+v of %d examples, %d told", weights, p, r.N, told)
		}
		if float64(p.Bytes) > share*float64(p.Float32Bytes) || p.Same < r.N*95/100 {
			t.Errorf("%s: %d bytes instead of %d, %d of %d answers the same", weights, p.Bytes, p.Float32Bytes, p.Same, r.N)
		}
	}
	if _, err := EvaluatePacked(t.Context(), device, files, "int4", EvaluateOptions{Collection: open(t, dir), Split: "all"}); err == nil || !strings.Contains(err.Error(), "int4") {
		t.Errorf("unknown weights: %v", err)
	}
	m, err := LoadPacked(device, files, model.WeightsF16)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	if err := m.Save(filepath.Join(t.TempDir(), "m")); err == nil {
		t.Error("a packed model was saved")
	}
	if err := m.WriteZip(io.Discard); err == nil {
		t.Error("a packed model was written")
	}
}
