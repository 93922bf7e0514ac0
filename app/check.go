package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/nn"
	"duet/model/onnx"
	"duet/model/text"
)

// The kinds of file that a check knows besides those of package data.
const (
	KindModel      data.Kind = "model"      // a folder, or a zip of one
	KindCheckpoint data.Kind = "checkpoint" // weights alone
	KindTokenizer  data.Kind = "tokenizer"  // tokenizer.json, a vocabulary or a list of merges
	KindConfig     data.Kind = "config"     // config.json
	KindONNX       data.Kind = "onnx"       // one file, of any program
)

// kindNames are other names of kinds.
var kindNames = map[string]data.Kind{"image": data.KindPicture, "safetensors": KindCheckpoint, "pth": KindCheckpoint, "zip": KindModel, "folder": data.KindCollection}

// Kinds lists the kinds of file that [Check] knows.
func Kinds() []data.Kind {
	return []data.Kind{data.KindPicture, data.KindTable, data.KindTar, data.KindCollection, KindModel, KindCheckpoint, KindTokenizer, KindConfig, KindONNX}
}

// ParseKind returns the kind of a name such as "picture", or "image".
func ParseKind(name string) (data.Kind, error) {
	kind := data.Kind(name)
	if other, ok := kindNames[name]; ok {
		kind = other
	}
	if !slices.Contains(Kinds(), kind) {
		return "", fmt.Errorf("app: no kind %q; known are %s", name, strings.Trim(fmt.Sprint(Kinds()), "[]"))
	}
	return kind, nil
}

// KindOf tells what a path on disk would be read as, by its name and, where
// that does not tell, by its first bytes; "" for nothing known.
func KindOf(name string) data.Kind {
	info, err := os.Stat(name)
	if err != nil {
		return data.KindOf(name)
	}
	base := strings.ToLower(filepath.Base(name))
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(name, "config.json")); err == nil {
			return KindModel
		}
		return data.KindCollection
	}
	switch filepath.Ext(base) {
	case ".safetensors", ".pth", ".pt", ".th", ".bin", ".ckpt":
		return KindCheckpoint
	case ".zip":
		return KindModel
	case ".onnx":
		return KindONNX
	case ".json":
		return kindOfJSON(name, base)
	case ".txt":
		if strings.Contains(base, "merges") {
			return KindTokenizer
		}
	}
	if kind := data.KindOf(name); kind != "" {
		return kind
	}
	switch first := firstBytes(name, 256); {
	case bytes.HasPrefix(first, []byte("PK\x03\x04")) && bytes.Contains(first, []byte("/data.pkl")):
		return KindCheckpoint // PyTorch's
	case bytes.HasPrefix(first, []byte("PK\x03\x04")):
		return KindModel
	case isOurONNX(first):
		return KindONNX
	case len(first) > 8 && first[8] == '{', checkpoint.IsPickle(first):
		return KindCheckpoint
	}
	return ""
}

// kindOfJSON tells a configuration from a part of a tokenizer.
func kindOfJSON(name, base string) data.Kind {
	first := firstBytes(name, 4096)
	switch {
	case bytes.Contains(first, []byte(`"model_type"`)):
		return KindConfig
	case strings.Contains(base, "vocab"), strings.HasPrefix(base, "tokenizer"), bytes.Contains(first, []byte(`"merges"`)):
		return KindTokenizer
	}
	return KindConfig
}

// firstBytes returns at most n bytes of the beginning of a regular file.
func firstBytes(name string, n int) []byte {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	first := make([]byte, n)
	n, _ = io.ReadFull(f, first)
	return first[:n]
}

// Check runs the reader of a kind over a path on disk and says what came of
// it; "" takes the kind from [KindOf]. images and o are for tables, tars and
// collections, as for [data.OpenPath].
func Check(ctx context.Context, name string, kind data.Kind, images string, o data.Options) data.Finding {
	if kind == "" {
		kind = KindOf(name)
	}
	check := map[data.Kind]func(string) (string, error){
		KindModel: checkModel, KindCheckpoint: checkCheckpoint, KindTokenizer: checkTokenizer, KindConfig: checkConfig, KindONNX: checkONNX,
	}[kind]
	if kind != "" && check == nil {
		return data.Check(ctx, name, kind, images, o)
	}
	f := data.Finding{File: name, Kind: kind, Verdict: data.Refuse}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		f.Reason = fmt.Sprintf("app: checking %s: %v", name, err)
		return f
	case kind == "":
		f.Reason = fmt.Sprintf("app: checking %s: neither its name nor its content is of a known kind; say with --kind which it shall be", name)
		return f
	case !info.Mode().IsRegular() && (kind != KindModel || !info.IsDir()):
		f.Reason = fmt.Sprintf("app: checking %s: it is no regular file, as a %s is", name, kind)
		return f
	}
	if f.Reason, err = check(name); err != nil {
		f.Reason = err.Error()
		if !strings.Contains(f.Reason, filepath.Base(name)) {
			f.Reason = fmt.Sprintf("app: checking %s: %v", name, err)
		}
		return f
	}
	f.Verdict = data.Accept
	return f
}

// besides returns the folder of a file as a file system, and the file's name in it.
func besides(name string) (fs.FS, string) {
	return os.DirFS(filepath.Dir(name)), filepath.Base(name)
}

func checkTokenizer(name string) (string, error) {
	files, base := besides(name)
	return "a tokenizer's file, whole by itself and with those beside it", text.Check(files, base)
}

func checkConfig(name string) (string, error) {
	files, base := besides(name)
	return "a configuration of known architecture, every size within its bounds", config.Check(files, base)
}

// checkCheckpoint reads weights alone: the list of tensors and all values.
func checkCheckpoint(name string) (string, error) {
	f, err := checkpoint.OpenFile(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return describeWeights(f)
}

func describeWeights(f *checkpoint.File) (string, error) {
	values := 0
	for _, tensor := range f.Names() {
		info, _ := f.Info(tensor)
		values += info.Len()
	}
	bad, err := f.NonFinite()
	if err != nil {
		return "", err
	}
	return tensorsWith(len(f.Names()), values, bad), nil
}

// tensorsWith says how many values tensors have, and in which some are not finite.
func tensorsWith[N int | int64](tensors int, values N, notFinite []string) string {
	s := fmt.Sprintf("%d tensors with %d values", tensors, values)
	if len(notFinite) > 0 {
		s += "; not finite: " + shortList(notFinite, 5)
	}
	return s
}

// isOurONNX recognises an export by its first bytes. Those of others tell nothing.
func isOurONNX(first []byte) bool {
	ours, err := onnx.Written(bytes.NewReader(first))
	return ours && err == nil
}

// checkONNX reads an ONNX file, and of an export also whether its classes are
// those that its metadata names.
func checkONNX(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	s, err := onnx.Verify(f, info.Size())
	if err != nil {
		return "", err
	}
	by := s.Producer
	if by == onnx.Producer {
		if err := namesClasses(s); err != nil {
			return "", err
		}
		by = "Duet"
	}
	if by != "" {
		by = " by " + strings.TrimSpace(by+" "+s.Version)
	}
	return fmt.Sprintf("an ONNX model of opset %d%s, from %s to %s: %d nodes, %s", s.Opset, by, listPorts(s.Inputs), listPorts(s.Outputs),
		s.Nodes, tensorsWith(s.Tensors, s.Values, s.NotFinite)), nil
}

func listPorts(ports []onnx.Port) string {
	var names []string
	for _, p := range ports {
		names = append(names, p.String())
	}
	return shortList(names, 5)
}

// namesClasses compares the classes of an export's metadata with its logits.
func namesClasses(s *onnx.Summary) error {
	var classes map[string]string
	if err := checkpoint.DecodeJSON([]byte(s.Metadata["id2label"]), &classes); err != nil {
		return fmt.Errorf("its metadata id2label: %w", err)
	}
	logits := s.Outputs[0]
	if n := len(logits.Shape); n == 0 || logits.Shape[n-1] != strconv.Itoa(len(classes)) {
		return fmt.Errorf("its metadata name %d classes, its output is %s", len(classes), logits)
	}
	return nil
}

// checkModel opens a model's folder or zip: configuration, tokenizer, and a
// tensor of the right shape for every parameter.
func checkModel(name string) (string, error) {
	files, err := checkpoint.OpenModel(name)
	if err != nil {
		return "", err
	}
	defer files.Close()
	inModel := func(err error) error { return fmt.Errorf("app: %s: %w", name, err) }
	if err := config.Check(files, "config.json"); err != nil {
		return "", inModel(err)
	}
	weights, err := files.Weights()
	if err != nil {
		return "", inModel(err)
	}
	defer weights.Close()
	reason, err := describeWeights(weights)
	if err != nil {
		return "", inModel(err)
	}
	kind, err := config.TypeOf(files, "config.json")
	if err == nil && kind != config.ModelType {
		err = towerFits(files, weights)
	}
	if err != nil {
		return "", inModel(err)
	}
	if kind != config.ModelType {
		return "a " + kind + " tower alone: " + reason, nil
	}
	c, err := config.Read(files, "config.json")
	if err == nil && c.Text != nil {
		_, err = text.Load(files)
	}
	if err == nil {
		err = fits(c, weights)
	}
	if err != nil {
		return "", inModel(err)
	}
	untrained := ""
	if c.Training == nil {
		untrained = ", not trained yet"
	}
	return fmt.Sprintf("a model of %d classes, fusion %s%s: %s", len(c.ID2Label), c.Fusion, untrained, reason), nil
}

// towerFits compares the tensors with the parameters of a text tower's
// configuration. Some may be absent, which [Init] then tells.
func towerFits(files *checkpoint.Model, weights *checkpoint.File) error {
	c, err := config.ReadText(files, "config.json")
	if err != nil {
		return err
	}
	tower, err := model.FindRoBERTa(weights)
	if err != nil {
		return err
	}
	params := nn.NewParams()
	model.NewRoBERTa(params, "text.", c.Shape())
	_, _, err = tower.Sources(params.All())
	return err
}

// fits compares the tensors with the parameters of the configuration's model.
func fits(c *config.Config, weights *checkpoint.File) error {
	vlm, err := model.NewVLM(c.Shape())
	if err != nil {
		return err
	}
	for _, p := range vlm.Params.All() {
		info, ok := weights.Info(p.Name)
		if !ok {
			return fmt.Errorf("model.safetensors lacks %s", p.Name)
		}
		if !slices.Equal(info.Shape, p.Shape) {
			return fmt.Errorf("model.safetensors: %s is %v; config.json makes it %v", p.Name, info.Shape, p.Shape)
		}
	}
	return nil
}
