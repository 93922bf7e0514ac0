//go:build !js

package shared

import (
	"os"
	"testing"
)

// Read returns a file of the reference data, see [Path].
func Read(t testing.TB, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(Path(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
