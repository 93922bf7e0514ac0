// The desktop of the journeys is X11's.
//go:build linux && !js

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	// press clicks a button until something comes of it: what is above it may grow
	// or shrink while it is looked for.
	press := func(button string, came func(view.Mirror) bool) {
		t.Helper()
		for range 5 {
			u.click(view.Button, button)
			for range 100 {
				if came(u.shown()) {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		t.Fatalf("nothing comes of %q: %+v", button, u.shown())
	}
	there := func(button string) func(view.Mirror) bool {
		return func(m view.Mirror) bool {
			return slices.ContainsFunc(m.Nodes, func(n view.Node) bool { return n.Role == view.Button && n.Name == button })
		}
	}
	told := func(text string) func(view.Mirror) bool {
		return func(m view.Mirror) bool { return strings.Contains(m.Status, text) }
	}
	s.Set(func(f *hubtest.Faults) { f.Pace = time.Second })
	press("Fetch "+good, there("Stop "+good))
	u.find(view.Text, "of 3 MB") // something has come
	press("Stop "+good, there("Go on "+good))
	if _, ok := hub.Find(good); ok {
		t.Error("half of it counts")
	}
	u.step("stopped")
	s.Set(func(f *hubtest.Faults) { f.Pace = 0 })
	press("Go on "+good, told(good+": It is here."))
	path, ok := hub.Find(good)
	if info, err := os.Stat(filepath.Join(path, "model.safetensors")); !ok || err != nil || info.Size() != 3<<20 {
		t.Errorf("it is in %q, %v: %v", path, ok, err)
	}
	u.step("fetched")
	s.Set(func(f *hubtest.Faults) { f.Corrupt = true })
	press("Fetch "+damaged, told(damaged+": What came was damaged"))
	if _, ok := hub.Find(damaged); ok {
		t.Error("what is damaged counts")
	}
	u.step("refused")
	press("Remove "+good, there("Fetch "+good))
	if _, ok := hub.Find(good); ok {
		t.Error("it is there after it was removed")
	}
}
