//go:build !js

package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/onnx/onnxtest"
	"duet/model/text"
)

// exported is a model, the folder that it was read from, and the exports of it.
type exported struct {
	model                       *Model
	folder                      string
	onnx, whole, visual, words  string // visual and words are "" where the model lacks the tower
	transformers                string // folder of the text tower
	parameters, towerParameters int
}

// export loads the model at path and writes every form of it.
func export(t testing.TB, backend gpu.Backend, path string) *exported {
	t.Helper()
	files, err := OpenFiles(path)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	m, err := Load(backend, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	x, err := OpenExport(files)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	dir := t.TempDir()
	save := func(name, format, part string) string {
		out := filepath.Join(dir, name)
		if err := x.Save(out, format, part, false); err != nil {
			t.Fatal(err)
		}
		return out
	}
	e := &exported{model: m, parameters: x.Parameters(PartAll)}
	e.onnx = save("model.onnx", ExportONNX, PartAll)
	e.whole = save("model.safetensors", ExportSafetensors, PartAll)
	e.folder = save("folder", ExportHF, PartAll)
	if m.VLM.Visual != nil {
		e.visual = save("visual.safetensors", ExportSafetensors, PartVisual)
		e.towerParameters += x.Parameters(PartVisual)
	}
	if m.VLM.Text != nil {
		e.words = save("text.safetensors", ExportSafetensors, PartText)
		e.transformers = save("text", ExportHF, PartText)
		e.towerParameters += x.Parameters(PartText)
	}
	return e
}

// An example is a picture as the model takes it, [size size 4], and its words.
type example struct {
	pixels []float32
	words  string
}

// formulaPictures are made-up examples.
func formulaPictures(m *Model, words ...string) (out []example) {
	for i, w := range words {
		pixels := make([]float32, m.Config.Image.Len())
		for j := range pixels {
			if j%4 < 3 {
				pixels[j] = float32(math.Sin(0.011*float64(j)*(1+float64(i))) + 0.3*math.Cos(0.0007*float64(j)))
			}
		}
		out = append(out, example{pixels, w})
	}
	return out
}

// logits are the engine's, example by example, and feeds what other runtimes
// take for the same, all examples at once and, filled up further, the first.
func (e *exported) logits(t testing.TB, examples []example) (logits []float32, feeds []onnxtest.Feeds) {
	t.Helper()
	m := e.model
	in := m.Input()
	predictor := model.NewPredictor(m.Backend, m.VLM, m.Memory, in.Prep.Size, 1, in.Pad())
	defer predictor.Release()
	var pixels []float32
	var tokens [][]int32
	longest := 0
	for _, x := range examples {
		pixels, tokens = append(pixels, x.pixels...), append(tokens, in.Encode(x.words))
		last := tokens[len(tokens)-1]
		longest = max(longest, len(last))
		p, err := predictor.Logits(context.Background(), model.Batch{Pictures: x.pixels, Tokens: [][]int32{last}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		logits = append(logits, p...)
	}
	for _, b := range []struct{ n, tokens int }{{len(examples), longest}, {1, longest + 3}} {
		f := onnxtest.Feeds{}
		if m.VLM.Visual != nil {
			f.AddPictures(pixels, b.n, in.Prep.Size)
		}
		if m.VLM.Text != nil {
			f.AddTexts(tokens[:b.n], b.tokens, in.Pad())
		}
		feeds = append(feeds, f)
	}
	return logits, feeds
}

// near compares a runtime's logits of as many examples as it gave.
func near(t testing.TB, name string, got, want []float32) {
	t.Helper()
	if len(got) == 0 || len(got) > len(want) {
		t.Fatalf("%s: %d logits, want at most %d", name, len(got), len(want))
	}
	largest, off := 0.0, 0.0
	for i, w := range want[:len(got)] {
		largest = max(largest, math.Abs(float64(w)))
		if d := math.Abs(float64(w) - float64(got[i])); !(d <= off) {
			off = d
		}
	}
	t.Logf("%s: %d logits, off by %.2g of the largest, %.3g", name, len(got), off/largest, largest)
	if !(off <= 1e-4*largest) {
		t.Errorf("%s: off by %.2g of the largest logit", name, off/largest)
	}
}

// runtime compares with ONNX Runtime.
func (e *exported) runtime(t testing.TB, examples []example) {
	t.Helper()
	want, feeds := e.logits(t, examples)
	for _, out := range onnxtest.Run(t, onnxtest.Model{Path: e.onnx, Runs: feeds})[0].Runs {
		near(t, "ONNX Runtime", out["logits"].Values(), want)
	}
}

// torch compares with plain PyTorch modules that load the exports strictly.
func (e *exported) torch(t testing.TB, examples []example) {
	t.Helper()
	want, feeds := e.logits(t, examples)
	input, err := json.Marshal([]any{map[string]any{
		"config": filepath.Join(e.folder, "config.json"), "weights": e.whole, "visual": e.visual, "text": e.words, "runs": feeds,
	}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t), filepath.Join("..", "model", "testdata", "torch", "logits.py"))
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &errs
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	var results []struct {
		Changed float64
		Logits  [][]byte
	}
	if err := json.Unmarshal(output, &results); err != nil {
		t.Fatal(err)
	}
	if results[0].Changed != 0 {
		t.Errorf("a tower by itself has weights that differ by %g from the whole model's", results[0].Changed)
	}
	for _, data := range results[0].Logits {
		near(t, "PyTorch", onnxtest.Tensor{Data: data}.Values(), want)
	}
}

// python is an interpreter with PyTorch: $PYTHON, or python3. Without one the
// test is skipped, in CI too: these comparisons are made for acceptance.
func python(t testing.TB) string {
	t.Helper()
	name := cmp.Or(os.Getenv("PYTHON"), "python3")
	if output, err := exec.Command(name, "-c", "import torch, numpy").CombinedOutput(); err != nil {
		t.Skipf("%s has no PyTorch (Debian: python3-torch; PYTHON names another interpreter): %v %s", name, err, output)
	}
	return name
}

var exportWords = []string{"a red circle", "how many shapes are there, and which of them is the largest one?", ""}

// TestExportRuns runs the default model's exports in ONNX Runtime.
func TestExportRuns(t *testing.T) {
	e := export(t, gputest.Open(t), "")
	e.runtime(t, formulaPictures(e.model, exportWords...))
}

// TestExportMerges runs a model with a LoRA, which its exports are without.
func TestExportMerges(t *testing.T) {
	for _, fusion := range []model.FusionKind{model.Hadamard, model.CrossAttention} {
		e := export(t, gputest.Open(t), randomModel(t, fusion, 2))
		if e.model.Config.LoRA == nil || e.parameters >= e.model.VLM.Params.Len() {
			t.Errorf("%d parameters with, %d without", e.model.VLM.Params.Len(), e.parameters)
		}
		e.runtime(t, formulaPictures(e.model, exportWords...))
	}
}

// TestExportTorch loads small models of every fusion into PyTorch.
func TestExportTorch(t *testing.T) {
	python(t)
	device := gputest.Open(t)
	for _, fusion := range model.FusionKinds {
		t.Run(string(fusion), func(t *testing.T) {
			e := export(t, device, randomModel(t, fusion, 0))
			e.torch(t, formulaPictures(e.model, exportWords...))
		})
	}
	t.Run("small stem", func(t *testing.T) {
		e := export(t, device, randomModel(t, model.Hadamard, 0, func(c *config.Config) {
			c.Vision.Stem, c.Vision.Shortcut = model.StemSmall, model.ShortcutPadding
		}))
		e.torch(t, formulaPictures(e.model, exportWords...))
	})
}

// randomModel writes a small model that has learnt nothing, with a LoRA where
// rank is not 0 and what change sets.
func randomModel(t testing.TB, fusion model.FusionKind, rank int, change ...func(*config.Config)) (path string) {
	t.Helper()
	c := tiny(t)
	c.Fusion = fusion
	c.SetLabels([]string{"one", "two", "three"})
	for _, f := range change {
		f(c)
	}
	if rank > 0 {
		c.LoRA = &config.LoRA{Rank: rank, Alpha: 3}
	}
	tokenizer, err := text.Train(context.Background(), slices.Values(exportWords), c.Text.VocabSize)
	if err != nil {
		t.Fatal(err)
	}
	if fusion == model.ImageOnly {
		c.Text, tokenizer = nil, nil
	}
	if fusion == model.TextOnly {
		c.Vision = nil
	}
	m, err := define(gpu.NewReference(), c, "a random model")
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
	for _, p := range m.VLM.Params.All() {
		if !p.Adapter {
			continue
		}
		values := make([]float32, p.Len())
		for i := range values {
			values[i] = 0.3 * float32(math.Sin(float64(i+len(p.Name))))
		}
		if err := m.Memory.Set(p, values); err != nil {
			t.Fatal(err)
		}
	}
	m.Tokenizer = tokenizer
	path = filepath.Join(t.TempDir(), "random")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExportSpares checks that an export takes the place of an earlier one, and
// not that of weights, of any program, or of its own model.
func TestExportSpares(t *testing.T) {
	source := randomModel(t, model.Hadamard, 0)
	files, err := OpenFiles(source)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	x, err := OpenExport(files)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	out := filepath.Join(t.TempDir(), "out.safetensors")
	for _, part := range []string{PartVisual, PartAll} {
		if err := x.Save(out, ExportSafetensors, part, true); err != nil {
			t.Errorf("over an earlier export: %v", err)
		}
	}
	for _, test := range []struct{ path, format, part string }{
		{filepath.Join(source, "model.safetensors"), ExportSafetensors, PartVisual},
		{source, ExportHF, PartText},
		{out, ExportONNX, PartAll},
	} {
		if err := x.Save(test.path, test.format, test.part, true); err == nil || !strings.Contains(err.Error(), "another name") {
			t.Errorf("%s of %s over %s: %v", test.format, test.part, test.path, err)
		}
	}
	before := openWeights(t, filepath.Join(source, "model.safetensors"))
	if err := x.Save(source, ExportHF, PartAll, true); err != nil {
		t.Errorf("over the model itself, whole: %v", err)
	}
	after := openWeights(t, filepath.Join(source, "model.safetensors"))
	for _, name := range before.Names() {
		if !slices.Equal(values(t, before, name), values(t, after, name)) {
			t.Errorf("%s changed", name)
		}
	}
	// Windows renames no open file, so what was read is closed by then.
	if _, err := x.weights.Float32(before.Names()[0], nil); err == nil {
		t.Error("the weights that were replaced are still open")
	}
}

// TestExportFiles looks at what the default model's exports hold.
func TestExportFiles(t *testing.T) {
	e := export(t, gpu.NewReference(), "")
	m := e.model
	if e.parameters != m.VLM.Params.Len() || e.towerParameters >= e.parameters {
		t.Errorf("%d parameters, %d of them in towers; the model has %d", e.parameters, e.towerParameters, m.VLM.Params.Len())
	}
	whole, visual, words := openWeights(t, e.whole), openWeights(t, e.visual), openWeights(t, e.words)
	if len(whole.Names()) != len(m.VLM.Params.All()) {
		t.Errorf("%d tensors, want %d", len(whole.Names()), len(m.VLM.Params.All()))
	}
	for _, p := range m.VLM.Params.All() {
		want, err := m.Memory.Get(p)
		if err != nil {
			t.Fatal(err)
		}
		compareTensor(t, whole, p.Name, want)
		if name, ok := strings.CutPrefix(p.Name, "visual."); ok {
			compareTensor(t, visual, name, want)
		}
		if name, ok := strings.CutPrefix(p.Name, "text."); ok {
			compareTensor(t, words, name, want)
		}
	}
	for _, f := range []*checkpoint.File{whole, visual, words} {
		if f.Metadata()["format"] != "pt" {
			t.Errorf("metadata %v", f.Metadata())
		}
	}

	again, err := OpenFiles(e.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	c, err := config.Read(again, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Marshal(), m.Config.Marshal()) {
		t.Error("the folder's configuration differs")
	}

	var roberta map[string]any
	if err := json.Unmarshal(read(t, e.transformers, "config.json"), &roberta); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"model_type": "roberta", "hidden_act": "gelu", "type_vocab_size": 1., "pad_token_id": 1., "bos_token_id": 0., "eos_token_id": 2.,
		"hidden_size": float64(m.Config.Text.Hidden), "vocab_size": float64(m.Config.Text.VocabSize), "pooling": nil, "source": nil,
	} {
		if roberta[key] != want {
			t.Errorf("%s is %v, want %v", key, roberta[key], want)
		}
	}
	if card := string(read(t, e.transformers, "README.md")); !strings.Contains(card, "add_pooling_layer=False") {
		t.Errorf("the card is %q", card)
	}
	if _, err := text.Load(os.DirFS(e.transformers)); err != nil {
		t.Error(err)
	}
	folded := openWeights(t, filepath.Join(e.transformers, "model.safetensors"))
	if !slices.Equal(folded.Names(), words.Names()) {
		t.Error("the folder of the text tower has other tensors than its file")
	}
}

func openWeights(t testing.TB, path string) *checkpoint.File {
	t.Helper()
	f, err := checkpoint.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func compareTensor(t testing.TB, f *checkpoint.File, name string, want []float32) {
	t.Helper()
	got, err := f.Float32(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has other values", name)
	}
}

func read(t testing.TB, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exportDefault opens the default model for exports.
func exportDefault(t testing.TB) *Export {
	t.Helper()
	files, err := OpenFiles("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	x, err := OpenExport(files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// TestExportReplaces replaces its own files and nothing else.
func TestExportReplaces(t *testing.T) {
	x := exportDefault(t)
	for _, format := range []string{ExportSafetensors, ExportONNX, ExportHF} {
		dir := t.TempDir()
		out := filepath.Join(dir, "new", "out")
		for range 2 {
			if err := x.Save(out, format, PartAll, true); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
		if err := x.Save(out, format, PartAll, false); err == nil || !strings.Contains(err.Error(), "--replace") {
			t.Errorf("%s: over an earlier export without being told to: %v", format, err)
		}
		var b bytes.Buffer
		if err := x.Write(&b, format, PartAll); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if format != ExportHF && !bytes.Equal(b.Bytes(), read(t, out)) {
			t.Errorf("%s: a writer and a file get different bytes", format)
		}
		letter := filepath.Join(dir, "letter")
		if err := os.WriteFile(letter, []byte("Dear Ada"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := x.Save(letter, format, PartAll, true); err == nil {
			t.Errorf("%s: a letter was replaced", format)
		}
		if got := string(read(t, letter)); got != "Dear Ada" {
			t.Errorf("%s: the letter reads %q", format, got)
		}
	}
	for _, bad := range []struct{ format, part, want string }{
		{"gguf", PartAll, "is not known"}, {ExportONNX, "head", "is not known"},
		{ExportONNX, PartText, "whole model"}, {ExportHF, PartVisual, "exported as safetensors"},
	} {
		err := x.Save(filepath.Join(t.TempDir(), "x"), bad.format, bad.part, false)
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%v: error %v", bad, err)
		}
	}
}

// TestExportMetadata reads what an ONNX file says of its inputs.
func TestExportMetadata(t *testing.T) {
	x := exportDefault(t)
	said := x.metadata()
	var labels map[string]string
	if err := json.Unmarshal([]byte(said["id2label"]), &labels); err != nil || len(labels) != len(x.model.Labels) || labels["3"] != x.model.Labels[3] {
		t.Errorf("%d labels, %v", len(labels), err)
	}
	if said["max_tokens"] != fmt.Sprint(x.model.Config.MaxTokens) || !strings.Contains(said["image_preparation"], `"size":64`) || said["not_sure_below"] == "" {
		t.Errorf("metadata %.300v", said)
	}
}
