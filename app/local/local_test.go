//go:build !js

package local

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/app"
	"duet/app/ui"
	"duet/assets"
	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/checkpoint"
	"duet/model/report"
	"duet/model/train"
)

// TestEngine is the life of a model: a collection is understood, estimated and
// trained on, the model used, renamed, exported, removed, brought back and
// imported again.
func TestEngine(t *testing.T) {
	gputest.Open(t) // skips where there is no adapter
	root := t.TempDir()
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 240, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	e := NewEngine(Folders{Models: filepath.Join(root, "models"), Downloads: filepath.Join(root, "downloads")})
	defer e.Close()
	ctx := t.Context()
	info, err := e.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if info.ModelID != "default" || info.Adapter == "" || len(info.Model.Classes) < 100 {
		t.Errorf("%+v", info)
	}
	source := ui.Source{Name: "shapes", Path: collection}
	report, err := e.Understand(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	if report.Examples != 240 || len(report.Classes) != 4 {
		t.Errorf("%+v", report)
	}
	var estimates []app.Estimate
	for preset := range ui.Presets {
		estimate, err := e.Estimate(ctx, source, ui.Setup{Preset: preset, Inputs: "both"})
		if err != nil {
			t.Fatal(err)
		}
		estimates = append(estimates, estimate)
	}
	if !(0 < estimates[0].Bytes && estimates[0].Bytes < estimates[1].Bytes && estimates[1].Bytes < estimates[2].Bytes) {
		t.Errorf("estimates %+v: more should take more", estimates)
	}

	how := ui.Setup{Preset: ui.Quick, Inputs: "both", Name: "My shapes!"}
	before := e.device.Allocated().Total()
	most, steps := int64(0), 0
	result, err := e.Train(ctx, source, how, func(x train.Event) {
		most = max(most, e.device.Allocated().Total()-before)
		if x.Event == "step" {
			steps = x.Step
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("estimated %d bytes, held %d; %d steps", estimates[0].Bytes, most, steps)
	if most > estimates[0].Bytes || most < estimates[0].Bytes/4 || steps != estimates[0].Steps {
		t.Errorf("the training held %d bytes and took %d steps; estimated were %+v", most, steps, estimates[0])
	}
	if result.Model != "my-shapes" || result.Stopped || result.Evaluation.N != len(held(result)) {
		t.Errorf("%+v, %d held-back pictures", result, len(held(result)))
	}
	for _, h := range held(result) {
		if _, err := os.Stat(h.File.Path); err != nil || h.Caption == "" {
			t.Errorf("%+v: %v", h, err)
		}
	}

	info, err = e.Load(ctx, result.Model)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(info.Model.Classes, []string{"cool", "neutral", "none", "warm"}) {
		t.Errorf("%+v", info)
	}
	x := held(result)[0]
	answer, err := e.Classify(ctx, x.File, x.Caption)
	if err != nil || len(answer.Top) != 4 {
		t.Errorf("%+v %v", answer, err)
	}
	if err := e.Rename(ctx, result.Model, "shapes, warm and cool"); err != nil {
		t.Fatal(err)
	}
	where, err := e.Export(ctx, result.Model, ui.FormatONNX)
	if info, failed := os.Stat(where); err != nil || failed != nil || filepath.Ext(where) != ".onnx" || info.Size() < 10_000 {
		t.Fatal(where, err, failed)
	}
	if where, err = e.Export(ctx, result.Model, ""); err != nil || filepath.Base(where) != "duet-shapes--warm-and-cool.zip" {
		t.Fatal(where, err)
	}
	id, err := e.Import(ctx, ui.File{Name: filepath.Base(where), Path: where})
	if err != nil {
		t.Fatal(err)
	}
	models := func() (out []string) {
		list, err := e.Models(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			out = append(out, m.ID+"="+m.Name)
		}
		slices.Sort(out)
		return out
	}
	want := []string{"default=default", id + "=" + strings.TrimSuffix(filepath.Base(where), ".zip"), "my-shapes=shapes, warm and cool"}
	slices.Sort(want)
	if got := models(); !slices.Equal(got, want) {
		t.Errorf("models %q, want %q", got, want)
	}
	if err := e.Trash(ctx, id); err != nil {
		t.Fatal(err)
	}
	if got := models(); len(got) != 2 {
		t.Errorf("models %q", got)
	}
	if err := e.Restore(ctx, id); err != nil {
		t.Fatal(err)
	}
	if got := models(); !slices.Equal(got, want) {
		t.Errorf("models %q, want %q", got, want)
	}
	if _, err := e.Load(ctx, "absent"); err == nil {
		t.Error("a model that is not there was loaded")
	}
	if answer, err = e.Classify(ctx, x.File, x.Caption); err != nil || len(answer.Top) != 4 {
		t.Errorf("after a failed load: %+v %v", answer, err)
	}
}

// held lists the pictures of all cells.
func held(r *ui.Result) (all []ui.Held) {
	for _, row := range r.Cells {
		all = append(all, slices.Concat(row...)...)
	}
	return all
}

// TestStopKeeps stops a training in its first epoch: what it has learnt is kept.
func TestStopKeeps(t *testing.T) {
	gputest.Open(t)
	root := t.TempDir()
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 2000, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	e := NewEngine(Folders{Models: filepath.Join(root, "models"), Downloads: filepath.Join(root, "downloads")})
	defer e.Close()
	if _, err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	result, err := e.Train(ctx, ui.Source{Name: "shapes", Path: collection}, ui.Setup{Preset: ui.Thorough, Inputs: "both", Name: "m"}, func(x train.Event) {
		if x.Event == "step" {
			stop(ui.ErrStopped)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !result.Stopped || result.Evaluation.N == 0 {
		t.Errorf("%+v", result)
	}
	if _, err := e.Load(t.Context(), result.Model); err != nil {
		t.Error(err)
	}
}

// TestContinue ends the program, as it were, in a training: the next one goes on
// with it and comes to the undisturbed one's losses, to the bit.
func TestContinue(t *testing.T) {
	gputest.Open(t)
	root := t.TempDir()
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 200, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	source, how := ui.Source{Name: "shapes", Path: collection}, ui.Setup{Preset: ui.Balanced, Inputs: "both", Name: "m"}
	start := func(models string) *Engine {
		e := NewEngine(Folders{Models: filepath.Join(root, models)})
		if _, err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	record := func(losses map[int]float32, then func(step int)) func(train.Event) {
		return func(x train.Event) {
			if x.Event == "step" {
				losses[x.Step] = x.Loss
				then(x.Step)
			}
		}
	}
	undisturbed := start("a")
	defer undisturbed.Close()
	want := map[int]float32{}
	if _, err := undisturbed.Train(t.Context(), source, how, record(want, func(int) {})); err != nil {
		t.Fatal(err)
	}

	first := start("b")
	ctx, quit := context.WithCancel(t.Context())
	got := map[int]float32{}
	_, err := first.Train(ctx, source, how, record(got, func(step int) {
		if step >= 12 {
			quit()
		}
	}))
	first.Close()
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("the end of the program: %v", err)
	}
	second := start("b")
	defer second.Close()
	if list, err := second.Models(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("an unfinished model is listed: %+v %v", list, err)
	}
	jobs, err := second.Unfinished(t.Context())
	if err != nil || len(jobs) != 1 || jobs[0].Step < 12 || jobs[0].Setup != how {
		t.Fatalf("%+v %v", jobs, err)
	}
	result, err := second.Continue(t.Context(), jobs[0].ID, record(got, func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if result.Stopped || !maps.Equal(got, want) {
		t.Errorf("%d losses, undisturbed %d, or not the same", len(got), len(want))
	}
	if jobs, err := second.Unfinished(t.Context()); err != nil || len(jobs) > 0 {
		t.Errorf("%+v %v", jobs, err)
	}
	if list, err := second.Models(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
}

// TestInterruptedEarly ends the program, and the training, while the towers look
// at the pictures, before the first step.
func TestInterruptedEarly(t *testing.T) {
	gputest.Open(t)
	root := t.TempDir()
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 200, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	e := NewEngine(Folders{Models: filepath.Join(root, "models")})
	defer e.Close()
	if _, err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	source, how := ui.Source{Name: "shapes", Path: collection}, ui.Setup{Preset: ui.Quick, Inputs: "both", Name: "m"}
	interrupt := func(cause error) []ui.Job {
		ctx, end := context.WithCancelCause(t.Context())
		defer end(nil)
		_, err := e.Train(ctx, source, how, func(x train.Event) {
			if x.Event == "features" {
				end(cause)
			}
		})
		if !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("%v: %v", cause, err)
		}
		jobs, err := e.Unfinished(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	if jobs := interrupt(ui.ErrStopped); len(jobs) > 0 {
		t.Errorf("stopped before anything was learnt, and kept: %+v", jobs)
	}
	jobs := interrupt(errors.New("the program ends"))
	if len(jobs) != 1 || jobs[0].Step != 0 {
		t.Fatalf("%+v", jobs)
	}
	result, err := e.Continue(t.Context(), jobs[0].ID, func(train.Event) {})
	if err != nil || result.Evaluation.N == 0 {
		t.Errorf("%+v %v", result, err)
	}
}

// TestStoreIDs gives ids for odd names and keeps those that may come back.
func TestStoreIDs(t *testing.T) {
	s := Store{t.TempDir()}
	for name, want := range map[string]string{"Shapes & Co": "shapes---co", "../../etc/passwd": "etc-passwd", "???": "model", "default": "default-2", "used": "used-2", "图片": "图片"} {
		if id, err := s.free(name); err != nil || id != want {
			t.Errorf("%q gets %q, %v; want %q", name, id, err, want)
		}
	}
	if id, err := s.free(strings.Repeat("图", 300)); err != nil || len(id) > ui.MaxPlainName {
		t.Errorf("%d bytes, %v", len(id), err)
	}
	if err := os.Mkdir(s.path("a"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := s.name("a", "A!"); err != nil {
		t.Fatal(err)
	}
	if err := s.trash("a"); err != nil {
		t.Fatal(err)
	}
	if id, err := s.free("a"); err != nil || id != "a-2" {
		t.Errorf("%q %v", id, err)
	}
	if err := s.restore("a"); err != nil {
		t.Fatal(err)
	}
	if name, err := os.ReadFile(s.path("a" + nameSuffix)); err != nil || string(name) != "A!" {
		t.Errorf("%q %v", name, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sample, err := assets.Draw("rule", 1, 0, 32)
	if err != nil {
		t.Fatal(err)
	}
	var picture strings.Builder
	if err := png.Encode(&picture, sample.Image); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "sub/b.png", ".hidden.png"} {
		write(name, []byte(picture.String()))
	}
	write("a.txt", []byte("  what is\n this? \xff"))
	write("notes.md", []byte("not a picture"))
	read, err := Host{}.Read(t.Context(), []ui.File{{Path: dir}})
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Items) != 2 || read.Skipped != 1 || read.Model != nil {
		t.Fatalf("%+v", read)
	}
	a, b := read.Items[0], read.Items[1]
	if a.File.Name != "a.png" || a.Caption != "what is this? �" || a.From != ui.Sidecar || b.File.Name != "b.png" || b.Caption != "" {
		t.Errorf("%+v, %+v", a, b)
	}
	if m, err := Thumbnail(a.File, 16); err != nil || m.Bounds().Dx() != 16 {
		t.Errorf("%v %v", m, err)
	}
	h := Host{Folders{Settings: filepath.Join(dir, "settings"), Downloads: filepath.Join(dir, "saved")}}
	if p := h.Prefs(); p != (ui.Prefs{}) {
		t.Errorf("settings from nowhere: %+v", p)
	}
	prefs := ui.Prefs{Language: "zh", Theme: "dark", Width: 800, Height: 600}
	if err := h.KeepPrefs(prefs); err != nil || h.Prefs() != prefs {
		t.Errorf("%v, %+v", err, h.Prefs())
	}
	for _, want := range []string{"x.csv", "x-2.csv"} {
		if where, err := h.Save(t.Context(), "x.csv", []byte("1")); err != nil || filepath.Base(where) != want {
			t.Errorf("%s %v, want %s", where, err, want)
		}
	}
	zip := write("m.zip", []byte("PK\x03\x04"))
	if read, err = (Host{}).Read(t.Context(), []ui.File{{Path: zip}}); err != nil || read.Model == nil {
		t.Errorf("%+v %v", read, err)
	}
	absent := ui.File{Path: filepath.Join(dir, "absent")}
	if _, err := (Host{}).Read(t.Context(), []ui.File{absent}); err == nil || !strings.HasPrefix(err.Error(), "there is no file or folder ") {
		t.Error("what is not there was read")
	}
	// One bad entry does not spoil the rest, and a zip in a folder is no model.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	read, err = Host{}.Read(t.Context(), []ui.File{absent, {Path: link}})
	if err != nil || len(read.Items) != 2 || read.Model != nil || read.Skipped < 3 {
		t.Errorf("%+v %v", read, err)
	}
}

// TestTwoWindows has two engines on one store: what one trains the other neither
// offers nor goes on with, and what one has taken away it can bring back though
// the other has started since.
func TestTwoWindows(t *testing.T) {
	gputest.Open(t)
	root := t.TempDir()
	collection := filepath.Join(root, "shapes")
	if _, err := assets.WriteCollection(t.Context(), collection, "rule", 120, 1, assets.DefaultSize); err != nil {
		t.Fatal(err)
	}
	folders := Folders{Models: filepath.Join(root, "models"), Downloads: filepath.Join(root, "downloads")}
	start := func() *Engine {
		e := NewEngine(folders)
		if _, err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	one := start()
	defer one.Close()
	if err := os.MkdirAll(filepath.Join(folders.Models, "old"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := one.Trash(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	other := start()
	defer other.Close()
	if err := one.Restore(t.Context(), "old"); err != nil {
		t.Errorf("after another window has started: %v", err)
	}
	looked := false
	_, err := one.Train(t.Context(), ui.Source{Name: "shapes", Path: collection}, ui.Setup{Preset: ui.Quick, Inputs: "both", Name: "shared"}, func(e train.Event) {
		if e.Event != "step" || looked {
			return
		}
		looked = true
		if jobs, err := other.Unfinished(t.Context()); err != nil || len(jobs) > 0 {
			t.Errorf("the other window offers %+v, %v", jobs, err)
		}
		if _, err := other.Continue(t.Context(), "shared", func(train.Event) {}); err == nil || !strings.Contains(err.Error(), "another window") {
			t.Errorf("the other window goes on: %v", err)
		}
	})
	if err != nil || !looked {
		t.Errorf("%v, looked %v", err, looked)
	}
}

// TestReasons has the common failures come with reasons that windows have words
// for.
func TestReasons(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	write("broken/a/1.png", "x")
	write("broken/b/1.png", "y")
	e := NewEngine(Folders{Models: filepath.Join(dir, "models")})
	defer e.Close()
	understand := func(name string) error {
		_, err := e.Understand(t.Context(), ui.Source{Name: name, Path: filepath.Join(dir, name)})
		return err
	}
	classify := func(name string) error {
		_, err := e.Classify(t.Context(), ui.File{Name: name, Path: filepath.Join(dir, name)}, "")
		return err
	}
	_, noModel := e.Import(t.Context(), ui.File{Name: "m.zip", Path: write("m.zip", "PK")})
	_, read := Host{}.Read(t.Context(), []ui.File{{Name: "absent", Path: filepath.Join(dir, "absent")}})
	write("t.csv", "size,weight\n1,2\n")
	write("phone.heic", "\x00\x00\x00\x18ftypheic0000")
	write("page.png", "<!doctype html>")
	write("large.bmp", largeBMP)
	write("notes/todo.txt", "x")
	write("tables/x.csv", "text,label\nmiaow,cat\n")
	write("tables/y.csv", "text,label\nwoof,dog\n")
	write("few/a/1.png", picture.String())
	write("few/b/1.png", picture.String()+"x")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	write("bert/config.json", `{"architectures": ["BertModel"], "hidden_size": 768}`)
	load := func(name string) error {
		files, err := checkpoint.OpenModel(filepath.Join(dir, name))
		if err == nil {
			defer files.Close()
			_, err = app.Load(gpu.NewReference(), files)
		}
		return err
	}
	hold := func(name string) error {
		c, err := e.collection(t.Context(), ui.Source{Path: filepath.Join(dir, name)})
		if err == nil {
			_, err = c.HoldOut(t.Context(), 1, 0)
		}
		return err
	}
	_, empty := Host{}.Read(t.Context(), []ui.File{{Name: "empty", Path: filepath.Join(dir, "empty")}})
	tests := []struct {
		name  string
		err   error
		want  report.Reason
		names []string
	}{
		{"no row", understand("broken"), report.NoRows, nil},
		{"no collection", understand("absent"), report.NotFound, []string{filepath.Join(dir, "absent")}},
		{"a table of something else", understand("t.csv"), report.BadTable, []string{"t.csv"}},
		{"a broken picture", classify("broken/a/1.png"), report.BadPicture, []string{"1.png"}},
		{"no picture", classify("absent.png"), report.NotFound, []string{filepath.Join(dir, "absent.png")}},
		{"a phone's picture", classify("phone.heic"), report.ForeignPicture, []string{"phone.heic"}},
		{"a page instead of a picture", classify("page.png"), report.BadPicture, []string{"page.png"}},
		{"a huge picture", classify("large.bmp"), report.LargePicture, []string{"large.bmp"}},
		{"a folder of something else", understand("notes"), report.NoCollection, nil},
		{"a folder of nothing", understand("empty"), report.NoCollection, nil},
		{"one picture", understand("few/a/1.png"), report.NoCollection, nil},
		{"a zip", understand("m.zip"), report.NoCollection, nil},
		{"two tables", understand("tables"), report.ManyTables, nil},
		{"a picture a class", hold("few"), report.FewPictures, nil},
		{"an empty folder dropped", empty, report.EmptyFolder, []string{"empty"}},
		{"a model of another program", load("bert"), report.BadModel, []string{"bert"}},
		{"no model", noModel, report.BadModel, []string{"m.zip"}},
		{"nothing dropped", read, report.NotFound, []string{filepath.Join(dir, "absent")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := report.FaultOf(test.err); got.Reason != test.want || !slices.Equal(got.Names, test.names) {
				t.Errorf("%v has the reason %q, %q", test.err, got.Reason, got.Names)
			}
		})
	}
}

// largeBMP announces more pixels than are read.
const largeBMP = "BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" +
	"\x00\x00\x01\x00\x00\x00\x01\x00\x01\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
