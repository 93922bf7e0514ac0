// Package node runs scripts of the folder wasm under node, for tests that hold
// our own code against an npm package: onnxruntime-node, @huggingface/hub and
// tokenizers, Tint in webgpu. The packages are pinned in wasm/package-lock.json.
//
// To add one, write a .mjs there which reads JSON from standard input and prints
// to standard output, and call [Run], or [Test] where it prints JSON.
package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ErrUnavailable says that node or the pinned npm packages are not installed.
var ErrUnavailable = errors.New("not installed (make deps installs node and the npm packages of wasm/)")

// Run runs a script of the folder wasm that needs an npm package, with input as
// JSON, and returns what it prints. The error has all that was printed; it is
// [ErrUnavailable] where the script cannot run.
func Run(script, npm string, input any) ([]byte, error) {
	dir, err := moduleRoot()
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	dir = filepath.Join(dir, "wasm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(npm))); err != nil {
		return nil, fmt.Errorf("node: wasm/node_modules/%s: %w", npm, ErrUnavailable)
	}
	program, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("node: %w", ErrUnavailable)
	}
	text, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	cmd := exec.Command(program, script)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(text)
	var output, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &errs
	if err := cmd.Run(); err != nil {
		return output.Bytes(), fmt.Errorf("node: %s: %w\n%s%s", script, err, output.Bytes(), errs.Bytes())
	}
	return output.Bytes(), nil
}

// Test runs a script for a test and decodes the JSON that it prints into output.
// Where it cannot run the test is skipped, except with CI=true: there it fails.
func Test(t testing.TB, script, npm string, input, output any) {
	t.Helper()
	printed, err := Run(script, npm, input)
	if errors.Is(err, ErrUnavailable) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err == nil {
		err = json.Unmarshal(printed, output)
	}
	if err != nil {
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
