//go:build !js

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/model/checkpoint"
	"duet/model/hub"
	"duet/model/hub/hubtest"
	"duet/model/shared"
)

// TestInitByNames joins towers by the names under which they are published: one
// pulled from a hub, whose snapshot is links, one where torch.hub keeps it.
func TestInitByNames(t *testing.T) {
	s := hubtest.New(t)
	s.Use(t, t.TempDir())
	files := map[string][]byte{}
	folder := textTower(t, "model.safetensors")
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	s.Add("some/roberta-tiny", hubtest.Commit("1"), files)

	o := InitOptions{Vision: "torchvision/resnet18", Text: "some/roberta-tiny", Classes: []string{"yes", "no"}, Seed: 5, Out: filepath.Join(t.TempDir(), "joined")}
	_, err = Init(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "duet pull torchvision/resnet18 fetches one") {
		t.Errorf("before they are fetched it says %v", err)
	}
	if _, err := hub.FromEnv().Pull(t.Context(), o.Text, func(hub.Progress) {}); err != nil {
		t.Fatal(err)
	}
	checkpoints := hub.FromEnv().Checkpoints
	if err := os.MkdirAll(checkpoints, 0o777); err != nil {
		t.Fatal(err)
	}
	copyTo(t, filepath.Join(checkpoints, "resnet18-f37072fd.pth"), shared.Path(t, "fixtures", "resnet18_width16", "model.pth"))
	r, err := Init(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Vision.Loaded) != 100 || len(r.Text.Loaded) != 53 || r.Text.Source != o.Text {
		t.Errorf("the image tower %+v, the text tower %+v", r.Vision, r.Text)
	}
	m, err := checkpoint.OpenModel(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	words := shared.Path(t, "fixtures", "roberta_tiny_synthetic", "model.safetensors")
	visual := shared.Path(t, "fixtures", "resnet18_width16", "model.safetensors")
	compareJoined(t, m, map[string]*checkpoint.File{"visual.": openWeights(t, visual), "text.roberta.": openWeights(t, words)}, 5)
}
