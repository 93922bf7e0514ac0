package checkpoint

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// raw is a safetensors file with the given header and data.
func raw(header string, data ...byte) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), data...)
}

func openBytes(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// within fails a test whose body takes more than 2 s or allocates more than
// 256 MB in all.
func within(t *testing.T, body func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	body()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v, more than 2 s", took)
	}
	runtime.ReadMemStats(&after)
	mb := (after.TotalAlloc - before.TotalAlloc) >> 20
	t.Logf("%v, %d MB", time.Since(start).Round(time.Millisecond), mb)
	if mb > 256 {
		t.Errorf("allocated %d MB, more than 256", mb)
	}
}

// wantError checks an error's text; want "" is no error.
func wantError(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && err == nil:
		t.Errorf("no error; want one with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("error %q does not contain %q", err, want)
	}
}

// tree reads all files below dir, by their path in it.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		inside, _ := filepath.Rel(dir, name)
		files[filepath.ToSlash(inside)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
