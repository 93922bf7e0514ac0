//go:build !js

package local

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"duet/app/ui"
	"duet/assets"
	"duet/gpu/gputest"
	"duet/model/config"
	"duet/model/hub"
	"duet/model/hub/hubtest"
	"duet/model/shared"
	"duet/model/text"
	"duet/model/train"
)

// TestTowers fetches a tower from a hub on loopback, in two goes, and removes it.
func TestTowers(t *testing.T) {
	const name = "distilbert/distilroberta-base"
	s := hubtest.New(t)
	weights := make([]byte, 600_000)
	s.Add(name, hubtest.Commit("1"), map[string][]byte{"config.json": []byte("{}"), "model.safetensors": weights})
	home := t.TempDir()
	s.Use(t, home)
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

// TestTrainFromTowers trains from two towers that are here, and from one, by
// their names.
func TestTrainFromTowers(t *testing.T) {
	gputest.Open(t)
	fixture := func(parts ...string) []byte {
		t.Helper()
		content, err := os.ReadFile(shared.Path(t, append([]string{"fixtures"}, parts...)...))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	root := t.TempDir()
	s := hubtest.New(t)
	s.Use(t, root)
	// Small towers in the places of large ones.
	const vision, words = "torchvision/resnet18", "distilbert/distilroberta-base"
	files := map[string][]byte{}
	for _, name := range []string{"config.json", "model.safetensors"} {
		files[name] = fixture("roberta_tiny_synthetic", name)
	}
	tokenizer, err := text.Train(t.Context(), slices.Values([]string{"is there a red square in the picture?", "yes it is"}), 300)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(files, tokenizer.Files())
	s.Add(words, hubtest.Commit("1"), files)
	e := NewEngine(Folders{Models: filepath.Join(root, "models")})
	defer e.Close()
	if err := e.Pull(t.Context(), words, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	checkpoints := hub.FromEnv().Checkpoints
	if err := os.MkdirAll(checkpoints, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(checkpoints, "resnet18-f37072fd.pth"), fixture("resnet18_width16", "model.pth"), 0o666); err != nil {
		t.Fatal(err)
	}
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 40, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	source := ui.Source{Name: "shapes", Path: collection}
	if _, err := e.Understand(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		inputs string
		base   ui.Base
	}{
		{"both", ui.Base{Vision: vision, Text: words}},
		{"image", ui.Base{Vision: vision}},
		{"text", ui.Base{Text: words}},
	} {
		how := ui.Setup{Preset: ui.Quick, Inputs: test.inputs, Name: "from " + test.inputs, Base: test.base}
		estimate, err := e.Estimate(t.Context(), source, how)
		if err != nil {
			t.Fatal(err)
		}
		result, err := e.Train(t.Context(), source, how, func(train.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		if estimate.Bytes == 0 || result.Evaluation.N == 0 {
			t.Errorf("%s: estimated %+v, came to %+v", test.inputs, estimate, result)
		}
		m, err := e.store.open(result.Model)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Read(m, "config.json")
		if m.Close(); err != nil {
			t.Fatal(err)
		}
		labels, _ := c.Labels()
		if (c.Vision != nil) != (test.base.Vision != "") || (c.Text != nil) != (test.base.Text != "") || !slices.Equal(labels, []string{"cool", "neutral", "none", "warm"}) {
			t.Errorf("%s: a model of %+v, %+v and %q", test.inputs, c.Vision, c.Text, labels)
		}
	}
	if list, err := e.Models(t.Context()); err != nil || len(list) != 4 {
		t.Errorf("%d models: %v", len(list), err)
	}
}
