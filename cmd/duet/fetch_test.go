// The desktop of the journeys is X11's.
//go:build linux && !js

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"duet/app/view"
	"duet/model/hub"
	"duet/model/hub/hubtest"
)

// TestWindowFetches fetches a tower in the window, one that comes damaged, and
// one that is stopped and gone on with.
func TestWindowFetches(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a window")
	}
	const good, damaged = "distilbert/distilroberta-base", "FacebookAI/roberta-base"
	s := hubtest.New(t)
	s.Add(good, hubtest.Commit("1"), map[string][]byte{"config.json": []byte("{}"), "model.safetensors": make([]byte, 3<<20)})
	s.Add(damaged, hubtest.Commit("2"), map[string][]byte{"config.json": []byte("{}"), "model.safetensors": make([]byte, 1<<20)})
	s.Use(t, t.TempDir())
	u := newDesktop(t).open()
	u.find(view.Text, "with the same answers")
	u.click(view.Button, "Close") // that it is slow in software
	u.click(view.Radio, "Models")
	s.Set(func(f *hubtest.Faults) { f.Pace = 100 * time.Millisecond })
	u.click(view.Button, "Fetch "+good)
	u.click(view.Button, "Stop "+good)
	u.find(view.Button, "Go on "+good)
	if _, ok := hub.Find(good); ok {
		t.Error("half of it counts")
	}
	u.step("stopped")
	s.Set(func(f *hubtest.Faults) { f.Pace = 0 })
	u.click(view.Button, "Go on "+good)
	u.told(good + ": It is here.")
	path, ok := hub.Find(good)
	if info, err := os.Stat(filepath.Join(path, "model.safetensors")); !ok || err != nil || info.Size() != 3<<20 {
		t.Errorf("it is in %q, %v: %v", path, ok, err)
	}
	u.step("fetched")
	s.Set(func(f *hubtest.Faults) { f.Corrupt = true })
	u.click(view.Button, "Fetch "+damaged)
	u.told(damaged + ": What came was damaged")
	if _, ok := hub.Find(damaged); ok {
		t.Error("what is damaged counts")
	}
	u.step("refused")
	u.click(view.Button, "Remove "+good)
	u.find(view.Button, "Fetch "+good)
	if _, ok := hub.Find(good); ok {
		t.Error("it is there after it was removed")
	}
}
