package config

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"duet/model"
	"duet/model/shared"
)

// small is a valid configuration of a trained model.
func small(t testing.TB) *Config {
	t.Helper()
	c, err := Named("small")
	if err != nil {
		t.Fatal(err)
	}
	c.SetLabels([]string{"yes", "no"})
	c.Training = &Training{Data: "flowers", Examples: 9, Seed: 1}
	c.Training.HeldOut.Seed, c.Training.HeldOut.Share = 1, 0.15
	c.Training.HeldOut.Hashes = []string{strings.Repeat("0a", 32)}
	return c
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(c *Config)
		err    string
	}{
		{"as it is", func(c *Config) {}, ""},
		{"no classes yet", func(c *Config) { c.SetLabels(nil) }, ""},
		{"pictures alone", func(c *Config) { c.Text, c.Fusion = nil, model.ImageOnly }, ""},
		{"words alone", func(c *Config) { c.Vision, c.Fusion = nil, model.TextOnly }, ""},
		{"label2id left out", func(c *Config) { c.Label2ID = nil }, ""},
		{"one attention head", func(c *Config) { c.Text.Heads = 1 }, ""},
		{"longest text", func(c *Config) { c.MaxTokens = 64 }, ""},

		{"model type", func(c *Config) { c.ModelType = "clip" }, `model_type is "clip"`},
		{"no fusion", func(c *Config) { c.Fusion = "" }, `fusion is ""; want one of`},
		{"unknown fusion", func(c *Config) { c.Fusion = "sum" }, `fusion is "sum"`},
		{"no image tower", func(c *Config) { c.Vision = nil }, "vision_config is missing, which fusion hadamard needs"},
		{"no text tower", func(c *Config) { c.Text = nil }, "text_config is missing"},
		{"projection", func(c *Config) { c.ProjectionDim = 0 }, "projection_dim is 0; want 1 to"},
		{"width", func(c *Config) { c.Vision.Width = -16 }, "vision_config.width is -16"},
		{"no layers of blocks", func(c *Config) { c.Vision.Blocks = nil }, "vision_config.blocks' length is 0"},
		{"too many layers of blocks", func(c *Config) { c.Vision.Blocks = make([]int, 100) }, "vision_config.blocks' length is 100"},
		{"no blocks", func(c *Config) { c.Vision.Blocks[2] = 0 }, "vision_config.blocks.2 is 0"},
		{"blocks", func(c *Config) { c.Vision.Blocks[0] = 1e9 }, "vision_config.blocks.0 is 1000000000"},
		{"a small stem", func(c *Config) { c.Vision.Stem, c.Vision.Shortcut = model.StemSmall, model.ShortcutPadding }, ""},
		{"an unknown stem", func(c *Config) { c.Vision.Stem = "conv5" }, `vision_config.stem is "conv5"; want conv7 or conv3`},
		{"an unknown shortcut", func(c *Config) { c.Vision.Shortcut = "none" }, `vision_config.shortcut is "none"; want projection or padding`},
		{"padding of an odd width", func(c *Config) { c.Vision.Width, c.Vision.Shortcut = 15, model.ShortcutPadding }, "vision_config.width is 15; shortcuts with padding"},
		{"a long source", func(c *Config) { c.Vision.Source = strings.Repeat("x", 1001) }, "vision_config.source has more than"},
		{"a long source of the text tower", func(c *Config) { c.Text.Source = strings.Repeat("x", 1001) }, "text_config.source has more than"},
		{"relative positions", func(c *Config) { c.Text.PositionEmbedding = "relative_key" }, `text_config.position_embedding_type is "relative_key"`},
		{"absolute positions", func(c *Config) { c.Text.PositionEmbedding = "absolute" }, ""},
		{"vocabulary", func(c *Config) { c.Text.VocabSize = 1 << 40 }, "text_config.vocab_size is 1099511627776"},
		{"hidden", func(c *Config) { c.Text.Hidden = 0 }, "text_config.hidden_size is 0"},
		{"layers", func(c *Config) { c.Text.Layers = 1e6 }, "text_config.num_hidden_layers is 1000000; want 1 to 256"},
		{"no heads", func(c *Config) { c.Text.Heads = 0 }, "text_config.num_attention_heads is 0"},
		{"heads", func(c *Config) { c.Text.Heads = 3 }, "text_config.num_attention_heads is 3, which does not divide hidden_size 128"},
		{"feed-forward", func(c *Config) { c.Text.Intermediate = -1 }, "text_config.intermediate_size is -1"},
		{"padding id", func(c *Config) { c.Text.Pad = c.Text.VocabSize }, "text_config.pad_token_id is 2048"},
		{"positions", func(c *Config) { c.Text.Positions = 1e9 }, "text_config.max_position_embeddings is 1000000000"},
		{"no room for a text", func(c *Config) { c.Text.Positions = 3 }, "it leaves no room for <s> and </s>"},
		{"epsilon", func(c *Config) { c.Text.LayerNormEps = 0 }, "text_config.layer_norm_eps is 0"},
		{"deviation", func(c *Config) { c.Text.InitStd = -1 }, "text_config.initializer_range is -1"},
		{"token types", func(c *Config) { c.Text.TypeVocab = 2 }, "text_config.type_vocab_size is 2"},
		{"activation", func(c *Config) { c.Text.Activation = "gelu_new" }, `text_config.hidden_act is "gelu_new"`},
		{"pooling", func(c *Config) { c.Text.Pooling = "max" }, `text_config.pooling is "max"`},
		{"text beyond the positions", func(c *Config) { c.MaxTokens = 65 }, "max_tokens is 65; want 2 to 64"},
		{"no tokens", func(c *Config) { c.MaxTokens = 0 }, "max_tokens is 0"},
		{"parameters", func(c *Config) { c.Text.Hidden, c.Text.Layers, c.Text.Intermediate = 16384, 256, 65536 }, "parameters; at most 4000000000"},
		{"parameters of the image tower", func(c *Config) { c.Vision.Width, c.Vision.Blocks = 2048, []int{64, 64, 64, 64, 64, 64, 64, 64} }, "parameters; at most"},
		{"picture size", func(c *Config) { c.Image.Size = 0 }, "image_preparation: "},
		{"augmentation", func(c *Config) { c.Augment.Flip = 2 }, "augmentation: "},
		{"recipe", func(c *Config) { c.Recipe.Batch = 0 }, "recipe: "},
		{"certainty", func(c *Config) { c.NotSureBelow = 1.5 }, "not_sure_below is 1.5"},
		{"a class without a name", func(c *Config) { c.ID2Label["1"] = "" }, `id2label.1 is ""`},
		{"a class with a long name", func(c *Config) { c.ID2Label["1"] = strings.Repeat("x", 1001) }, "want a name of at most 1000 bytes"},
		{"a class too many", func(c *Config) { c.ID2Label["7"] = "x" }, "id2label has 3 classes, but none of number 2"},
		{"two classes of one name", func(c *Config) { c.ID2Label["1"] = "yes" }, `id2label.0 and id2label.1 have the same name "yes"`},
		{"label2id has fewer", func(c *Config) { delete(c.Label2ID, "no") }, "label2id has 1 names, id2label 2"},
		{"label2id has others", func(c *Config) { c.Label2ID = map[string]int{"yes": 0, "maybe": 1} }, `label2id gives "maybe" the number 1`},
		{"label2id is not the inverse", func(c *Config) { c.Label2ID = map[string]int{"yes": 1, "no": 0} }, "unlike id2label"},
		{"share", func(c *Config) { c.Training.HeldOut.Share = 1 }, "training.held_out.share is 1"},
		{"hash", func(c *Config) { c.Training.HeldOut.Hashes[0] = "../x" }, `training.held_out.hashes.0 is "../x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := small(t)
			test.change(c)
			wantError(t, c.Validate(), test.err)
			_, err := Read(fstest.MapFS{"config.json": {Data: c.Marshal()}}, "config.json")
			wantError(t, err, test.err)
			if err != nil && !strings.Contains(err.Error(), "config.json") {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v; want one with %q", err, want)
	}
}

func TestMarshalRoundTrip(t *testing.T) {
	want := small(t)
	want.Text.Pooling = MeanPooling
	data := want.Marshal()
	got, err := Read(fstest.MapFS{"config.json": {Data: data}}, "config.json")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) || !bytes.Equal(got.Marshal(), data) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestRead reads text that no Config marshals to.
func TestRead(t *testing.T) {
	good := string(small(t).Marshal())
	replace := func(old, new string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	tests := []struct{ name, text, err string }{
		{"as it is", good, ""},
		{"an unknown field", replace(`"model_type"`, `"transformers_version": "4.0", "model_type"`), ""},
		{"a field twice", replace(`"hidden_size": 128`, `"hidden_size": 128, "hidden_size": 64`), `config.json: text_config: the key "hidden_size" appears twice`},
		{"a field in another case", replace(`"hidden_size"`, `"Hidden_Size"`), "text_config.Hidden_Size: the key must be written hidden_size"},
		{"a string for a size", replace(`"hidden_size": 128`, `"hidden_size": "128"`), "text_config.hidden_size: want a whole number, found a string"},
		{"NaN", replace(`"layer_norm_eps": 0.00001`, `"layer_norm_eps": NaN`), "text_config.layer_norm_eps: line"},
		{"beyond float64", replace(`"layer_norm_eps": 0.00001`, `"layer_norm_eps": 1e999`), "text_config.layer_norm_eps: want a number, found 1e999"},
		{"a class twice", replace(`"0": "yes"`, `"0": "yes", "0": "no"`), `id2label: the key "0" appears twice`},
		{"not JSON", "model", "config.json: line 1: not JSON"},
		{"nothing", "", "config.json: line 1: not JSON"},
		{"too large", good + strings.Repeat(" ", maxFile), "the file is larger than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fsys := fstest.MapFS{"config.json": {Data: []byte(test.text)}}
			_, err := Read(fsys, "config.json")
			wantError(t, err, test.err)
			wantError(t, Check(fsys, "config.json"), test.err)
		})
	}
}

// TestParameters compares the estimate with the models themselves.
func TestParameters(t *testing.T) {
	for _, name := range Names() {
		c, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		c.SetLabels([]string{"a", "b"})
		m, err := model.NewVLM(c.Shape())
		if err != nil {
			t.Fatal(err)
		}
		exact := int64(0)
		for _, p := range m.Params.All() {
			exact += int64(p.Len())
		}
		if got := c.Parameters(); got < exact*95/100 || got > exact*105/100 {
			t.Errorf("%s: %d parameters, estimated %d", name, exact, got)
		}
	}
}

// TestHostileTable reads every configuration of the fixtures within 2 s and
// 256 MB, and holds it to the verdict beside it.
func TestHostileTable(t *testing.T) {
	dir := shared.Path(t, "fixtures", "hostile")
	table, err := os.ReadFile(filepath.Join(dir, "hostile.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{
		"heads_do_not_divide": "num_attention_heads", "hidden_size_string": "hidden_size", "layer_norm_eps_nan": "layer_norm_eps",
		"layers_million": "num_hidden_layers", "vocab_negative": "vocab_size",
	}
	count := 0
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) < 3 || columns[1] != "config" {
			continue
		}
		count++
		t.Run(columns[0], func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			verdict, err := "accept", Check(os.DirFS(dir), columns[0])
			if err != nil {
				verdict = "refuse"
				field := fields[strings.TrimSuffix(filepath.Base(columns[0]), ".json")]
				if !strings.Contains(err.Error(), columns[0]) || !strings.Contains(err.Error(), field) {
					t.Errorf("the error names no file or not the field %q: %v", field, err)
				}
				t.Log(err)
			}
			runtime.ReadMemStats(&after)
			if took, mb := time.Since(start), (after.TotalAlloc-before.TotalAlloc)>>20; took > 2*time.Second || mb > 256 {
				t.Errorf("took %v and %d MB", took, mb)
			}
			if !slices.Contains(strings.Split(columns[2], "|"), verdict) {
				t.Errorf("verdict %s, want %s", verdict, columns[2])
			}
		})
	}
	if count < 5 {
		t.Errorf("only %d configurations in hostile.tsv", count)
	}
}

func TestReadText(t *testing.T) {
	got, err := ReadText(os.DirFS(shared.Path(t, "fixtures", "roberta_tiny_synthetic")), "config.json")
	want := &Text{VocabSize: 300, Hidden: 64, Layers: 3, Heads: 4, Intermediate: 128, Positions: 66, Pad: 1, LayerNormEps: 1e-5, InitStd: 0.02, TypeVocab: 1, Activation: "gelu"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	wantError(t, Check(fstest.MapFS{"c": {Data: []byte(`{"model_type":"bert"}`)}}, "c"), `model_type is "bert"; want duet-vlm or roberta`)
	wantError(t, Check(fstest.MapFS{}, "c"), "c")
	for kind, want := range map[string]string{"roberta": "", "xlm-roberta": "", "camembert": "", "deberta": `"deberta"`} {
		large := `{"model_type":"` + kind + `","vocab_size":250002,"hidden_size":1024,"num_hidden_layers":24,"num_attention_heads":16,"intermediate_size":4096,"max_position_embeddings":514,"type_vocab_size":1,"layer_norm_eps":1e-05}`
		wantError(t, Check(fstest.MapFS{"c": {Data: []byte(large)}}, "c"), want)
	}
}

// FuzzConfig judges anything; what is accepted must survive being written.
func FuzzConfig(f *testing.F) {
	for _, name := range Names() {
		data, err := named.ReadFile(name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(small(f).Marshal())
	f.Add([]byte(`{"model_type":"roberta","vocab_size":300,"hidden_size":64,"num_hidden_layers":3,"num_attention_heads":4,"intermediate_size":128,"max_position_embeddings":66,"layer_norm_eps":1e-05}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{"config.json": {Data: data}}
		_ = Check(fsys, "config.json")
		c, err := Read(fsys, "config.json")
		if err != nil {
			return
		}
		if n := c.Parameters(); n <= 0 || n > maxParameters {
			t.Fatalf("%d parameters", n)
		}
		written := c.Marshal()
		if !json.Valid(written) {
			t.Fatalf("wrote %q", written)
		}
		if _, err := Read(fstest.MapFS{"config.json": {Data: written}}, "config.json"); err != nil {
			t.Fatal(err)
		}
		if labels, err := c.Labels(); err != nil || len(labels) != len(c.ID2Label) {
			t.Fatal(labels, err)
		}
	})
}
