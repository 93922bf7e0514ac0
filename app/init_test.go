//go:build !js

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/fullsize"
	"duet/model/report"
	"duet/model/shared"
	"duet/model/text"
	"duet/model/train"
)

// textTower is a folder of the fixtures' small RoBERTa, with the weights of that
// name and a tokenizer that has no more tokens than it.
func textTower(t testing.TB, weights string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "roberta-tiny")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	fixture := shared.Path(t, "fixtures", "roberta_tiny_synthetic")
	for _, name := range []string{"config.json", weights} {
		copyTo(t, filepath.Join(dir, name), filepath.Join(fixture, name))
	}
	tokenizer, err := text.Train(t.Context(), slices.Values([]string{"what is the shape of the thing?", "is there a red square in the picture?", "yes it is"}), 300)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range tokenizer.Files() {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func copyTo(t testing.TB, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func values(t testing.TB, f *checkpoint.File, name string) []float32 {
	t.Helper()
	x, err := f.Float32(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestInit joins two towers from every container and compares the model's
// tensors with the files' and with the seed's.
func TestInit(t *testing.T) {
	visual := shared.Path(t, "fixtures", "resnet18_width16", "model.safetensors")
	words := shared.Path(t, "fixtures", "roberta_tiny_synthetic", "model.safetensors")
	for _, test := range []struct{ vision, text, out string }{
		{"model.safetensors", "model.safetensors", "joined"},
		{"model.pth", "pytorch_model.bin", "joined"},
		{"model_legacy.pth", "pytorch_model.bin", "joined.zip"},
	} {
		t.Run(test.vision, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), test.out)
			r, err := Init(t.Context(), InitOptions{
				Vision: shared.Path(t, "fixtures", "resnet18_width16", test.vision), Text: textTower(t, test.text),
				Classes: []string{"yes", "no", "perhaps"}, Seed: 5, Out: out,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Vision.Loaded) != 100 || !slices.Equal(slices.Sorted(slices.Values(r.Vision.Ignored)), []string{"fc.bias", "fc.weight"}) || len(r.Vision.Initialised) > 0 {
				t.Errorf("the image tower: %+v", r.Vision)
			}
			if len(r.Text.Loaded) != 53 || len(r.Text.Ignored) != 5 || len(r.Text.Initialised) > 0 || len(r.Head) != 8 {
				t.Errorf("the text tower: %+v; the head %v", r.Text, r.Head)
			}
			files, err := checkpoint.OpenModel(out)
			if err != nil {
				t.Fatal(err)
			}
			defer files.Close()
			compareJoined(t, files, map[string]*checkpoint.File{"visual.": openWeights(t, visual), "text.roberta.": openWeights(t, words)}, 5)
			classifies(t, files)
			if f := Check(t.Context(), out, "", "", data.Options{}); f.Verdict != data.Accept {
				t.Error(f.Reason)
			}
		})
	}
}

// compareJoined compares a model's tensors with those of the towers, named by
// the prefix in the model and, after it, that in the file; others with the
// starting values of a seed.
func compareJoined(t *testing.T, files *checkpoint.Model, towers map[string]*checkpoint.File, seed uint64) {
	t.Helper()
	c, err := config.Read(files, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.NewVLM(c.Shape())
	if err != nil {
		t.Fatal(err)
	}
	weights, err := files.Weights()
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	if len(weights.Names()) != len(m.Params.All()) {
		t.Errorf("%d tensors, want %d", len(weights.Names()), len(m.Params.All()))
	}
	fresh := 0
	for _, p := range m.Params.All() {
		got, want := values(t, weights, p.Name), []float32(nil)
		for prefix, f := range towers {
			in, below, _ := strings.Cut(prefix, ".")
			if rest, ok := strings.CutPrefix(p.Name, in+"."); ok {
				want = values(t, f, below+rest)
			}
		}
		if want == nil {
			want, fresh = p.Initial(seed), fresh+1
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has other values", p.Name)
		}
	}
	if fresh != 8 {
		t.Errorf("%d tensors are new", fresh)
	}
}

// classifies puts a model on the device and asks it about a picture.
func classifies(t *testing.T, files *checkpoint.Model) {
	t.Helper()
	m, err := Load(gputest.Open(t), files)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	picture := image.NewRGBA(image.Rect(0, 0, 300, 240))
	for y := range 240 {
		for x := range 300 {
			picture.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, picture); err != nil {
		t.Fatal(err)
	}
	decoded, err := data.Decode(bytes.NewReader(encoded.Bytes()), int64(encoded.Len()), 0)
	if err != nil {
		t.Fatal(err)
	}
	classifier := NewClassifier(m)
	defer classifier.Release()
	answer, err := classifier.Classify(t.Context(), "a picture", decoded, "is it red?", 99)
	if err != nil {
		t.Fatal(err)
	}
	sum := float32(0)
	for _, s := range answer.Top {
		sum += s.P
	}
	if len(answer.Top) != len(m.Labels) || !(sum > 0.999 && sum < 1.001) {
		t.Errorf("the answer is %+v", answer)
	}
}

// TestInitOneTower makes models of pictures alone and of words alone, also from
// a ResNet that lacks tensors, from one for small pictures and from a model.
func TestInitOneTower(t *testing.T) {
	fixture := func(elements ...string) string {
		return shared.Path(t, append([]string{"fixtures"}, elements...)...)
	}
	cifar := InitOptions{Vision: fixture("resnet_cifar10", "original", "resnet20-12fca82f.th")}
	words := InitOptions{Text: textTower(t, "model.safetensors"), Dim: 32}
	whole := words
	whole.Vision, whole.Fusion, whole.ImageSize = cifar.Vision, model.Hadamard, 64
	whole.Classes, whole.Out = []string{"a", "b"}, filepath.Join(t.TempDir(), "whole")
	if _, err := Init(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options InitOptions
		check   func(c *config.Config, r *report.Init) bool
	}{
		{"small pictures", cifar, func(c *config.Config, r *report.Init) bool {
			return c.Vision.Stem == model.StemSmall && c.Vision.Shortcut == model.ShortcutPadding && slices.Equal(c.Vision.Blocks, []int{3, 3, 3}) &&
				c.Image.Size == 32 && c.Fusion == model.ImageOnly && len(r.Vision.Initialised) == 0 && c.Vision.Source == "resnet20-12fca82f.th"
		}},
		{"words", words, func(c *config.Config, r *report.Init) bool {
			return c.Fusion == model.TextOnly && c.Vision == nil && c.MaxTokens == 64 && c.ProjectionDim == 32 && c.Text.Source == "roberta-tiny"
		}},
		{"absent tensors", InitOptions{Vision: fixture("resnet18_torchvision_partial", "resnet18_bnfolded_partial.f32.safetensors"), ImageSize: 64}, func(c *config.Config, r *report.Init) bool {
			return len(r.Vision.Initialised) == 4 && r.Vision.Folded && c.Image.Size == 64 && c.Image.ResizeShort == 73 && c.Recipe.BatchNorm == "frozen"
		}},
		{"the towers of a model", InitOptions{Vision: whole.Out, Text: whole.Out}, func(c *config.Config, r *report.Init) bool {
			return len(r.Vision.Ignored)+len(r.Text.Ignored) == 0 && c.Image.Size == 64 && c.Vision.Source == "resnet20-12fca82f.th" && c.Text.Source == "roberta-tiny"
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := test.options
			o.Classes, o.Out = []string{"a", "b"}, filepath.Join(t.TempDir(), "m")
			r, err := Init(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			files, err := checkpoint.OpenModel(o.Out)
			if err != nil {
				t.Fatal(err)
			}
			defer files.Close()
			c, err := config.Read(files, "config.json")
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(c, r) {
				told, _ := json.Marshal(r)
				t.Errorf("%s\n%s", c.Marshal(), told)
			}
			classifies(t, files)
		})
	}
}

// TestInitRefusals leaves nothing behind where towers cannot be joined.
func TestInitRefusals(t *testing.T) {
	vision := shared.Path(t, "fixtures", "resnet18_width16", "model.safetensors")
	words := textTower(t, "model.safetensors")
	without := func(name string) string {
		dir := textTower(t, "model.safetensors")
		for _, x := range strings.Fields(name) {
			if err := os.Remove(filepath.Join(dir, x)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	rewritten := func(old, new string) string {
		dir := textTower(t, "model.safetensors")
		path := filepath.Join(dir, "config.json")
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "notes.txt"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	finished := without("") // a text tower that is not part of it
	linked := filepath.Join(t.TempDir(), "linked")
	if err := os.Symlink(words, linked); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(o *InitOptions)
		err    string
	}{
		{"no tower", func(o *InitOptions) { o.Vision, o.Text = "", "" }, "name a tower at least"},
		{"a name that is no path", func(o *InitOptions) { o.Vision = "torchvision/resnet18" }, "no file or folder torchvision/resnet18"},
		{"a text tower for the image tower", func(o *InitOptions) { o.Vision = words }, "no conv1.weight"},
		{"an image tower for the text tower", func(o *InitOptions) { o.Text = vision }, "give the folder that holds them"},
		{"a folder without config.json", func(o *InitOptions) { o.Text = without("config.json") }, "config.json"},
		{"a folder without a tokenizer", func(o *InitOptions) {
			o.Text = without("tokenizer.json vocab.json merges.txt")
		}, "no tokenizer"},
		{"a folder without weights", func(o *InitOptions) { o.Text = without("model.safetensors") }, "has no model.safetensors"},
		{"another architecture", func(o *InitOptions) { o.Text = rewritten(`"roberta"`, `"deberta"`) }, `model_type "deberta"`},
		{"another width", func(o *InitOptions) { o.Text = rewritten(`"hidden_size": 64`, `"hidden_size": 32`) }, "embeddings.word_embeddings.weight has shape [300 64], the model's configuration asks for [300 32]"},
		{"more layers", func(o *InitOptions) {
			o.Text = rewritten(`"num_hidden_layers": 3`, `"num_hidden_layers": 3000`)
		}, "num_hidden_layers is 3000"},
		{"fewer tokens than the tokenizer", func(o *InitOptions) { o.Text = rewritten(`"vocab_size": 300`, `"vocab_size": 100`) }, "config.json's vocab_size is 100"},
		{"a tower too many", func(o *InitOptions) { o.Fusion = model.ImageOnly }, "takes no text tower"},
		{"an image tower too many", func(o *InitOptions) { o.Fusion = model.TextOnly }, "takes no image tower"},
		{"a tower too few", func(o *InitOptions) { o.Text, o.Fusion = "", model.Concat }, "text_config is missing"},
		{"an unknown fusion", func(o *InitOptions) { o.Fusion = "sum" }, `fusion is "sum"`},
		{"one class", func(o *InitOptions) { o.Classes = []string{"a"} }, "at least two"},
		{"a class twice", func(o *InitOptions) { o.Classes = []string{"a", "b", "a"} }, "same name"},
		{"huge pictures", func(o *InitOptions) { o.ImageSize = 1 << 20 }, "image preparation"},
		{"its text tower's place", func(o *InitOptions) { o.Out = o.Text }, "take the place of its tower"},
		{"its tower's place by another name", func(o *InitOptions) { o.Out = linked }, "take the place of its tower"},
		{"a place that is taken", func(o *InitOptions) { o.Out, o.Replace = occupied, true }, "is not replaced"},
		{"a model's place", func(o *InitOptions) { o.Out = finished }, finished + " is there already"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			o := InitOptions{Vision: vision, Text: words, Classes: []string{"a", "b"}, Out: filepath.Join(dir, "m")}
			test.change(&o)
			_, err := Init(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v; want one with %q", err, test.err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	if data, err := os.ReadFile(filepath.Join(occupied, "notes.txt")); err != nil || string(data) != "mine" {
		t.Errorf("notes.txt is %q, %v", data, err)
	}
}

// TestInitEndsEarly leaves nothing behind.
func TestInitEndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := Init(ctx, InitOptions{Vision: shared.Path(t, "fixtures", "resnet_cifar10", "resnet20.safetensors"), Classes: []string{"a", "b"}, Out: filepath.Join(dir, "m")})
	if left, _ := os.ReadDir(dir); !errors.Is(err, context.Canceled) || len(left) > 0 {
		t.Errorf("%v, left behind %v", err, left)
	}
}

// TestTrainFromTowers trains as the seed does, from a joined model: everything
// changes, and with frozen towers nothing of them. The new head is the joined
// model's where the fusion is the same, else a new one.
func TestTrainFromTowers(t *testing.T) {
	device := gputest.Open(t)
	joined := filepath.Join(t.TempDir(), "joined")
	_, err := Init(t.Context(), InitOptions{
		Vision: shared.Path(t, "fixtures", "resnet18_width16", "model.pth"), Text: textTower(t, "pytorch_model.bin"),
		Classes: []string{"a", "b"}, Dim: 32, ImageSize: 32, Seed: 5, Out: joined,
	})
	if err != nil {
		t.Fatal(err)
	}
	before := openWeights(t, filepath.Join(joined, "model.safetensors"))
	collection := drawn(t, 60)
	for _, test := range []struct {
		name   string
		fusion model.FusionKind
		tune   string
	}{{"all", model.Concat, model.TuneAll}, {"head", model.Concat, model.TuneHead}, {"another fusion", model.Hadamard, model.TuneHead}} {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Named("seed")
			if err != nil {
				t.Fatal(err)
			}
			old, err := config.Read(os.DirFS(joined), "config.json")
			if err != nil {
				t.Fatal(err)
			}
			c.Vision, c.Text, c.Image, c.MaxTokens, c.ProjectionDim = old.Vision, old.Text, old.Image, old.MaxTokens, old.ProjectionDim
			c.Recipe.Batch, c.Recipe.MaxSteps = 4, 2
			init, err := OpenInit(joined)
			if err != nil {
				t.Fatal(err)
			}
			defer init.Close()
			out := filepath.Join(t.TempDir(), "m")
			m, err := Train(t.Context(), device, TrainOptions{
				Collection: open(t, collection), Config: c, Init: init, Fusion: test.fusion, Tune: test.tune, Out: out,
			}, func(train.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Release()
			if m.Config.Vision.Source != "model.pth" || m.Config.Text.Source != "roberta-tiny" {
				t.Errorf("the towers began as %q and %q", m.Config.Vision.Source, m.Config.Text.Source)
			}
			after := openWeights(t, filepath.Join(out, "model.safetensors"))
			for _, p := range m.VLM.Params.All() {
				if p.New {
					continue
				}
				same := slices.Equal(values(t, before, p.Name), values(t, after, p.Name))
				if test.tune == model.TuneHead && !same {
					t.Errorf("%s changed", p.Name)
				}
				if test.tune == model.TuneAll && same && !strings.Contains(p.Name, "embeddings") && !strings.HasSuffix(p.Name, "key.bias") {
					t.Errorf("%s did not change", p.Name)
				}
			}
		})
	}
}

// TestTrainFromAnotherTower refuses a configuration that has more than the
// model to start from, of the same shapes.
func TestTrainFromAnotherTower(t *testing.T) {
	joined := filepath.Join(t.TempDir(), "joined")
	if _, err := Init(t.Context(), InitOptions{Text: textTower(t, "model.safetensors"), Classes: []string{"a", "b"}, Dim: 32, Out: joined}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(os.DirFS(joined), "config.json")
	if err != nil {
		t.Fatal(err)
	}
	c.Text.Layers++
	init, err := OpenInit(joined)
	if err != nil {
		t.Fatal(err)
	}
	defer init.Close()
	_, err = Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, drawn(t, 60)), Config: c, Init: init, Keep: Unkept{}}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "it lacks text.encoder.layer.3.") {
		t.Error(err)
	}
}

// TestFullInit joins towers of the published size within a heap of 64 MB.
func TestFullInit(t *testing.T) {
	fullsize.Wanted(t)
	vision, words := fullsize.Towers(t, 7)
	out := filepath.Join(t.TempDir(), "joined")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := Init(t.Context(), InitOptions{Vision: vision, Text: words, Classes: []string{"a", "b"}, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapSys-before.HeapSys) >> 20
	t.Logf("%d parameters; the heap grew by %d MB", r.Parameters, grown)
	if grown > 64 {
		t.Errorf("the heap grew by %d MB", grown)
	}
	if len(r.Vision.Loaded) != 100 || len(r.Text.Loaded) != 197 || len(r.Vision.Initialised)+len(r.Text.Initialised) > 0 {
		t.Errorf("%d and %d tensors loaded", len(r.Vision.Loaded), len(r.Text.Loaded))
	}
	files, err := checkpoint.OpenModel(out)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	compareJoined(t, files, map[string]*checkpoint.File{"visual.": openWeights(t, vision), "text.roberta.": openWeights(t, filepath.Join(words, "model.safetensors"))}, 0)
	if _, err := os.Stat(filepath.Join(out, "tokenizer.json")); errors.Is(err, fs.ErrNotExist) {
		t.Error("it has no tokenizer")
	}
}

// TestTrainWithoutJoining trains from the towers themselves, which gives what a
// training from the joined model gives, of both and of one alone.
func TestTrainWithoutJoining(t *testing.T) {
	device := gputest.Open(t)
	vision, words := shared.Path(t, "fixtures", "resnet18_width16", "model.pth"), textTower(t, "model.safetensors")
	dir := drawn(t, 60)
	run := func(o TrainOptions, tune string) (losses []float32) {
		o.Collection, o.Tune, o.MaxSteps, o.ImageSize, o.Keep = open(t, dir), tune, 3, 64, Unkept{}
		m, err := Train(t.Context(), device, o, func(e train.Event) {
			if e.Event == "step" {
				losses = append(losses, e.Loss)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		m.Release()
		return losses
	}
	classes := open(t, dir).Classes
	for _, inputs := range []string{"both", "image", "text"} {
		o := InitOptions{Vision: vision, Text: words, Classes: classes, Seed: 1, Out: filepath.Join(t.TempDir(), "joined")}
		switch inputs {
		case "image":
			o.Text = ""
		case "text":
			o.Vision = ""
		}
		if _, err := Init(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		init, err := OpenInit(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		defer init.Close()
		towers, err := OpenTowers(vision, words)
		if err != nil {
			t.Fatal(err)
		}
		defer towers.Close()
		for _, tune := range []string{model.TuneHead, model.TuneLoRA} {
			want, got := run(TrainOptions{Init: init}, tune), run(TrainOptions{Towers: towers, Inputs: inputs}, tune)
			if !slices.Equal(got, want) || len(got) != 3 {
				t.Errorf("%s, %s: losses %v from the towers, %v from the joined model", inputs, tune, got, want)
			}
		}
	}
}

// A training from a tower whose file lacks a part is refused: nothing would say
// that this part is random.
func TestTrainFromPartOfTower(t *testing.T) {
	whole := openWeights(t, shared.Path(t, "fixtures", "resnet18_width16", "model.pth"))
	var some []checkpoint.Tensor
	for _, name := range whole.Names() {
		if info, _ := whole.Info(name); name != "layer2.0.conv1.weight" && info.Dtype == checkpoint.F32 {
			some = append(some, checkpoint.Float32Tensor(name, info.Shape, values(t, whole, name)))
		}
	}
	vision := filepath.Join(t.TempDir(), "some.safetensors")
	if err := checkpoint.WriteFile(vision, func(w io.Writer) error { return checkpoint.WriteSafetensors(w, some, nil) }); err != nil {
		t.Fatal(err)
	}
	towers, err := OpenTowers(vision, "")
	if err != nil {
		t.Fatal(err)
	}
	defer towers.Close()
	_, err = Train(t.Context(), gputest.Open(t), TrainOptions{Collection: open(t, drawn(t, 60)), Towers: towers, ImageSize: 64, MaxSteps: 1, Keep: Unkept{}}, func(train.Event) {})
	if err == nil || !strings.Contains(err.Error(), "lacks visual.layer2.0.conv1.weight") {
		t.Errorf("error %v", err)
	}
}

// openFiles is a file system that counts the files that are open.
type openFiles struct {
	fs.FS
	open int
}

func (c *openFiles) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(c.FS, name) }

func (c *openFiles) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	c.open++
	return &openFile{f, f.(io.ReaderAt), c}, nil
}

type openFile struct {
	fs.File
	io.ReaderAt
	of *openFiles
}

func (f *openFile) Close() error {
	f.of.open--
	return f.File.Close()
}

// A tower that comes as files without a disk may be a folder or one checkpoint;
// its files are closed with it, and where it cannot be opened.
func TestOpenTowerFS(t *testing.T) {
	var weights bytes.Buffer
	if err := checkpoint.WriteSafetensors(&weights, []checkpoint.Tensor{checkpoint.Float32Tensor("x", []int{2}, []float32{1, 2})}, nil); err != nil {
		t.Fatal(err)
	}
	file := func(data []byte) *fstest.MapFile { return &fstest.MapFile{Data: data} }
	for name, test := range map[string]struct {
		files  fstest.MapFS
		opened bool
	}{
		"a checkpoint": {fstest.MapFS{"x.pth": file(weights.Bytes())}, true},
		"a folder":     {fstest.MapFS{"config.json": file([]byte("{}")), "model.safetensors": file(weights.Bytes())}, true},
		"no weights":   {fstest.MapFS{"x.pth": file([]byte("no weights, but some words"))}, false},
		"two files":    {fstest.MapFS{"a.pth": file(weights.Bytes()), "b.pth": file(weights.Bytes())}, false},
		"nothing":      {fstest.MapFS{}, false},
	} {
		c := &openFiles{FS: test.files}
		tower, err := OpenTowerFS(c, name)
		if (err == nil) != test.opened {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if got, err := tower.Weights.Float32("x", nil); err != nil || !slices.Equal(got, []float32{1, 2}) {
				t.Errorf("%s: it has %v, %v", name, got, err)
			}
			tower.Close()
		}
		if c.open != 0 {
			t.Errorf("%s: %d files are left open", name, c.open)
		}
	}
}
