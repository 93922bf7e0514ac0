// Package shared finds the reference data that some tests read.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file or folder of the reference data: under
// $DUET_SHARED, or ../shared beside the repository. Where it is absent the test
// is skipped with the reason.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	root := os.Getenv("DUET_SHARED")
	if root == "" {
		root = filepath.Join(repository(t), "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the reference data %s is not here; set DUET_SHARED to where it is", filepath.Join(elements...))
	}
	return path
}

// repository returns the folder of go.mod.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
