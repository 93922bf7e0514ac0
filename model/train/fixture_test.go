//go:build !js

package train

import (
	"os"
	"path/filepath"
	"testing"

	"duet/model/internal/shared"
)

// readFixture reads a file of the fixtures, by a path with slashes.
func readFixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(shared.Path(t, "fixtures", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
