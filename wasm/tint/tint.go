package tint

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"duet/wasm/node"
)

// Check compiles each source, given by name, and builds a compute pipeline of
// it under WebGPU's default limits. The error lists every message of Tint, as
// NAME:LINE:COLUMN: SEVERITY: TEXT; it is [node.ErrUnavailable] where Tint
// cannot run.
func Check(sources map[string]string) error {
	type shader struct {
		Name   string `json:"name"`
		Source string `json:"source"`
	}
	shaders := []shader{}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		shaders = append(shaders, shader{name, sources[name]})
	}
	if _, err := node.Run("tint.mjs", "webgpu", shaders); err != nil {
		return fmt.Errorf("tint: %w", err)
	}
	return nil
}

// Test runs [Check] and fails the test where Tint finds an error. Where Tint is
// not installed it skips the test, except with CI=true: there it fails.
func Test(t testing.TB, sources map[string]string) {
	t.Helper()
	err := Check(sources)
	switch {
	case errors.Is(err, node.ErrUnavailable) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}
