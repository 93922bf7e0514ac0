//go:build !js

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"duet/assets/known"
	"duet/model/hub"
	"duet/model/hub/hubtest"
)

// TestPull fetches from a hub on loopback into the cache that HF_HOME names, and
// then finds it there without a socket.
func TestPull(t *testing.T) {
	s := hubtest.New(t)
	home := t.TempDir()
	s.Use(t, home)
	commit := hubtest.Commit("1")
	s.Add("some/tower", commit, map[string][]byte{"config.json": []byte("{}"), "model.safetensors": make([]byte, 2_000_000)})
	out, _ := command(t, 0, "pull", "some/tower", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last struct {
		Event, Path, Commit string
		Bytes, Of, Fetched  int64
		Files               []string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(home, "hub", "models--some--tower", "snapshots", commit)
	if last.Event != "done" || last.Path != want || last.Commit != commit || last.Bytes != 2_000_002 || last.Fetched != last.Bytes || len(last.Files) != 2 {
		t.Errorf("the last line is %+v", last)
	}
	if len(lines) < 2 || !strings.Contains(lines[0], `"event":"progress"`) {
		t.Errorf("no progress: %q", out)
	}
	if path, ok := hub.Find("some/tower"); !ok || path != want {
		t.Errorf("found %q, %v", path, ok)
	}

	t.Setenv("HF_HUB_OFFLINE", "1")
	before := s.Connections.Load()
	if out, _ := command(t, 0, "pull", "some/tower"); !strings.Contains(out, "was here already") || !strings.Contains(out, want) {
		t.Errorf("offline it prints %q", out)
	}
	if _, errs := command(t, 1, "pull", "some/other"); !strings.Contains(errs, "HF_HUB_OFFLINE") {
		t.Errorf("offline it says %q", errs)
	}
	if got := s.Connections.Load() - before; got != 0 {
		t.Errorf("%d connections were opened offline", got)
	}
	if out, _ := command(t, 0, "pull"); strings.Count(out, "\n") != len(known.Models()) || !strings.Contains(out, "not supported yet") {
		t.Errorf("the known models are %q", out)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	s.Set(func(f *hubtest.Faults) { f.Corrupt = true })
	s.Add("some/tower", hubtest.Commit("2"), map[string][]byte{"config.json": []byte("{}"), "model.safetensors": []byte("the second")})
	if _, errs := command(t, 1, "pull", "some/tower"); !strings.Contains(errs, "not kept") {
		t.Errorf("of a changed file it says %q", errs)
	}
	if path, ok := hub.Find("some/tower"); !ok || path != want {
		t.Errorf("after a failure the one before is not found: %q, %v", path, ok)
	}
}
