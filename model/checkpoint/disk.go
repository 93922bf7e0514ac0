package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// A disk makes changes to the file system, one step at a time. before, set in
// tests, is called ahead of each step and can fail it, as a crash would.
type disk struct {
	before func(step, path string) error
}

func (d disk) step(step, path string) error {
	if d.before == nil {
		return nil
	}
	return d.before(step, path)
}

func (d disk) mkdir(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}

func (d disk) rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

// removeAll removes a folder and all in it, or a file; what does not exist is
// removed already.
func (d disk) removeAll(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := d.removeAll(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return d.remove(path)
}

// syncDir makes the entries of a folder durable, where the system can.
func (d disk) syncDir(path string) error {
	if err := d.step("sync", path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "js" {
		return nil // folders cannot be opened for this
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// writeFile makes a new file durable with what write gives.
func (d disk) writeFile(path string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	if err := d.step("create", path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(stepWriter{d, f, path}, 1<<20)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := d.step("sync", path); err != nil {
		return err
	}
	return f.Sync()
}

type stepWriter struct {
	d    disk
	f    *os.File
	path string
}

func (w stepWriter) Write(p []byte) (int, error) {
	if err := w.d.step("write", w.path); err != nil {
		return 0, err
	}
	return w.f.Write(p)
}

// Beside NAME, .NAME.duet-tmp-… is what is being written and .NAME.duet-old
// what is being replaced.
const (
	tempInfix = ".duet-tmp-"
	oldSuffix = ".duet-old"
)

func tempName(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, fmt.Sprintf(".%s%s%08x", base, tempInfix, rand.Uint32()))
}

func oldName(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+oldSuffix)
}

// removeTemps removes what interrupted writes of path left behind.
func (d disk) removeTemps(path string) error {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+base+tempInfix) {
			if err := d.removeAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteFile writes a file whole or not at all: what write gives goes into a
// temporary file in the same folder, is made durable, and is then given the
// name. On an error, and after a crash at any point, path holds what it held
// before or the whole new file. A symbolic link is followed. One process at a
// time may write a path; a second one fails or makes the first fail.
func WriteFile(path string, write func(io.Writer) error) error {
	if err := writeFile(disk{}, path, write, nil); err != nil {
		return fmt.Errorf("checkpoint: writing %s: %w", path, err)
	}
	return nil
}

// release, where not nil, is called when the file is written and not in its place yet.
func writeFile(d disk, path string, write func(io.Writer) error, release func() error) (err error) {
	path, err = resolve(path)
	if err != nil {
		return err
	}
	perm := fs.FileMode(0o666) // less the process's umask
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return errors.New("it exists and is not a regular file")
	case err == nil:
		perm = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := d.removeTemps(path); err != nil {
		return err
	}
	temp := tempName(path)
	err = d.writeFile(temp, perm, write)
	if err == nil && release != nil {
		err = release()
	}
	if err != nil {
		return errors.Join(err, d.removeAll(temp))
	}
	if err := d.rename(temp, path); err != nil {
		return errors.Join(err, d.removeAll(temp))
	}
	return d.syncDir(filepath.Dir(path))
}

// resolve makes a path absolute and follows it where it is a symbolic link.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return filepath.EvalSymlinks(path)
	}
	return path, nil
}
