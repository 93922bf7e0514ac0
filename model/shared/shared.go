// Package shared finds the reference data that some tests read.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file or folder of the reference data: under
// $DUET_SHARED (relative to the repository's root), by default ../shared beside
// the repository. Where the default does not exist, fixtures are taken from the
// committed core, model/testdata. Where there is no such file the test is
// skipped with the reason; in CI it fails where the data is there, but not the
// file.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	path := find(repository(t), os.Getenv("DUET_SHARED"), elements)
	if _, err := os.Stat(path); err != nil {
		if root := find(repository(t), os.Getenv("DUET_SHARED"), nil); os.Getenv("CI") == "true" && exists(root) {
			t.Fatalf("the reference data in %s lacks %s", root, filepath.Join(elements...))
		}
		t.Skipf("the reference data %s is not here; set DUET_SHARED to where it is", filepath.Join(elements...))
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// find returns where a part of the reference data should be.
func find(repository, root string, elements []string) string {
	if root == "" {
		root = filepath.Join("..", "shared")
		if _, err := os.Stat(filepath.Join(repository, root)); err != nil && len(elements) > 0 && elements[0] == "fixtures" {
			root, elements = filepath.Join("model", "testdata"), elements[1:]
		}
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join(repository, root)
	}
	return filepath.Join(append([]string{root}, elements...)...)
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
