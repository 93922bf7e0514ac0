package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVacant(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "empty"), 0o777),
		os.MkdirAll(filepath.Join(dir, "full", "inside"), 0o777),
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o666),
		os.Symlink("full", filepath.Join(dir, "link")),
		os.Symlink("nowhere", filepath.Join(dir, "dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, vacant := range map[string]bool{
		"nothing": true, "empty": true, "dangling": true, "full": false, "file": false, "link": false, "file/below": false,
	} {
		path := filepath.Join(dir, name)
		err := Vacant(path, false)
		if (err == nil) != vacant || err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if err := Vacant(path, true); err != nil {
			t.Errorf("%s, which may be replaced: %v", name, err)
		}
	}
}
