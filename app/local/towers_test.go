//go:build !js

package local

import (
	"os"
	"path/filepath"
	"testing"

	"duet/app/ui"
	"duet/model/hub/hubtest"
)

// TestTowers fetches a tower from a hub on loopback, in two goes, and removes it.
func TestTowers(t *testing.T) {
	const name = "distilbert/distilroberta-base"
	s := hubtest.New(t)
	weights := make([]byte, 600_000)
	s.Add(name, hubtest.Commit("1"), map[string][]byte{"config.json": []byte("{}"), "model.safetensors": weights})
	home := t.TempDir()
	for key, value := range map[string]string{"HF_ENDPOINT": s.URL, "HF_HOME": home, "TORCH_HOME": filepath.Join(home, "torch"),
		"HF_HUB_CACHE": "", "HF_TOKEN": "", "HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": ""} {
		t.Setenv(key, value)
	}
	e := NewEngine(Folders{})
	look := func() *ui.Tower {
		t.Helper()
		list, err := e.Towers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tower := (&ui.Models{Towers: list}).Tower(name)
		if tower == nil || tower.Kind != "text" || tower.Licence != "Apache-2.0" || tower.Bytes == 0 || tower.Lacks != "" {
			t.Fatalf("%+v", tower)
		}
		return tower
	}
	if x := look(); x.Here || x.Partial != 0 {
		t.Errorf("at first %+v", x)
	}
	half := filepath.Join(home, "hub", "models--distilbert--distilroberta-base", "blobs", hubtest.ETag("model.safetensors", weights)+".incomplete")
	os.MkdirAll(filepath.Dir(half), 0o777)
	if err := os.WriteFile(half, weights[:1234], 0o666); err != nil {
		t.Fatal(err)
	}
	if x := look(); x.Here || x.Partial != 1234 {
		t.Errorf("half of it is %+v", x)
	}
	var done, total int64
	if err := e.Pull(t.Context(), name, func(d, all int64) { done, total = d, all }); err != nil {
		t.Fatal(err)
	}
	if done != total || total != 600_002 {
		t.Errorf("told %d of %d at last", done, total)
	}
	if x := look(); !x.Here || x.Partial != 0 {
		t.Errorf("after fetching %+v", x)
	}
	if err := e.RemoveTower(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if x := look(); x.Here {
		t.Error("it is here after it was removed")
	}
}
