package checkpoint_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"duet/model/checkpoint"
	"duet/model/fullsize"
)

// TestFullPyTorch compares what PyTorch itself saves with what is read of it, and
// names what is refused. It needs a python3 with torch.
func TestFullPyTorch(t *testing.T) {
	fullsize.Wanted(t)
	dir := t.TempDir()
	version, err := exec.CommandContext(t.Context(), python(t), filepath.Join("testdata", "torch_files.py"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, version)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pth"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	compared := 0
	for _, path := range files {
		name := filepath.Base(path)
		f, err := checkpoint.OpenFile(path)
		if reason, ok := strings.CutPrefix(strings.TrimSuffix(name, ".pth"), "refuse."); ok {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		defer f.Close()
		kind, _, _ := strings.Cut(name, ".")
		compared += equalFiles(t, name, f, filepath.Join(dir, kind+".safetensors"))
	}
	t.Logf("torch %s: %d tensors in %d files", strings.TrimSpace(string(version)), compared, len(files))
}

// equalFiles compares two files tensor by tensor and returns their number.
func equalFiles(t *testing.T, name string, got *checkpoint.File, path string) int {
	t.Helper()
	want, err := checkpoint.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	names := slices.Sorted(slices.Values(want.Names()))
	if !slices.Equal(names, slices.Sorted(slices.Values(got.Names()))) {
		t.Errorf("%s: tensors %v, want %v", name, got.Names(), names)
		return 0
	}
	for _, tensor := range names {
		a, _ := got.Info(tensor)
		b, _ := want.Info(tensor)
		if a.Dtype != b.Dtype || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(content(t, got, tensor), content(t, want, tensor)) {
			t.Errorf("%s: %s is %s %v, want %s %v with other values", name, tensor, a.Dtype, a.Shape, b.Dtype, b.Shape)
		}
	}
	return len(names)
}

func content(t *testing.T, f *checkpoint.File, name string) []byte {
	t.Helper()
	r, err := f.Reader(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// python finds a Python that has torch.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("DUET_PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.Command(name, "-c", "import torch").Run() == nil {
			return name
		}
	}
	t.Skip("no python3 has torch; name one in DUET_PYTHON")
	return ""
}
