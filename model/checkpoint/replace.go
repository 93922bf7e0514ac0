package checkpoint

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An Entry is a file of a model to be written. Name is its path in the folder,
// with slashes.
type Entry struct {
	Name  string
	Write func(w io.Writer) error
}

// Data is an entry with the given contents.
func Data(name string, data []byte) Entry {
	return Entry{name, func(w io.Writer) error { _, err := w.Write(data); return err }}
}

// modelFiles are the names of files that a model folder may hold and lose when
// the model is replaced.
var modelFiles = []string{
	configName, weightsName, "README.md", "LICENSE", ".gitattributes", "tokenizer.json", "tokenizer_config.json",
	"adapter.safetensors", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "preprocessor_config.json",
}

// maxConfig bounds config.json, which may list many pictures' hashes.
const maxConfig = 32 << 20

// WriteModel writes a model, config.json among its files: as a zip where path
// ends in .zip, as a folder elsewhere, by [WriteZip] and [WriteDir]. In both
// cases only a model is replaced.
func WriteModel(path string, files []Entry, replaces ...string) error {
	return writing(path, writeModel(disk{}, path, files, replaces, nil))
}

// RewriteModel is [WriteModel] for files whose contents come from what lies at
// path. release closes that: it is called once when everything is written and
// nothing is replaced yet, since Windows renames no file that is open.
func RewriteModel(path string, files []Entry, release func() error) error {
	return writing(path, writeModel(disk{}, path, files, nil, release))
}

func writeModel(d disk, path string, files []Entry, replaces []string, release func() error) error {
	if !isZip(path) {
		return writeDir(d, path, files, replaces, release)
	}
	err := checkFiles(files)
	if err == nil {
		err = canReplaceZip(path, append(names(files), replaces...))
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o777)
	}
	if err == nil {
		err = writeFile(d, path, func(w io.Writer) error { return writeZip(w, files) }, release)
	}
	return err
}

func writing(path string, err error) error {
	if err != nil {
		return fmt.Errorf("checkpoint: writing the model %s: %w", path, err)
	}
	return nil
}

func isZip(path string) bool { return strings.EqualFold(filepath.Ext(path), ".zip") }

// CanWriteModel reports, before the work that makes a model, whether
// [WriteModel] would refuse the path because of what is there. replaces are
// further names of files that may be lost. A folder whose replacement was
// interrupted is put back first, so that path holds what would be replaced.
func CanWriteModel(path string, replaces ...string) error {
	if isZip(path) {
		return writing(path, canReplaceZip(path, replaces))
	}
	target, err := resolve(path)
	if err == nil {
		err = recoverDir(disk{}, target)
	}
	if err == nil {
		err = canReplaceDir(target, replaces)
	}
	return writing(path, err)
}

func canReplaceZip(path string, replaces []string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is a folder or a device; give another name")
	}
	if err != nil {
		return err
	}
	m, err := OpenModel(path)
	if err != nil {
		return fmt.Errorf("what is there is no model, so it is not replaced; give another name: %w", err)
	}
	defer m.Close()
	return canReplace(m.zip.archive, m.zip.root, replaces)
}

// canReplaceDir allows what does not exist, an empty folder, and a model's.
func canReplaceDir(dir string, replaces []string) error {
	if cwd, err := os.Getwd(); err == nil && cwd == dir {
		return errors.New("it is the current folder; give one in it")
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("it is a file; give a folder or a name that ends in .zip")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		return err
	}
	return canReplace(os.DirFS(dir), ".", replaces)
}

// canReplace allows a folder or an archive with a model's config.json at root,
// in which every file directly there has a name that a model's files have, and
// which holds nothing else.
func canReplace(fsys fs.FS, root string, replaces []string) error {
	const advice = "so it is not replaced; give another name"
	if err := hasConfig(fsys, root); err != nil {
		return fmt.Errorf("what is there is no model, %s: %w", advice, err)
	}
	return fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		inModel := path.Dir(name) == root && slices.Contains(modelFiles, e.Name())
		if !e.Type().IsRegular() || !inModel && !slices.Contains(replaces, name) {
			return fmt.Errorf("it holds %s, which is no part of a model, %s", name, advice)
		}
		return nil
	})
}

// hasConfig looks for a config.json with the marks of a model's.
func hasConfig(fsys fs.FS, root string) error {
	name := path.Join(root, configName)
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	var config struct {
		ModelType     string   `json:"model_type"`
		Architectures []string `json:"architectures"`
	}
	if err := ReadJSON(fsys, name, maxConfig, &config); err != nil {
		return err
	}
	if config.ModelType == "" && len(config.Architectures) == 0 {
		return fmt.Errorf("%s names no model_type", name)
	}
	return nil
}

// WriteDir writes a model's folder. The files go into a temporary folder beside
// path and are made durable; then the folder at path, if any, is set aside, the
// new one takes its name, and the old one is removed. On an error path holds
// what it held before. After a crash it holds that or the whole new folder, at
// the latest when [OpenModel] or WriteDir is next given the path.
//
// Only an empty folder or a model's is replaced, and a model's only if it holds
// nothing but files named as a model's are, as those of files, or as one of
// replaces. One process at a time may write a path.
func WriteDir(path string, files []Entry, replaces ...string) error {
	return writing(path, writeDir(disk{}, path, files, replaces, nil))
}

func writeDir(d disk, path string, files []Entry, replaces []string, release func() error) error {
	if err := checkFiles(files); err != nil {
		return err
	}
	path, err := resolve(path)
	if err != nil {
		return err
	}
	replaces = append(names(files), replaces...)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := recoverDir(d, path); err != nil {
		return err
	}
	if err := d.removeTemps(path); err != nil {
		return err
	}
	if err := canReplaceDir(path, replaces); err != nil {
		return err
	}
	temp := tempName(path)
	if err := fillDir(d, temp, files); err != nil {
		return errors.Join(err, d.removeAll(temp))
	}
	err = d.syncDir(filepath.Dir(path))
	if err == nil && release != nil {
		err = release()
	}
	if err != nil {
		return errors.Join(err, d.removeAll(temp))
	}
	return swapDir(d, temp, path)
}

// fillDir makes a folder with the files durable.
func fillDir(d disk, dir string, files []Entry) error {
	if err := d.mkdir(dir); err != nil {
		return err
	}
	made := map[string]bool{".": true}
	for _, f := range files {
		for _, parent := range parents(f.Name) {
			if !made[parent] {
				if err := d.mkdir(filepath.Join(dir, filepath.FromSlash(parent))); err != nil {
					return err
				}
				made[parent] = true
			}
		}
		if err := d.writeFile(filepath.Join(dir, filepath.FromSlash(f.Name)), 0o666, f.Write); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for folder := range made {
		if err := d.syncDir(filepath.Join(dir, filepath.FromSlash(folder))); err != nil {
			return err
		}
	}
	return nil
}

// parents lists the folders above a file, outermost first.
func parents(name string) []string {
	var all []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		all = append(all, dir)
	}
	slices.Reverse(all)
	return all
}

// swapDir gives temp the name path. Between the two renames nothing has that
// name; recoverDir then takes the old folder back.
func swapDir(d disk, temp, path string) error {
	old := oldName(path)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := d.rename(temp, path); err != nil {
			return errors.Join(err, d.removeAll(temp))
		}
		return d.syncDir(filepath.Dir(path))
	}
	if err := d.rename(path, old); err != nil {
		return errors.Join(err, d.removeAll(temp))
	}
	if err := d.rename(temp, path); err != nil {
		return errors.Join(err, d.rename(old, path), d.removeAll(temp))
	}
	if err := d.syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	_ = d.removeAll(old) // the new model stands; the next write removes what is left
	return nil
}

// recoverDir puts path right after an interrupted WriteDir: where a folder was
// set aside, it is removed if path holds a model, and else takes back its name.
// (It was set aside only when the new one was complete.)
func recoverDir(d disk, path string) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	old := oldName(path)
	if _, err := os.Lstat(old); err != nil {
		return nil
	}
	entries, err := os.ReadDir(path)
	switch {
	case err == nil && len(entries) > 0:
		if err := hasConfig(os.DirFS(path), "."); err != nil {
			return fmt.Errorf("an earlier write was interrupted and left the model as %s, but what has its name is no model; move one of them away: %w", old, err)
		}
		return d.removeAll(old)
	case err == nil:
		if err := d.remove(path); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := d.rename(old, path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

func names(files []Entry) []string {
	all := make([]string, len(files))
	for i, f := range files {
		all[i] = f.Name
	}
	return all
}

// checkFiles refuses names that are no plain paths, clash, or lack config.json.
func checkFiles(files []Entry) error {
	seen := map[string]bool{}
	for _, f := range files {
		if !fs.ValidPath(f.Name) || f.Name == "." || strings.ContainsAny(f.Name, "\\:\x00") {
			return fmt.Errorf("the name %q is not a plain path", f.Name)
		}
		name := strings.ToLower(f.Name)
		if seen[name] {
			return fmt.Errorf("the file %s is given twice", f.Name)
		}
		seen[name] = true
	}
	for _, f := range files {
		for _, parent := range parents(f.Name) {
			if seen[strings.ToLower(parent)] {
				return fmt.Errorf("%s is given as a file and as a folder", parent)
			}
		}
	}
	if !slices.ContainsFunc(files, func(f Entry) bool { return f.Name == configName }) {
		return fmt.Errorf("a model needs a %s", configName)
	}
	return nil
}

// WriteZip writes a model as a zip: the same files give the same bytes,
// whatever their order. Weights are stored, so that they can be read where they
// lie; other files are deflated. All bear the same date.
func WriteZip(w io.Writer, files []Entry) error {
	err := checkFiles(files)
	if err == nil {
		err = writeZip(w, files)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: writing a zip: %w", err)
	}
	return nil
}

func writeZip(w io.Writer, files []Entry) error {
	files = slices.SortedFunc(slices.Values(files), func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	archive := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		header.SetMode(0o644)
		if strings.HasSuffix(f.Name, ".safetensors") {
			header.Method = zip.Store
		}
		entry, err := archive.CreateHeader(header)
		if err == nil {
			err = f.Write(entry)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return archive.Close()
}
