package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duet/model/report"
)

// The files of a model that this package knows by name.
const (
	configName  = "config.json"
	weightsName = "model.safetensors"
)

// maxSmall bounds every file of a model but its weights; the largest
// tokenizer.json in use has about 35 MB.
const maxSmall = 64 << 20

// A Model is an opened model: a folder, or a zip of one. It is an [fs.FS] of
// the folder's files.
type Model struct {
	name  string
	files fs.FS
	zip   *zipFS // the same files, where they come from a zip
	close func() error
}

// OpenModel opens a model on disk: a folder, or a zip of one, with a
// config.json. A folder whose replacement was interrupted is put back first.
// The caller closes the model.
func OpenModel(name string) (*Model, error) {
	info, err := statModel(name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: opening the model: %w", err)
	}
	switch {
	case info.IsDir():
		return OpenModelFS(os.DirFS(name), name)
	case strings.HasSuffix(name, ".safetensors"), isTorchName(name):
		return nil, report.Because(fmt.Errorf("checkpoint: %s holds weights only; give the folder that holds it with its %s", name, configName), report.BadModel, filepath.Base(name))
	case !info.Mode().IsRegular():
		return nil, report.Because(fmt.Errorf("checkpoint: %s is neither a folder nor a zip", name), report.BadModel, filepath.Base(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: opening the model: %w", err)
	}
	m, err := OpenModelZip(f, info.Size(), name)
	if err != nil {
		f.Close()
		return nil, err
	}
	m.close = f.Close
	return m, nil
}

// isTorchName reports whether a name ends as PyTorch's files do.
func isTorchName(name string) bool {
	return slices.Contains([]string{".pth", ".pt", ".th", ".bin", ".ckpt"}, strings.ToLower(filepath.Ext(name)))
}

// statModel looks for the model. Where it is missing but WriteDir has set a
// folder aside, either the new one is about to get the name or the write was
// interrupted.
func statModel(name string) (fs.FileInfo, error) {
	info, err := os.Stat(name)
	for range 5 {
		if !errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
		if _, aside := os.Lstat(oldName(filepath.Clean(name))); aside != nil {
			return info, err
		}
		time.Sleep(20 * time.Millisecond)
		info, err = os.Stat(name)
	}
	if errors.Is(err, fs.ErrNotExist) && recoverDir(disk{}, name) == nil {
		return os.Stat(name)
	}
	return info, err
}

// OpenModelFS opens the model at the root of fsys, for example embedded files.
// name is how errors call it.
func OpenModelFS(fsys fs.FS, name string) (*Model, error) {
	m := &Model{name: name, files: fsys}
	if _, err := fs.Stat(fsys, configName); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("it holds no %s, so it is not a model: %w", configName, err)
		}
		return nil, m.wrap("", err)
	}
	return m, nil
}

// OpenModelZip opens a model in a zip of size bytes, for example in memory.
// name is how errors call it. Refused are archives with more than 1000 files,
// encrypted entries, names that are absolute, lead outside, or appear twice,
// overlapping entries, and zip bombs.
func OpenModelZip(r io.ReaderAt, size int64, name string) (*Model, error) {
	m := &Model{name: name}
	z, err := openZip(r, size)
	if err != nil {
		return nil, m.wrap("", err)
	}
	m.zip, m.files = z, z
	return m, nil
}

func (m *Model) wrap(file string, err error) error {
	return report.Because(fmt.Errorf("checkpoint: model %s: %w", path.Join(m.name, file), err), report.BadModel, path.Base(filepath.ToSlash(m.name)))
}

// Name is how errors call the model: its path.
func (m *Model) Name() string { return m.name }

// Close closes the model and what [Model.Weights] reads from.
func (m *Model) Close() error {
	if m.close == nil {
		return nil
	}
	return m.close()
}

// Open opens a file of the model, or a folder in it. Pipes and devices are
// refused before they are opened, since opening a pipe would wait.
func (m *Model) Open(name string) (fs.File, error) {
	info, err := fs.Stat(m.files, name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("it is not a regular file")}
	}
	if err != nil {
		return nil, err
	}
	return m.files.Open(name)
}

// ReadFile reads a file of at most 64 MB: anything but weights.
func (m *Model) ReadFile(name string) ([]byte, error) {
	data, err := readFile(m, name, maxSmall)
	if err != nil {
		return nil, m.wrap(name, err)
	}
	return data, nil
}

// Config decodes config.json as [DecodeJSON] does. Errors name the file.
func (m *Model) Config(v any) error {
	data, err := m.ReadFile(configName)
	if err != nil {
		return err
	}
	if err := DecodeJSON(data, v); err != nil {
		return m.wrap(configName, err)
	}
	return nil
}

// torchName is the name that Hugging Face's libraries gave weights before
// safetensors; a list of shards has the name of what it splits before ".index.json".
const (
	torchName = "pytorch_model.bin"
	indexName = ".index.json"
)

// Weights opens the model's weights: model.safetensors, or pytorch_model.bin, or
// the files among which the index of one of these splits it, or the only file
// there whose name ends as a checkpoint's. Nothing but its list of tensors is read
// from a folder or a stored zip entry, whose checksum is compared; a deflated entry
// is unpacked into memory. Close the file before the model.
func (m *Model) Weights() (*File, error) {
	name, err := m.weightsName()
	if err != nil {
		return nil, m.wrap("", err)
	}
	if strings.HasSuffix(name, indexName) {
		f, err := m.shards(name)
		if err != nil {
			return nil, m.wrap(name, err)
		}
		return f, nil
	}
	f, err := m.tensors(name)
	if err != nil {
		return nil, m.wrap(name, err)
	}
	return f, nil
}

// tensors opens one checkpoint of the model.
func (m *Model) tensors(name string) (*File, error) {
	r, size, closer, err := m.readerAt(name)
	if err != nil {
		return nil, err
	}
	f, err := open(r, size)
	if closer != nil && err != nil {
		closer.Close()
	}
	if err != nil {
		return nil, err
	}
	if closer != nil {
		f.closers = append(f.closers, closer)
	}
	return f, nil
}

func (m *Model) weightsName() (string, error) {
	for _, name := range []string{weightsName, weightsName + indexName, torchName, torchName + indexName} {
		if _, err := fs.Stat(m.files, name); err == nil {
			return name, nil
		}
	}
	for _, pattern := range []string{"*.safetensors", "*.pt", "*.pth", "*.th"} {
		found, err := fs.Glob(m.files, pattern)
		if err != nil {
			return "", err
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return "", fmt.Errorf("its weights lie in %d files, and no %s%s says how they belong together", len(found), weightsName, indexName)
		}
	}
	return "", fmt.Errorf("it has no %s: %w", weightsName, fs.ErrNotExist)
}

// maxShards bounds the files that weights are split among.
const maxShards = 1000

// shards opens weights that an index splits among several files, as one.
func (m *Model) shards(index string) (*File, error) {
	var list struct {
		Places map[string]string `json:"weight_map"` // from tensor to file
	}
	data, err := readFile(m, index, maxSmall)
	if err == nil {
		err = DecodeJSON(data, &list)
	}
	if err != nil {
		return nil, err
	}
	files := slices.Compact(slices.Sorted(maps.Values(list.Places)))
	if len(files) == 0 || len(files) > maxShards {
		return nil, fmt.Errorf("weight_map names %d files; 1 to %d are read", len(files), maxShards)
	}
	all := new(File)
	for _, name := range files {
		if err := m.addShard(all, name, list.Places); err != nil {
			all.Close()
			return nil, fmt.Errorf("%.200s: %w", name, err)
		}
	}
	return all, nil
}

// addShard adds the tensors that an index places in the file of that name.
func (m *Model) addShard(all *File, name string, places map[string]string) error {
	if !fs.ValidPath(name) || strings.Contains(name, "/") || strings.HasSuffix(name, indexName) {
		return errors.New("weight_map must name files beside it")
	}
	f, err := m.tensors(name)
	if err != nil {
		return err
	}
	all.closers = append(all.closers, f.closers...)
	if all.byName == nil {
		all.byName, all.strides, all.metadata = map[string]int{}, map[string][]int64{}, f.metadata
	}
	for _, info := range f.infos {
		if places[info.Name] != name {
			continue
		}
		info.part = uint16(len(all.parts))
		all.byName[info.Name] = len(all.infos)
		all.infos = append(all.infos, info)
		if strides := f.strides[info.Name]; strides != nil {
			all.strides[info.Name] = strides
		}
	}
	all.parts = append(all.parts, f.parts[0])
	for _, tensor := range slices.Sorted(maps.Keys(places)) {
		if _, ok := all.byName[tensor]; !ok && places[tensor] == name {
			return fmt.Errorf("the index places the tensor %.200q here, but it is not", tensor)
		}
	}
	return nil
}

// readerAt opens a file for random access; one that allows none is read into
// memory.
func (m *Model) readerAt(name string) (io.ReaderAt, int64, io.Closer, error) {
	if m.zip != nil {
		r, size, err := m.zip.readerAt(name)
		return r, size, nil, err
	}
	f, err := m.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	if disk, ok := f.(*os.File); ok {
		if r, closer := mapFile(disk.Name(), info.Size()); r != nil {
			f.Close()
			return r, info.Size(), closer, nil
		}
	}
	if r, ok := f.(io.ReaderAt); ok {
		return r, info.Size(), f, nil
	}
	defer f.Close()
	data, err := readAll(f, maxInflated)
	if err != nil {
		return nil, 0, nil, err
	}
	return strings.NewReader(data), int64(len(data)), nil, nil
}

// readFile reads a file of at most limit bytes.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readAll(f, limit)
	return []byte(data), err
}

// readAll reads at most limit bytes; more are an error.
func readAll(r io.Reader, limit int64) (string, error) {
	var out strings.Builder
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("the file is larger than %d bytes", limit)
	}
	if err != nil {
		return "", err
	}
	return out.String(), nil
}
