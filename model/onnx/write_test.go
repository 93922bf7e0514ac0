//go:build !js

package onnx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/gpu/gputest"
	"duet/model"
	"duet/model/checkpoint"
	"duet/model/onnx"
	"duet/model/onnx/onnxtest"
	"duet/model/shared"

	"google.golang.org/protobuf/encoding/protowire"
)

const side = 64

// shape is a small model of each part there is: a layer with and one without a
// shortcut's convolution, two encoder layers.
func shape(fusion model.FusionKind, mean bool) model.Shape {
	s := model.Shape{Width: 8, Blocks: []int{1, 2}, Fusion: fusion, Dim: 24, Classes: 7, MeanPoolText: mean,
		Text: model.TextShape{Vocab: 50, Positions: 40, Hidden: 16, Layers: 2, Heads: 4, Intermediate: 32, Pad: 1, Eps: 1e-5, Std: 0.3}}
	if fusion == model.ImageOnly {
		s.Text = model.TextShape{}
	}
	return s
}

// values are a parameter's: drawn, with norms and statistics that are not what
// they start as.
func values(p *model.VLM, name string) []float32 {
	param := p.Params.Get(name)
	x := param.Initial(3)
	if len(param.Shape) == 1 {
		for i := range x {
			x[i] += 0.3 * float32(math.Sin(float64(7*i+len(name))))
		}
	}
	return x
}

func tensors(m *model.VLM) (out []checkpoint.Tensor) {
	for _, p := range m.Params.All() {
		out = append(out, checkpoint.Float32Tensor(p.Name, p.Shape, values(m, p.Name)))
	}
	return out
}

func newVLM(t testing.TB, s model.Shape) *model.VLM {
	t.Helper()
	m, err := model.NewVLM(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t testing.TB, m *model.VLM, tensors []checkpoint.Tensor, size int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "model.onnx")
	err := checkpoint.WriteFile(path, func(w io.Writer) error {
		return onnx.Write(w, m, tensors, onnx.Options{Size: size, Version: "v1", Metadata: map[string]string{"b": "2", "a": "1"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRuntimeAgrees runs every fusion, with both poolings and both kinds of
// stems and shortcuts, in ONNX Runtime: one and three examples, with texts that
// are filled up and texts that are not.
func TestRuntimeAgrees(t *testing.T) {
	device := gputest.Open(t)
	texts := [][]int32{{0, 5, 9, 2}, {0, 30, 31, 32, 1, 33, 2}, {0, 2}} // the second with a padding token written in it
	pictures := make([]float32, 3*side*side*4)
	for i := range pictures {
		if i%4 < 3 {
			pictures[i] = float32(math.Sin(0.013*float64(i)) + 0.4*math.Cos(0.0011*float64(i)))
		}
	}
	batches := []struct{ n, tokens int }{{3, 7}, {3, 11}, {1, 4}, {1, 9}}

	var names []string
	var models []onnxtest.Model
	var want [][]float32
	for _, fusion := range model.FusionKinds {
		for _, other := range []bool{false, true} { // the variants that a shape has beside its fusion
			s := shape(fusion, other)
			if other && fusion != model.TextOnly {
				s.Stem, s.Shortcut = model.StemSmall, model.ShortcutPadding
			}
			m := newVLM(t, s)
			memory, err := model.Place(device, m.Params)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(memory.Release)
			for _, p := range m.Params.All() {
				if err := memory.Set(p, values(m, p.Name)); err != nil {
					t.Fatal(err)
				}
			}
			predictor := model.NewPredictor(device, m, memory, side, 3, 1)
			t.Cleanup(predictor.Release)
			logits, err := predictor.Logits(context.Background(), model.Batch{Pictures: pictures, Tokens: texts}, 3)
			if err != nil {
				t.Fatal(err)
			}
			x := onnxtest.Model{Path: write(t, m, tensors(m), side)}
			for _, b := range batches {
				feeds := onnxtest.Feeds{}
				if m.Visual != nil {
					feeds.AddPictures(pictures, b.n, side)
				}
				if m.Text != nil {
					feeds.AddTexts(texts[:b.n], b.tokens, 1)
				}
				x.Runs = append(x.Runs, feeds)
			}
			names = append(names, fmt.Sprintf("%s, other variants %v", fusion, other))
			models, want = append(models, x), append(want, logits)
		}
	}
	worst := 0.0
	for i, result := range onnxtest.Run(t, models...) {
		for j, b := range batches {
			got := result.Runs[j]["logits"]
			if !slices.Equal(got.Dims, []int{b.n, 7}) {
				t.Fatalf("%s: logits of shape %v", names[i], got.Dims)
			}
			off := relative(got.Values(), want[i][:b.n*7])
			worst = max(worst, off)
			if !(off <= 1e-4) {
				t.Errorf("%s, %d examples of %d tokens: off by %.2g of the largest logit", names[i], b.n, b.tokens, off)
			}
		}
	}
	t.Logf("%d models, largest difference %.2g of the largest logit", len(models), worst)
}

// relative is the largest difference as a share of the largest value.
func relative(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	largest, off := 0.0, 0.0
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		if d := math.Abs(float64(w) - float64(got[i])); !(d <= off) {
			off = d
		}
	}
	return off / largest
}

// TestRuntimeMatchesGolden runs vlm_tiny's four fusions and compares with the
// fixture's own logits.
func TestRuntimeMatchesGolden(t *testing.T) {
	root := shared.Path(t, "fixtures", "vlm_tiny")
	text := model.TextShape{Vocab: 300, Positions: 66, Hidden: 64, Layers: 3, Heads: 4, Intermediate: 128, Pad: 1, Eps: 1e-5, Std: 0.02}
	kinds := []model.FusionKind{model.Concat, model.Gated, model.Hadamard, model.CrossAttention}
	var models []onnxtest.Model
	var want [][]float32
	for _, kind := range kinds {
		var golden struct {
			IDs  [][]int32 `json:"input_ids"`
			Mask [][]int32 `json:"attention_mask"`
			Eval struct{ Logits [][]float32 }
		}
		readJSON(t, filepath.Join(root, string(kind), "golden.json"), &golden)
		m := newVLM(t, model.Shape{Width: 16, Blocks: []int{2, 2, 2, 2}, Text: text, Fusion: kind, Dim: 64, Classes: 5})
		feeds := onnxtest.Feeds{"pixel_values": onnxtest.Floats(goldenPictures(4, 96), 4, 3, 96, 96)}
		var texts [][]int32
		for i, ids := range golden.IDs {
			n := 0
			for _, real := range golden.Mask[i] {
				n += int(real)
			}
			texts = append(texts, ids[:n])
		}
		feeds.AddTexts(texts, 9, 1)
		models = append(models, onnxtest.Model{Path: write(t, m, fixtureTensors(t, root, kind, m), 96), Runs: []onnxtest.Feeds{feeds}})
		want = append(want, slices.Concat(golden.Eval.Logits...))
	}
	for i, result := range onnxtest.Run(t, models...) {
		off := relative(result.Runs[0]["logits"].Values(), want[i])
		t.Logf("%s: off by %.2g of the largest logit", kinds[i], off)
		if !(off <= 1e-4) {
			t.Errorf("%s: off by %.2g of the largest logit", kinds[i], off)
		}
	}
}

// goldenPictures are [n 3 size size] by the fixture's formula.
func goldenPictures(n, size int) []float32 {
	out := make([]float32, n*3*size*size)
	for i := range out {
		x := float64(i)
		out[i] = float32(math.Sin(0.011*x) + 0.5*math.Cos(0.0009*x))
	}
	return out
}

// fixtureTensors takes the towers from concat's file and the head from the
// fusion's own.
func fixtureTensors(t *testing.T, root string, kind model.FusionKind, m *model.VLM) (out []checkpoint.Tensor) {
	open := func(elements ...string) *checkpoint.File {
		f, err := checkpoint.OpenFile(filepath.Join(append([]string{root}, elements...)...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	towers := open("concat", "model.safetensors")
	head := towers
	if kind != model.Concat {
		head = open(string(kind), "head.safetensors")
	}
	for _, p := range m.Params.All() {
		f := head
		if strings.HasPrefix(p.Name, "visual.") || strings.HasPrefix(p.Name, "text.") {
			f = towers
		}
		x, err := f.Float32(p.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, checkpoint.Float32Tensor(p.Name, p.Shape, x))
	}
	return out
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFile reads what the file says with a reader of its own.
func TestFile(t *testing.T) {
	m := newVLM(t, shape(model.ConcatProduct, true))
	path := write(t, m, tensors(m), side)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := onnx.Written(bytes.NewReader(data)); !ok || err != nil {
		t.Errorf("not taken for a file of ours: %v", err)
	}
	if ok, _ := onnx.Written(strings.NewReader("PK")); ok {
		t.Error("a zip is taken for a file of ours")
	}
	file := fields(t, data)
	if got := string(file[2][0]); got != "duet" {
		t.Errorf("producer %q", got)
	}
	if got := string(file[3][0]); got != "v1" {
		t.Errorf("version %q", got)
	}
	for i, want := range []string{"a=1", "b=2"} {
		entry := fields(t, file[14][i])
		if got := string(entry[1][0]) + "=" + string(entry[2][0]); got != want {
			t.Errorf("metadata %q, want %q", got, want)
		}
	}
	graph := fields(t, file[7][0])
	if len(graph[5]) != len(m.Params.All()) {
		t.Fatalf("%d initializers, want %d", len(graph[5]), len(m.Params.All()))
	}
	for i, p := range m.Params.All() {
		x := fields(t, graph[5][i])
		var floats []byte
		for _, v := range values(m, p.Name) {
			floats = protowire.AppendFixed32(floats, math.Float32bits(v))
		}
		if string(x[8][0]) != p.Name || !bytes.Equal(x[9][0], floats) || len(x[1]) != len(p.Shape) {
			t.Errorf("initializer %d is %s, want %s with its values", i, x[8][0], p.Name)
		}
	}
}

// fields reads a message: the contents of each field, numbers as varints.
func fields(t *testing.T, m []byte) map[protowire.Number][][]byte {
	t.Helper()
	out := map[protowire.Number][][]byte{}
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m = m[n:]
		n = protowire.ConsumeFieldValue(field, kind, m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		content := m[:n]
		if kind == protowire.BytesType {
			content, _ = protowire.ConsumeBytes(m)
		}
		out[field] = append(out[field], content)
		m = m[n:]
	}
	return out
}

func TestRefused(t *testing.T) {
	m := newVLM(t, shape(model.Gated, false))
	all := tensors(m)
	short := slices.Clone(all)
	short[0].Write = func(w io.Writer) error { _, err := w.Write(make([]byte, 4)); return err }
	failing := slices.Clone(all)
	failing[3].Write = func(io.Writer) error { return errors.New("the disk is on fire") }
	wide := slices.Clone(all)
	wide[1].Shape = []int{9}
	large := shape(model.TextOnly, false)
	large.Text.Vocab, large.Text.Hidden = 800_000, 1024
	huge := newVLM(t, large)
	var hugeTensors []checkpoint.Tensor
	for _, p := range huge.Params.All() {
		hugeTensors = append(hugeTensors, checkpoint.Tensor{Name: p.Name, Dtype: checkpoint.F32, Shape: p.Shape})
	}
	tests := []struct {
		name    string
		m       *model.VLM
		tensors []checkpoint.Tensor
		want    string
	}{
		{"a missing tensor", m, all[1:], "visual.conv1.weight is missing"},
		{"a tensor of another shape", m, wide, "want F32 of [8]"},
		{"too few bytes", m, short, "4 bytes were given"},
		{"a reader that fails", m, failing, "on fire"},
		{"more than 2 GB", huge, hugeTensors, "ends at 2147483647"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := onnx.Write(io.Discard, test.m, test.tensors, onnx.Options{Size: side})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
