package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var errCrash = errors.New("the power is gone")

// crashAt fails step n (from 0) and, where it is a crash, everything after it;
// it counts the steps in *steps.
func crashAt(n int, crash bool, steps *int) disk {
	return disk{before: func(step, path string) error {
		at := *steps
		*steps++
		if at == n || crash && at > n {
			return errCrash
		}
		return nil
	}}
}

// setup makes a folder that holds the model "old" at path, with replaced true,
// or nothing.
func setup(t *testing.T, replaced bool) (parent, path string) {
	t.Helper()
	parent = t.TempDir()
	path = filepath.Join(parent, "flowers")
	if replaced {
		if err := WriteDir(path, sample("old")); err != nil {
			t.Fatal(err)
		}
	}
	return parent, path
}

// whole says which model a folder holds, and fails if it holds a mixture.
func whole(t *testing.T, path string) string {
	t.Helper()
	got := tree(t, path)
	for _, version := range []string{"old", "new", "third"} {
		if maps.Equal(got, contents(t, sample(version))) {
			return version
		}
	}
	t.Errorf("the folder holds no whole model: %q", got)
	return "neither"
}

// onlyModel fails if anything but the model lies in the folder above it.
func onlyModel(t *testing.T, parent, path string) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("left over: %v", entries)
	}
}

// TestWriteDirCrash stops WriteDir at every step, looks at what a reader then
// finds, and writes again.
func TestWriteDirCrash(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		n := 0
		for reached := true; reached; n++ {
			t.Run(fmt.Sprintf("replaced %v, step %d", replaced, n), func(t *testing.T) {
				parent, path := setup(t, replaced)
				steps := 0
				err := writeDir(crashAt(n, true, &steps), path, sample("new"), nil, nil)
				reached = steps > n
				m, openErr := OpenModel(path)
				switch {
				case openErr == nil:
					if version := whole(t, path); err == nil && version != "new" || version == "old" && !replaced {
						t.Errorf("found %s after %v", version, err)
					}
					m.Close()
				case replaced:
					t.Errorf("the model is gone after %v: %v", err, openErr)
				case !errors.Is(openErr, fs.ErrNotExist) || err == nil:
					t.Errorf("%v after %v", openErr, err)
				}
				if err := WriteDir(path, sample("third")); err != nil {
					t.Fatal(err)
				}
				if version := whole(t, path); version != "third" {
					t.Errorf("found %s after writing again", version)
				}
				onlyModel(t, parent, path)
			})
		}
		if n < 15 {
			t.Errorf("only %d steps", n)
		}
	}
}

// turns lists the steps of a write at which what lies on the disk changes its
// meaning: one in the middle of a file, each rename and each removal.
func turns(t *testing.T, path string, version string) []int {
	var at []int
	n := 0
	err := writeDir(disk{before: func(step, path string) error {
		if step == "rename" || step == "remove" || step == "write" && len(at) == 0 {
			at = append(at, n)
		}
		n++
		return nil
	}}, path, sample(version), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(at, n)
}

// TestWriteDirCrashTwice stops the write after a crash as well.
func TestWriteDirCrashTwice(t *testing.T) {
	_, path := setup(t, true)
	for _, first := range turns(t, path, "new") {
		crashed, path := setup(t, true)
		_ = writeDir(crashAt(first, true, new(int)), path, sample("new"), nil, nil)
		for _, second := range turns(t, copyTree(t, crashed, path), "third") {
			path := copyTree(t, crashed, path)
			parent := filepath.Dir(path)
			_ = writeDir(crashAt(second, true, new(int)), path, sample("third"), nil, nil)
			m, err := OpenModel(path)
			if err != nil {
				t.Fatalf("crashes at %d and %d: %v", first, second, err)
			}
			m.Close()
			whole(t, path)
			if err := WriteDir(path, sample("new")); err != nil {
				t.Fatalf("crashes at %d and %d: %v", first, second, err)
			}
			if got := whole(t, path); got != "new" {
				t.Fatalf("crashes at %d and %d: found %s", first, second, got)
			}
			onlyModel(t, parent, path)
		}
	}
}

// copyTree copies a folder with all in it and gives path's place in the copy.
func copyTree(t *testing.T, parent, path string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(parent)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, filepath.Base(path))
}

// TestWriteDirErrors fails every step, the process going on: the old model
// must stand at once, with nothing beside it.
func TestWriteDirErrors(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		n := 0
		for reached := true; reached; n++ {
			t.Run(fmt.Sprintf("replaced %v, step %d", replaced, n), func(t *testing.T) {
				parent, path := setup(t, replaced)
				steps := 0
				err := writeDir(crashAt(n, false, &steps), path, sample("new"), nil, nil)
				reached = steps > n
				_, statErr := os.Stat(path)
				switch {
				case err == nil:
					if version := whole(t, path); version != "new" {
						t.Errorf("found %s without an error", version)
					}
				case !errors.Is(err, errCrash):
					t.Errorf("error %v does not wrap the cause", err)
				case statErr == nil:
					whole(t, path)
				case replaced:
					t.Errorf("the model is gone: %v", statErr)
				}
				entries, readErr := os.ReadDir(parent)
				if readErr != nil {
					t.Fatal(readErr)
				}
				for _, e := range entries {
					if strings.Contains(e.Name(), tempInfix) {
						t.Errorf("left over: %s", e.Name())
					}
				}
			})
		}
	}
}

// TestWriteFileCrash does the same to a single file.
func TestWriteFileCrash(t *testing.T) {
	for _, crash := range []bool{true, false} {
		n := 0
		for reached := true; reached; n++ {
			path := filepath.Join(t.TempDir(), "a.txt")
			if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
				t.Fatal(err)
			}
			steps := 0
			long := strings.Repeat("new", 1<<20)
			err := writeFile(crashAt(n, crash, &steps), path, func(w io.Writer) error { _, err := io.WriteString(w, long); return err }, nil)
			reached = steps > n
			got, readErr := os.ReadFile(path)
			if readErr != nil || string(got) != "old" && string(got) != long || err == nil && string(got) != long {
				t.Errorf("step %d: %d bytes, %v after %v", n, len(got), readErr, err)
			}
			if err := WriteFile(path, Data("", []byte("third")).Write); err != nil {
				t.Fatal(err)
			}
			if files := tree(t, filepath.Dir(path)); len(files) != 1 || files["a.txt"] != "third" {
				t.Errorf("step %d: files %v", n, files)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		}
		if n < 5 {
			t.Errorf("only %d steps", n)
		}
	}
}

func TestWriteFileErrors(t *testing.T) {
	dir := t.TempDir()
	wantError(t, WriteFile(dir, Data("", nil).Write), "it exists and is not a regular file")
	if err := WriteFile(filepath.Join(dir, "none", "a"), Data("", nil).Write); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	err := WriteFile(filepath.Join(dir, "a"), func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return errDisk })
	if !errors.Is(err, errDisk) || len(tree(t, dir)) != 0 {
		t.Errorf("%v; files %v", err, tree(t, dir))
	}
	if err := os.Symlink("b", filepath.Join(dir, "link")); err != nil {
		t.Skip("there are no symbolic links here")
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "link"), Data("", []byte("x")).Write); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "link")); err != nil || target != "b" {
		t.Errorf("the link became %q, %v", target, err)
	}
}

// TestReplaceRefusals shows that no folder or file but a model is replaced,
// and that what is refused stays as it is.
func TestReplaceRefusals(t *testing.T) {
	const config = `{"model_type":"duet"}`
	tests := []struct {
		name     string
		files    map[string]string
		path     string // in the folder of the files
		replaces []string
		err      string
	}{
		{"nothing there", nil, "m", nil, ""},
		{"empty folder", map[string]string{"m/": ""}, "m", nil, ""},
		{"model", map[string]string{"m/config.json": config, "m/merges.txt": ""}, "m", nil, ""},
		{"imported model", map[string]string{"m/config.json": `{"architectures":["RobertaModel"]}`}, "m", nil, ""},
		{"checkpoint", map[string]string{"m/config.json": config, "m/state/optimizer.bin": ""}, "m", []string{"state/optimizer.bin"}, ""},
		{"the path ends in a slash", map[string]string{"m/config.json": config}, "m/", nil, ""},
		{"zip of a model's folder", map[string]string{"m.zip": string(makeZip(t, 0, "m/config.json", config, "m/vocab.json", "{}"))}, "m.zip", nil, ""},
		{"zip of a model", map[string]string{"m.zip": string(makeZip(t, 0, "config.json", config))}, "m.zip", nil, ""},

		{"pictures", map[string]string{"m/a.jpg": "x"}, "m", nil, "what is there is no model, so it is not replaced"},
		{"a card alone", map[string]string{"m/README.md": "x"}, "m", nil, "what is there is no model, so it is not replaced"},
		{"pictures in a model", map[string]string{"m/config.json": config, "m/a.jpg": "x"}, "m", nil, "it holds a.jpg, which is no part of a model"},
		{"pictures deep in a model", map[string]string{"m/config.json": config, "m/p/q/a.jpg": "x"}, "m", nil, "it holds p/q/a.jpg"},
		{"a model in a model", map[string]string{"m/config.json": config, "m/v1/config.json": config}, "m", nil, "it holds v1/config.json"},
		{"other weights", map[string]string{"m/config.json": config, "m/pytorch_model.bin": "x"}, "m", nil, "it holds pytorch_model.bin"},
		{"a checkpoint's file elsewhere", map[string]string{"m/config.json": config, "m/optimizer.bin": ""}, "m", []string{"state/optimizer.bin"}, "it holds optimizer.bin"},
		{"config of something else", map[string]string{"m/config.json": `{"port":80}`}, "m", nil, "config.json names no model_type"},
		{"damaged config", map[string]string{"m/config.json": `{`}, "m", nil, "not JSON"},
		{"config is a folder", map[string]string{"m/config.json/x": ``}, "m", nil, "config.json is not a regular file"},
		{"a file", map[string]string{"m": "x"}, "m", nil, "it is a file; give a folder"},
		{"another zip", map[string]string{"m.zip": string(makeZip(t, 0, "a.jpg", "x"))}, "m.zip", nil, "no model, so it is not replaced"},
		{"not a zip", map[string]string{"m.ZIP": "x"}, "m.ZIP", nil, "no model, so it is not replaced"},
		{"a folder named zip", map[string]string{"m.zip/config.json": config}, "m.zip", nil, "it is a folder"},
		{"zip of something with a config", map[string]string{"m.zip": string(makeZip(t, 0, "config.json", `{"port":80}`))}, "m.zip", nil, "config.json names no model_type"},
		{"zip of a model and pictures", map[string]string{"m.zip": string(makeZip(t, 0, "m/config.json", config, "p/a.jpg", "x"))}, "m.zip", nil, "it holds p/a.jpg"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				file := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(name, "/") {
					if err := os.Mkdir(file, 0o777); err != nil {
						t.Fatal(err)
					}
				} else if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			before := tree(t, dir)
			path := dir + "/" + test.path
			wantError(t, CanWriteModel(path, test.replaces...), test.err)
			wantError(t, WriteModel(path, sample("new"), test.replaces...), test.err)
			if test.err != "" {
				if !maps.Equal(tree(t, dir), before) {
					t.Errorf("files changed to %v", tree(t, dir))
				}
				return
			}
			m, err := OpenModel(path)
			if err != nil {
				t.Fatal(err)
			}
			checkSample(t, m, "new")
			m.Close()
			onlyModel(t, dir, path)
		})
	}
}

func TestReplaceLinks(t *testing.T) {
	dir := t.TempDir()
	inside, outside := filepath.Join(dir, "m"), filepath.Join(dir, "secret")
	if err := WriteDir(inside, sample("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("m", link); err != nil {
		t.Skip("there are no symbolic links here")
	}
	if err := WriteDir(link, sample("new")); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "m" || whole(t, inside) != "new" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if err := os.Symlink(outside, filepath.Join(inside, "merges.txt")); err != nil {
		t.Fatal(err)
	}
	wantError(t, WriteDir(inside, sample("old")), "it holds merges.txt")
	t.Chdir(inside)
	wantError(t, WriteDir(".", sample("old")), "it is the current folder")
}

// TestRewriteModel writes models from what lies in their places: it is closed
// once, between the last byte and the first rename, and where it cannot be closed
// it stays.
func TestRewriteModel(t *testing.T) {
	for _, name := range []string{"m", "m.zip"} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteModel(path, sample("old")); err != nil {
			t.Fatal(err)
		}
		m, err := OpenModel(path)
		if err != nil {
			t.Fatal(err)
		}
		files := sample("new")
		card, err := m.ReadFile("README.md")
		if err != nil || string(card) != "# old" {
			t.Fatal(string(card), err)
		}
		files[2].Write = func(w io.Writer) error {
			card, err := m.ReadFile("README.md")
			if err == nil {
				_, err = w.Write(append(card, " and new"...))
			}
			return err
		}
		before := tree(t, filepath.Dir(path))
		wantError(t, RewriteModel(path, files, func() error { return errDisk }), errDisk.Error())
		if after := tree(t, filepath.Dir(path)); !maps.Equal(after, before) {
			t.Errorf("%s: files changed to %v", name, after)
		}
		closed := 0
		err = writeModel(disk{before: func(step, path string) error {
			if renames := step == "rename"; renames != (closed > 0) && step != "remove" && !(step == "sync" && closed > 0) {
				t.Errorf("%s: %s of %s with the old model closed %d times", name, step, path, closed)
			}
			return nil
		}}, path, files, nil, func() error { closed++; return m.Close() })
		if err != nil || closed != 1 {
			t.Fatal(err, closed)
		}
		if m, err = OpenModel(path); err != nil {
			t.Fatal(err)
		}
		if card, err := m.ReadFile("README.md"); err != nil || string(card) != "# old and new" {
			t.Errorf("%s: the card reads %q, %v", name, card, err)
		}
		m.Close()
	}
}

// TestCanWriteModelRecovers asks for a place whose model an interrupted write has
// set aside: it is back then, for those who would not replace one.
func TestCanWriteModelRecovers(t *testing.T) {
	parent, path := setup(t, true)
	if err := os.Rename(path, oldName(path)); err != nil {
		t.Fatal(err)
	}
	if err := CanWriteModel(path); err != nil {
		t.Fatal(err)
	}
	if whole(t, path) != "old" {
		t.Error("the model is not back")
	}
	onlyModel(t, parent, path)
}

// TestRecoverKeepsBoth does not guess where a folder that is no model has
// taken the name of a model that was set aside.
func TestRecoverKeepsBoth(t *testing.T) {
	parent, path := setup(t, true)
	if err := os.Rename(path, oldName(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "a.jpg"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	before := tree(t, parent)
	wantError(t, WriteDir(path, sample("new")), "move one of them away")
	if !maps.Equal(tree(t, parent), before) {
		t.Errorf("files changed to %v", tree(t, parent))
	}
	if err := os.Remove(filepath.Join(path, "a.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := recoverDir(disk{}, path); err != nil || whole(t, path) != "old" {
		t.Errorf("an empty folder was not given up: %v", err)
	}
	onlyModel(t, parent, path)
}
