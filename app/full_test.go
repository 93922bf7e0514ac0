//go:build !js

package app

import (
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/config"
	"duet/model/data"
	"duet/model/fullsize"
	"duet/model/shared"
	"duet/model/text"
)

// fullOnly skips tests of full size, which write gigabytes and take minutes.
func fullOnly(t testing.TB) {
	t.Helper()
	if os.Getenv("DUET_FULL") != "1" {
		t.Skip("of full size; make full runs it")
	}
}

// fullModel joins towers of full size with a head of random weights, as duet
// init does. The folder is $DUET_KEEP where that is set.
func fullModel(t testing.TB) (path string) {
	t.Helper()
	vision, words := fullsize.Towers(t, 1)
	c, err := config.Named("seed")
	if err != nil {
		t.Fatal(err)
	}
	c.SetLabels([]string{"animal", "food", "room", "vehicle", "other"})
	m, err := define(gpu.NewReference(), c, "a model of full size")
	if err == nil {
		m.Tokenizer, err = text.Load(os.DirFS(words))
	}
	if err == nil {
		err = m.place()
	}
	if err == nil {
		err = m.Memory.Initialize(1)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	for _, tower := range []struct{ file, ours, theirs string }{
		{vision, "visual.", ""}, {filepath.Join(words, "model.safetensors"), "text.", "roberta."},
	} {
		report, err := m.Memory.Load(openWeights(t, tower.file), func(name string) string {
			if rest, ok := strings.CutPrefix(name, tower.ours); ok {
				return tower.theirs + rest
			}
			return "not " + name
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range report.Missing {
			if strings.HasPrefix(name, tower.ours) {
				t.Fatalf("the tower lacks %s", name)
			}
		}
	}
	path = cmp.Or(os.Getenv("DUET_KEEP"), filepath.Join(t.TempDir(), "full"))
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// photos are the reference photographs with their captions, as m takes them.
func photos(t testing.TB, m *Model) (out []example) {
	t.Helper()
	dir := shared.Path(t, "data", "photos")
	f, err := os.Open(filepath.Join(dir, "photos.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := csv.NewReader(f)
	table.Comma, table.LazyQuotes = '\t', true
	rows, err := table.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		picture, err := data.DecodeFile(filepath.Join(dir, row[0]), 0)
		if err != nil {
			t.Fatal(err)
		}
		x := example{make([]float32, m.Config.Image.Len()), strings.TrimSpace(row[2])}
		if err := m.Config.Image.Tensor(picture, x.pixels); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// TestFullExport runs exports of ResNet-18 at 224 px with RoBERTa-base in ONNX
// Runtime and in PyTorch on photographs with captions.
func TestFullExport(t *testing.T) {
	fullOnly(t)
	device := gputest.OpenDefault(t)
	e := export(t, device, fullModel(t))
	examples := photos(t, e.model)
	if len(examples) < 8 {
		t.Fatalf("%d photographs", len(examples))
	}
	t.Logf("%d parameters, %d photographs", e.parameters, len(examples))
	t.Run("ONNX Runtime", func(t *testing.T) { e.runtime(t, examples) })
	t.Run("PyTorch", func(t *testing.T) { e.torch(t, examples) })
}
