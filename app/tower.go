package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duet/model"
	"duet/model/checkpoint"
	"duet/model/config"
	"duet/model/data"
	"duet/model/report"
	"duet/model/text"
)

// A Tower is a pretrained tower on disk: weights, and what lies beside them.
type Tower struct {
	Name    string            // as it was given
	Path    string            // where it is
	Folder  *checkpoint.Model // config.json and the tokenizer; nil: there are only weights
	Weights *checkpoint.File

	words *words // once they have been read
}

// words are a text tower and what comes with it.
type words struct {
	tower     *model.Tower
	config    config.Text
	tokenizer *text.Tokenizer
	cleaning  text.Cleaning
}

// locate returns where the files of a tower are. A path is taken as it is; else
// it is the name of a published model that was fetched, see package hub.
func locate(name string) (string, error) {
	_, err := os.Stat(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return name, err
	}
	path, ok, published := fetched(name)
	switch {
	case ok:
		return path, nil
	case published:
		return "", fmt.Errorf("there is no file or folder %s, and no published model of that name is here; duet pull %s fetches one", name, name)
	}
	return "", fmt.Errorf("there is no file or folder %s; give the path of one", name)
}

// OpenTower opens the files of a tower: a checkpoint (safetensors or PyTorch's),
// or a folder or zip of one with its config.json. The caller closes it.
func OpenTower(name string) (*Tower, error) {
	path, err := locate(name)
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	t := &Tower{Name: name, Path: path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case info.IsDir(), strings.EqualFold(filepath.Ext(path), ".zip"):
		if t.Folder, err = checkpoint.OpenModel(path); err == nil {
			t.Weights, err = t.Folder.Weights()
		}
	default:
		t.Weights, err = checkpoint.OpenFile(path)
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("app: opening %s: %w", name, err)
	}
	return t, nil
}

// OpenTowerFS opens the files of a tower at the root of fsys, for where there is
// no disk: a folder with its config.json, or a single checkpoint. name is how
// errors call it.
func OpenTowerFS(fsys fs.FS, name string) (*Tower, error) {
	t := &Tower{Name: name}
	var err error
	if t.Folder, err = checkpoint.OpenModelFS(fsys, name); err == nil {
		t.Weights, err = t.Folder.Weights()
	} else if errors.Is(err, fs.ErrNotExist) {
		t.Folder = nil
		t.Weights, err = onlyCheckpoint(fsys)
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("app: opening %s: %w", name, err)
	}
	return t, nil
}

// onlyCheckpoint opens the one file at the root of fsys.
func onlyCheckpoint(fsys fs.FS) (*checkpoint.File, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("it has %d files and no config.json; want one checkpoint", len(list))
	}
	if err != nil {
		return nil, err
	}
	return checkpoint.OpenFS(fsys, list[0].Name())
}

// Close closes the files.
func (t *Tower) Close() {
	if t.Weights != nil {
		t.Weights.Close()
	}
	if t.Folder != nil {
		t.Folder.Close()
	}
}

func (t *Tower) fail(err error) error { return fmt.Errorf("app: %s: %w", t.Name, err) }

// source is how the configuration calls it: without the folders above it.
func (t *Tower) source() string { return strings.ToValidUTF8(filepath.Base(t.Name), "�") }

// kind is the model_type of its config.json, "" where it has none.
func (t *Tower) kind() (string, error) {
	if t.Folder == nil {
		return "", nil
	}
	return config.TypeOf(t.Folder, "config.json")
}

// vision finds the image tower and how pictures are prepared for it: as the
// files beside it say, else as torchvision does for networks of its kind.
func (t *Tower) vision() (*model.Tower, *config.Vision, data.Prep, error) {
	prep := data.NewPrep(224)
	prep.ResizeShort = 256
	tower, s, err := model.FindResNet(t.Weights)
	if err != nil {
		return nil, nil, prep, t.fail(err)
	}
	v := &config.Vision{Width: s.Width, Blocks: s.Blocks, Source: t.source()}
	if s.Stem == model.StemSmall {
		v.Stem, prep = s.Stem, data.NewPrep(32)
	}
	if s.Shortcut == model.ShortcutPadding {
		v.Shortcut = s.Shortcut
	}
	if prep, err = t.prepared(v, prep); err != nil {
		return nil, nil, prep, t.fail(err)
	}
	return tower, v, prep, nil
}

// prepared is how pictures are prepared, where the files say so. Of a model's
// tower it also notes what that began as.
func (t *Tower) prepared(v *config.Vision, prep data.Prep) (data.Prep, error) {
	kind, err := t.kind()
	if err != nil || t.Folder == nil {
		return prep, err
	}
	if kind != config.ModelType {
		return preparation(t.Folder, prep)
	}
	c, err := config.Read(t.Folder, "config.json")
	if err == nil && c.Vision != nil {
		prep, v.Source = c.Image, cmp.Or(c.Vision.Source, v.Source)
	}
	return prep, err
}

// text finds the text tower, its tokenizer, which takes a while to read, and how
// texts are cleaned for it. The configuration is the caller's to change.
func (t *Tower) text() (*model.Tower, *config.Text, *text.Tokenizer, text.Cleaning, error) {
	if t.words == nil {
		tower, c, tokenizer, cleaning, err := t.readText()
		if err != nil {
			return nil, nil, nil, cleaning, err
		}
		t.words = &words{tower, *c, tokenizer, cleaning}
	}
	c := t.words.config
	return t.words.tower, &c, t.words.tokenizer, t.words.cleaning, nil
}

func (t *Tower) readText() (*model.Tower, *config.Text, *text.Tokenizer, text.Cleaning, error) {
	var c config.Config
	if t.Folder == nil {
		return nil, nil, nil, c.Cleaning, t.fail(errors.New("a text tower needs its config.json and its tokenizer: give the folder that holds them with the weights"))
	}
	tower, err := model.FindRoBERTa(t.Weights)
	var kind string
	if err == nil {
		kind, err = t.kind()
	}
	switch {
	case err != nil:
	case kind == config.ModelType:
		var whole *config.Config
		if whole, err = config.Read(t.Folder, "config.json"); err == nil {
			c = *whole
		}
	case slices.Contains(config.RoBERTas, kind):
		c.Text, err = config.ReadText(t.Folder, "config.json")
	default:
		err = fmt.Errorf("its config.json has the model_type %.80q; text towers of %s are read", kind, strings.Join(config.RoBERTas, ", "))
	}
	var tokenizer *text.Tokenizer
	if err == nil {
		tokenizer, err = text.Load(t.Folder)
	}
	switch {
	case err != nil:
	case c.Text == nil:
		err = errors.New("it has no text tower")
	case tokenizer.VocabSize() > c.Text.VocabSize:
		err = fmt.Errorf("the tokenizer has %d entries, config.json's vocab_size is %d", tokenizer.VocabSize(), c.Text.VocabSize)
	}
	if err != nil {
		return nil, nil, nil, c.Cleaning, t.fail(err)
	}
	c.Text.Source = cmp.Or(c.Text.Source, t.source())
	return tower, c.Text, tokenizer, c.Cleaning, nil
}

// take finds the tower's parameters among the model's and reports them.
func (t *Tower) take(tower *model.Tower, m *model.VLM, shape string) ([]model.Source, *report.Tower, error) {
	found, loaded, err := tower.Sources(m.Params.All())
	if err != nil {
		return nil, nil, t.fail(err)
	}
	list := func(names []string) []string { return append([]string{}, names...) } // for JSON: never null
	return found, &report.Tower{
		Source: t.Name, Shape: shape, Loaded: list(loaded.Loaded), Ignored: list(loaded.Ignored), Initialised: list(loaded.Missing), Folded: tower.Folded,
	}, nil
}
