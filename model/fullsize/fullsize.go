// Package fullsize writes checkpoints of the size that people bring: a
// torchvision ResNet-18 and a RoBERTa-base with Hugging Face's keys, 136 million
// values of which none is learnt. They stand in for the published ones where
// there is no network. It imports testing: it is for tests only.
//
// The values are a formula over name and index, so that other programs can
// compute the same ones: value i of a tensor is mean + bound·(2u − 1), where u is
// the upper 24 bits of splitmix64 at seed + FNV-1a(name) + (i+1)·0x9e3779b97f4a7c15,
// as a fraction. Their spread is that of trained weights, so that activations
// neither vanish nor explode. The padding token's row is zero in both embeddings.
package fullsize

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/model/checkpoint"
	"duet/model/shared"
)

// Where [Write] puts the towers, below its folder.
const (
	Vision = "vision/resnet18.safetensors"
	Text   = "text"
)

// Variable is set where tests at full size are wanted: they take minutes and
// gigabytes, so make full runs them and make test does not.
const Variable = "DUET_FULL"

// Wanted skips the test where tests at full size are not wanted.
func Wanted(t testing.TB) {
	t.Helper()
	if os.Getenv(Variable) == "" {
		t.Skipf("it runs at full size: make full, or set %s", Variable)
	}
}

// Towers writes both towers into a temporary folder of the test and returns
// what to give for each. Where the reference data has no tokenizer the test is
// skipped.
func Towers(t testing.TB, seed uint64) (vision, text string) {
	t.Helper()
	tokenizer := shared.Path(t, "fixtures", "roberta_tokenizer")
	dir := t.TempDir()
	if err := Write(dir, tokenizer, seed); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.FromSlash(Vision)), filepath.Join(dir, Text)
}

// Write writes the image tower as dir/vision/resnet18.safetensors and the text
// tower as the folder dir/text: config.json, model.safetensors, and vocab.json
// and merges.txt from the folder tokenizer. That is 546 MB, of which 256 KiB are
// in memory at a time.
func Write(dir, tokenizer string, seed uint64) error {
	for _, folder := range []string{"vision", Text} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
			return fmt.Errorf("fullsize: %w", err)
		}
	}
	text := filepath.Join(dir, Text)
	err := write(filepath.Join(dir, filepath.FromSlash(Vision)), resNet18(), seed)
	if err == nil {
		err = write(filepath.Join(text, "model.safetensors"), robertaBase(), seed)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(text, "config.json"), []byte(robertaConfig), 0o666)
	}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		if err == nil {
			err = copyFile(filepath.Join(text, name), filepath.Join(tokenizer, name))
		}
	}
	if err != nil {
		return fmt.Errorf("fullsize: %w", err)
	}
	return nil
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o666)
}

// A tensor is described by what its values are drawn from; zero is a row of
// zeros, where there is one.
type tensor struct {
	name        string
	shape       []int
	mean, bound float64
	zero        int
}

func write(path string, tensors []tensor, seed uint64) (err error) {
	var out []checkpoint.Tensor
	for _, t := range tensors {
		out = append(out, checkpoint.Tensor{Name: t.name, Dtype: checkpoint.F32, Shape: t.shape, Write: func(w io.Writer) error { return t.write(w, seed) }})
	}
	out = append(out, counters(tensors)...)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = checkpoint.WriteSafetensors(w, out, map[string]string{"format": "pt"}); err == nil {
		err = w.Flush()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// counters are the whole numbers that PyTorch and older versions of transformers
// put beside the weights.
func counters(tensors []tensor) (out []checkpoint.Tensor) {
	for _, t := range tensors {
		if module, ok := strings.CutSuffix(t.name, ".running_var"); ok {
			out = append(out, checkpoint.Int64Tensor(module+".num_batches_tracked", nil, []int64{0}))
		}
		if t.name == "roberta.embeddings.position_embeddings.weight" {
			ids := make([]int64, t.shape[0])
			for i := range ids {
				ids[i] = int64(i)
			}
			out = append(out, checkpoint.Int64Tensor("roberta.embeddings.position_ids", []int{1, len(ids)}, ids))
		}
	}
	return out
}

func (t tensor) write(w io.Writer, seed uint64) error {
	h := fnv.New64a()
	io.WriteString(h, t.name)
	state := seed + h.Sum64()
	n, width := 1, 1
	for i, d := range t.shape {
		n *= d
		if i > 0 {
			width *= d
		}
	}
	buffer := make([]byte, 0, 256<<10)
	for i := range n {
		state += 0x9e3779b97f4a7c15
		x := float32(t.mean + float64(t.bound*(2*fraction(state)-1))) // the conversion keeps a processor from rounding once only
		if t.zero >= 0 && i/width == t.zero {
			x = 0
		}
		buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(x))
		if len(buffer) == cap(buffer) || i == n-1 {
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	return nil
}

// fraction is splitmix64's output function as a number in [0, 1).
func fraction(z uint64) float64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>40) / (1 << 24)
}

// A list collects tensors.
type list []tensor

func (l *list) add(name string, mean, bound float64, shape ...int) {
	*l = append(*l, tensor{name, shape, mean, bound, -1})
}

// conv has the spread of torchvision's initialisation.
func (l *list) conv(name string, out, in, kernel int) {
	l.add(name+".weight", 0, math.Sqrt(6/float64(out*kernel*kernel)), out, in, kernel, kernel)
}

func (l *list) norm(name string, scale float64, n int) {
	l.add(name+".weight", scale, scale/2, n)
	l.add(name+".bias", 0, 0.2, n)
	l.add(name+".running_mean", 0, 0.2, n)
	l.add(name+".running_var", 1, 0.5, n)
}

// resNet18 has torchvision's keys.
func resNet18() []tensor {
	var l list
	l.conv("conv1", 64, 3, 7)
	l.norm("bn1", 1, 64)
	in := 64
	for i := range 4 {
		out := 64 << i
		for j := range 2 {
			block := fmt.Sprintf("layer%d.%d.", i+1, j)
			l.conv(block+"conv1", out, in, 3)
			l.norm(block+"bn1", 1, out)
			l.conv(block+"conv2", out, out, 3)
			l.norm(block+"bn2", 0.5, out)
			if in != out {
				l.conv(block+"downsample.0", out, in, 1)
				l.norm(block+"downsample.1", 1, out)
			}
			in = out
		}
	}
	l.add("fc.weight", 0, 1/math.Sqrt(512), 1000, 512)
	l.add("fc.bias", 0, 1/math.Sqrt(512), 1000)
	return l
}

// spread gives linear layers a standard deviation of 0.04, about that of the
// published weights: attention is then neither even nor on one token.
const spread = 0.04 * 1.7320508075688772

func (l *list) linear(name string, in, out int) {
	l.add(name+".weight", 0, spread, out, in)
	l.add(name+".bias", 0, 0.1, out)
}

func (l *list) layerNorm(name string) {
	l.add(name+".weight", 1, 0.25, 768)
	l.add(name+".bias", 0, 0.1, 768)
}

// robertaBase has the keys of FacebookAI/roberta-base, a masked language model.
func robertaBase() []tensor {
	var l list
	e := "roberta.embeddings."
	for _, table := range []struct {
		name       string
		rows, zero int
	}{{"word_embeddings", 50265, 1}, {"position_embeddings", 514, 1}, {"token_type_embeddings", 1, -1}} {
		l.add(e+table.name+".weight", 0, 0.17, table.rows, 768)
		l[len(l)-1].zero = table.zero
	}
	l.layerNorm(e + "LayerNorm")
	for i := range 12 {
		layer := fmt.Sprintf("roberta.encoder.layer.%d.", i)
		for _, name := range []string{"query", "key", "value"} {
			l.linear(layer+"attention.self."+name, 768, 768)
		}
		l.linear(layer+"attention.output.dense", 768, 768)
		l.layerNorm(layer + "attention.output.LayerNorm")
		l.linear(layer+"intermediate.dense", 768, 3072)
		l.linear(layer+"output.dense", 3072, 768)
		l.layerNorm(layer + "output.LayerNorm")
	}
	l.linear("lm_head.dense", 768, 768)
	l.layerNorm("lm_head.layer_norm")
	l.add("lm_head.bias", 0, 0.1, 50265)
	return l
}

const robertaConfig = `{
  "architectures": ["RobertaForMaskedLM"],
  "attention_probs_dropout_prob": 0.1,
  "bos_token_id": 0,
  "eos_token_id": 2,
  "hidden_act": "gelu",
  "hidden_dropout_prob": 0.1,
  "hidden_size": 768,
  "initializer_range": 0.02,
  "intermediate_size": 3072,
  "layer_norm_eps": 1e-05,
  "max_position_embeddings": 514,
  "model_type": "roberta",
  "num_attention_heads": 12,
  "num_hidden_layers": 12,
  "pad_token_id": 1,
  "type_vocab_size": 1,
  "vocab_size": 50265
}
`
