package shared

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	beside, alone := filepath.Join(t.TempDir(), "duet"), filepath.Join(t.TempDir(), "duet")
	for _, dir := range []string{beside, alone, filepath.Join(filepath.Dir(beside), "shared")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, repository, root string
		elements               []string
		want                   string
	}{
		{"tree beside the repository", beside, "", []string{"fixtures", "losses"}, filepath.Join(filepath.Dir(beside), "shared", "fixtures", "losses")},
		{"no tree: the committed core", alone, "", []string{"fixtures", "losses"}, filepath.Join(alone, "model", "testdata", "losses")},
		{"no tree: data is not in the core", alone, "", []string{"data", "photos"}, filepath.Join(filepath.Dir(alone), "shared", "data", "photos")},
		{"absolute setting", alone, beside, []string{"data"}, filepath.Join(beside, "data")},
		{"setting relative to the repository", alone, "elsewhere", []string{"fixtures", "losses"}, filepath.Join(alone, "elsewhere", "fixtures", "losses")},
	} {
		if got := find(c.repository, c.root, c.elements); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
