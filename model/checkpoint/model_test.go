package checkpoint

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// sample is a small model; version marks its contents.
func sample(version string) []Entry {
	return []Entry{
		Data("config.json", []byte(`{"model_type":"duet","version":"`+version+`"}`)),
		{"model.safetensors", func(w io.Writer) error {
			return WriteSafetensors(w, []Tensor{Float32Tensor("fc.weight", []int{2, 2}, []float32{1, 2, 3, float32(len(version))})}, map[string]string{"version": version})
		}},
		Data("README.md", []byte("# "+version)),
		Data("vocab.json", []byte(`{"<s>":0}`+strings.Repeat(" ", 10*len(version)))),
	}
}

// contents are the bytes of a model's files.
func contents(t testing.TB, files []Entry) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, f := range files {
		var out strings.Builder
		if err := f.Write(&out); err != nil {
			t.Fatal(err)
		}
		all[f.Name] = out.String()
	}
	return all
}

func zipped(t testing.TB, files []Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteZip(&out, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

//go:embed testdata/embedded
var embedded embed.FS

// TestOpenModel opens the same model in every way there is.
func TestOpenModel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deeper", "model")
	if err := WriteModel(dir, sample("one")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "deeper", "model.zip")
	if err := WriteModel(file, sample("one")); err != nil {
		t.Fatal(err)
	}
	data := zipped(t, sample("one"))
	inEmbedded, err := fs.Sub(embedded, "testdata/embedded")
	if err != nil {
		t.Fatal(err)
	}
	inMemory := fstest.MapFS{}
	for name, text := range contents(t, sample("one")) {
		inMemory[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tests := []struct {
		name string
		open func() (*Model, error)
	}{
		{"folder", func() (*Model, error) { return OpenModel(dir) }},
		{"zip", func() (*Model, error) { return OpenModel(file) }},
		{"zip in memory", func() (*Model, error) { return OpenModelZip(bytes.NewReader(data), int64(len(data)), "default") }},
		{"embedded", func() (*Model, error) { return OpenModelFS(inEmbedded, "default") }},
		{"any file system", func() (*Model, error) { return OpenModelFS(inMemory, "default") }},
		{"files without random access", func() (*Model, error) { return OpenModelFS(streams{inMemory}, "default") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := test.open()
			if err != nil {
				t.Fatal(err)
			}
			checkSample(t, m, "one")
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// streams hides that files can be read at an offset.
type streams struct{ fs.FS }

func (s streams) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if _, ok := f.(fs.ReadDirFile); ok || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}

func checkSample(t *testing.T, m *Model, version string) {
	t.Helper()
	var config struct {
		Version string `json:"version"`
	}
	if err := m.Config(&config); err != nil || config.Version != version {
		t.Errorf("config %+v, %v", config, err)
	}
	w, err := m.Weights()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want := []float32{1, 2, 3, float32(len(version))}
	if got, err := w.Float32("fc.weight", nil); err != nil || !slices.Equal(got, want) || w.Metadata()["version"] != version {
		t.Errorf("weights %v, want %v; metadata %v, %v", got, want, w.Metadata(), err)
	}
	if readme, err := m.ReadFile("README.md"); err != nil || string(readme) != "# "+version {
		t.Errorf("README.md is %q, %v", readme, err)
	}
	if entries, err := fs.ReadDir(m, "."); err != nil || len(entries) != len(sample("")) {
		t.Errorf("entries %v, %v", entries, err)
	}
	if _, err := fs.Stat(m, "vocab.json"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"none.txt", "../config.json", "/config.json"} {
		if f, err := m.Open(name); err == nil {
			f.Close()
			t.Errorf("opened %s", name)
		}
	}
}

func TestOpenModelErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("empty/notes.txt", "x")
	write("bad/config.json", `{"version":1,"version":2}`)
	write("shards/config.json", `{}`)
	write("shards/model-1.safetensors", "")
	write("shards/model-2.safetensors", "")
	write("other/config.json", `{}`)
	write("other/weights.safetensors", string(raw(`{}`)))
	write("cut/config.json", `{}`)
	write("cut/model.safetensors", "abc")
	tests := []struct{ name, path, err string }{
		{"nothing there", "none", "none"},
		{"no config", "empty", "empty: it holds no config.json, so it is not a model"},
		{"weights alone", "cut/model.safetensors", "model.safetensors holds weights only; give the folder"},
		{"not a zip", "empty/notes.txt", "notes.txt: it is not a zip archive"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenModel(filepath.Join(dir, test.path))
			wantError(t, err, test.err)
		})
	}
	weights := []struct{ name, path, err string }{
		{"none", "bad", "bad: it has no model.safetensors"},
		{"shards", "shards", "shards: its weights lie in 2 files"},
		{"another name", "other", ""},
		{"cut short", "cut", "cut/model.safetensors: the file has 3 bytes"},
	}
	for _, test := range weights {
		t.Run("weights "+test.name, func(t *testing.T) {
			m, err := OpenModel(filepath.Join(dir, test.path))
			if err != nil {
				t.Fatal(err)
			}
			f, err := m.Weights()
			wantError(t, err, test.err)
			if err == nil {
				f.Close()
			}
		})
	}
	m, err := OpenModel(filepath.Join(dir, "bad"))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, m.Config(new(struct{})), `bad/config.json: the key "version" appears twice`)
}

// TestPipe opens a named pipe in a model's folder, which would wait for ever.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := mkfifo(filepath.Join(dir, "model.safetensors")); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("there are no named pipes here")
		}
		t.Fatal(err)
	}
	m, err := OpenModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Weights()
	wantError(t, err, "not a regular file")
	_, err = m.ReadFile("model.safetensors")
	wantError(t, err, "not a regular file")
	if err := os.Remove(filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenModel(dir); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// TestShards opens weights that an index splits, and refuses indices that lie.
func TestShards(t *testing.T) {
	shard := func(names ...string) string {
		var out bytes.Buffer
		var tensors []Tensor
		for _, name := range names {
			tensors = append(tensors, Float32Tensor(name, []int{2}, []float32{float32(name[0]), float32(len(name))}))
		}
		if err := WriteSafetensors(&out, tensors, map[string]string{"format": "pt"}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	s := block("0", 6)
	torch := torchTest{ordered("c", s.tensor(0, []int{3, 2}, []int{1, 3})), []torchBlock{s}}
	index := func(places string) string {
		return `{"metadata":{"total_size":24},"weight_map":{` + places + `}}`
	}
	const good = `"a":"m-1.safetensors","bb":"m-2.safetensors"`
	tests := []struct{ name, index, names, err string }{
		{"two files", index(good), "a bb", ""},
		{"another container", index(good + `,"c":"m-3.bin"`), "a bb c", ""},
		{"a part of a file", index(`"bb":"m-2.safetensors"`), "bb", ""},
		{"a tensor elsewhere", index(`"a":"m-2.safetensors"`), "", `m-2.safetensors: the index places the tensor "a" here`},
		{"a file that is not there", index(`"a":"m-9.safetensors"`), "", "m-9.safetensors"},
		{"a file outside", index(`"a":"../m-1.safetensors"`), "", "files beside it"},
		{"itself", index(`"a":"model.safetensors.index.json"`), "", "files beside it"},
		{"nothing", index(``), "", "names 0 files"},
		{"no index", `[]`, "", "model.safetensors.index.json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range map[string]string{
				"config.json": "{}", "model.safetensors.index.json": test.index,
				"m-1.safetensors": shard("a"), "m-2.safetensors": shard("bb", "other"), "m-3.bin": string(torch.zip(t)),
			} {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			m, err := OpenModelFS(files, "model")
			if err != nil {
				t.Fatal(err)
			}
			f, err := m.Weights()
			wantError(t, err, test.err)
			if err != nil {
				return
			}
			defer f.Close()
			if names := strings.Join(f.Names(), " "); names != test.names {
				t.Errorf("tensors %s, want %s", names, test.names)
			}
			for _, name := range f.Names() {
				want := []float32{float32(name[0]), float32(len(name))}
				if name == "c" {
					want = []float32{0, 3, 1, 4, 2, 5}
				}
				if got, err := f.Float32(name, nil); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s is %v, want %v, %v", name, got, want, err)
				}
			}
		})
	}
}

// TestWeightsByName takes the first of the names that weights usually have.
func TestWeightsByName(t *testing.T) {
	s := block("0", 1)
	torch := string(torchTest{ordered("torch", s.tensor(0, []int{1}, []int{1})), []torchBlock{s}}.legacy())
	safe := string(raw(`{"safe":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 0, 0, 0, 0))
	for _, test := range []struct{ files, want string }{
		{"model.safetensors pytorch_model.bin", "safe"}, {"pytorch_model.bin training_args.bin", "torch"}, {"resnet18.pth", "torch"}, {"best.safetensors last.pth", "safe"},
	} {
		files := fstest.MapFS{"config.json": {Data: []byte("{}")}}
		for name := range strings.FieldsSeq(test.files) {
			files[name] = &fstest.MapFile{Data: []byte(torch)}
			if strings.HasSuffix(name, ".safetensors") {
				files[name].Data = []byte(safe)
			}
		}
		m, err := OpenModelFS(files, "model")
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Weights()
		if err != nil || !slices.Equal(f.Names(), []string{test.want}) {
			t.Errorf("%s: tensors of %v, %v, want %s", test.files, f, err, test.want)
		}
	}
}
