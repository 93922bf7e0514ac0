//go:build !js

package checkpoint

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is cut short while it is mapped gives an error, not the end of the
// program.
func TestCutShortWhileMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	const n = 1 << 20
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	err := WriteFile(path, func(w io.Writer) error {
		return WriteSafetensors(w, []Tensor{{Name: "x", Dtype: F32, Shape: []int{n}, Write: func(w io.Writer) error { return WriteFloat32(w, values) }}}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if r, closer := mapFile(path, 4*n+8); r != nil {
		closer.Close()
		t.Error("a file of another size was mapped")
	}
	got, err := f.Float32("x", nil)
	if err != nil || got[n-1] != n-1 {
		t.Fatal(got[n-1], err)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("x", nil); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("error %v", err)
	}
}
