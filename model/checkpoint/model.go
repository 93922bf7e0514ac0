package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
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
	case strings.HasSuffix(name, ".safetensors"):
		return nil, fmt.Errorf("checkpoint: %s holds weights only; give the folder that holds it with its %s", name, configName)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("checkpoint: %s is neither a folder nor a zip", name)
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
	return fmt.Errorf("checkpoint: model %s: %w", path.Join(m.name, file), err)
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

// Weights opens model.safetensors, or the only .safetensors file where there is
// none of that name. Nothing but its header is read from a folder or a stored
// zip entry, whose checksum is compared; a deflated entry is unpacked into
// memory. Close the file before the model.
func (m *Model) Weights() (*File, error) {
	name, err := m.weightsName()
	if err != nil {
		return nil, m.wrap("", err)
	}
	return m.Safetensors(name)
}

// Safetensors opens a safetensors file of the model by name, as
// [Model.Weights] does.
func (m *Model) Safetensors(name string) (*File, error) {
	r, size, closer, err := m.readerAt(name)
	if err != nil {
		return nil, m.wrap(name, err)
	}
	f, err := open(r, size)
	if err != nil {
		if closer != nil {
			closer.Close()
		}
		return nil, m.wrap(name, err)
	}
	f.closer = closer
	return f, nil
}

func (m *Model) weightsName() (string, error) {
	if _, err := fs.Stat(m.files, weightsName); err == nil {
		return weightsName, nil
	}
	found, err := fs.Glob(m.files, "*.safetensors")
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) > 1 {
		return "", fmt.Errorf("its weights lie in %d files; only models with one %s are read: merge them", len(found), weightsName)
	}
	return "", fmt.Errorf("it has no %s: %w", weightsName, fs.ErrNotExist)
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
