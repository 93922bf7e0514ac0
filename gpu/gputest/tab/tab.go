//go:build !js

// Package tab runs the tests of a package in a browser: compiled for js/wasm,
// in a dedicated worker of a headless Chromium, as the engine runs in the tab.
package tab

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"duet/wasm"
	"duet/wasm/browser"
)

//go:embed index.html page.js worker.js
var files embed.FS

// Run runs the tests of a package, given by its import path, with arguments for
// the test binary ("-test.run=…"), and fails the test when they fail. Without
// replay the executor's fallback is used, which encodes call by call. It
// returns the output.
func Run(t *testing.T, pkg string, replay bool, args ...string) string {
	t.Helper()
	b := browser.ForTest(t)
	server := httptest.NewServer(wasm.Handler(os.DirFS(build(t, pkg, replay))))
	defer server.Close()
	page := b.MustOpen(t, server.URL+"/")
	encoded, err := json.Marshal(append([]string{"-test.v"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Output string
		Code   int
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	expression := fmt.Sprintf("await runTests(%s, {CI: %q})", encoded, os.Getenv("CI"))
	if err := page.Eval(ctx, expression, &result); err != nil {
		t.Fatal(err)
	}
	if result.Code != 0 || !strings.Contains(result.Output, "PASS") {
		t.Fatalf("tests of %s in the tab end with code %d:\n%s", pkg, result.Code, result.Output)
	}
	return result.Output
}

// build lays out the page, the glue and the test binary in a folder.
func build(t *testing.T, pkg string, replay bool) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", filepath.Join(dir, "test.wasm"), pkg)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go test -c %s: %v\n%s", pkg, err, out)
	}
	root := output(t, "go", "env", "GOROOT")
	module := filepath.Dir(output(t, "go", "env", "GOMOD"))
	for name, path := range map[string]string{
		"wasm_exec.js": filepath.Join(root, "lib", "wasm", "wasm_exec.js"),
		"replay.js":    filepath.Join(module, "wasm", "replay.js"),
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if name == "replay.js" && !replay {
			data = nil
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}
