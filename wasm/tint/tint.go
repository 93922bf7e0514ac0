package tint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// ErrUnavailable says that node or the pinned npm packages are not installed.
var ErrUnavailable = errors.New("tint is not installed (make deps installs node and the npm packages of wasm/)")

// Check compiles each source, given by name, and builds a compute pipeline of
// it under WebGPU's default limits. The error lists every message of Tint, as
// NAME:LINE:COLUMN: SEVERITY: TEXT; it is [ErrUnavailable] where Tint cannot run.
func Check(sources map[string]string) error {
	dir, err := moduleRoot()
	if err != nil {
		return fmt.Errorf("tint: %w", err)
	}
	dir = filepath.Join(dir, "wasm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "webgpu")); err != nil {
		return fmt.Errorf("tint: wasm/node_modules/webgpu: %w", ErrUnavailable)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return fmt.Errorf("tint: node: %w", ErrUnavailable)
	}
	type shader struct {
		Name   string `json:"name"`
		Source string `json:"source"`
	}
	shaders := []shader{}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		shaders = append(shaders, shader{name, sources[name]})
	}
	input, err := json.Marshal(shaders)
	if err != nil {
		return fmt.Errorf("tint: %w", err)
	}
	cmd := exec.Command(node, "tint.mjs")
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(input)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("tint: %w\n%s", err, output)
	}
	return nil
}

// Test runs [Check] and fails the test where Tint finds an error. Where Tint is
// not installed it skips the test, except with CI=true: there it fails.
func Test(t testing.TB, sources map[string]string) {
	t.Helper()
	err := Check(sources)
	switch {
	case errors.Is(err, ErrUnavailable) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// moduleRoot returns the nearest folder at or above the working directory that
// holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod at or above the working directory")
		}
		dir = parent
	}
}
