//go:build !js

// Package tab runs a Go program, or the tests of a package, in a browser:
// compiled for js/wasm, in a dedicated worker of a headless Chromium, as the
// engine runs in the tab. [Build] and [Exec] serve programs, [Run] tests.
package tab

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// Build compiles the command with the given import path and lays it out in dir,
// an empty folder, for [Exec]. It needs the go command and this module's sources.
func Build(ctx context.Context, dir, pkg string) error {
	return layout(ctx, dir, pkg, true, "build")
}

// Exec runs the program laid out in dir in a worker of the browser until it
// ends, and hands on its output as it comes. The program may fetch what else lies
// in dir. It returns the exit code; the error is of a program that could not
// run to its end. Without a deadline ctx allows [browser.Timeout] between writes.
func Exec(ctx context.Context, b *browser.Browser, dir string, args []string, env map[string]string, stdout, stderr io.Writer) (code int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("tab: running the program: %w", err)
		}
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: wasm.Handler(os.DirFS(dir)), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) // ends with Close
	defer server.Close()
	page, err := b.Open(ctx, "http://"+listener.Addr().String()+"/")
	if err != nil {
		return 0, err
	}
	defer page.Close()
	arguments, err := json.Marshal([]any{append([]string{}, args...), env})
	if err != nil {
		return 0, err
	}
	if err := page.Eval(ctx, fmt.Sprintf("start(...%s)", arguments), nil); err != nil {
		return 0, err
	}
	for {
		var messages []message
		if err := page.Eval(ctx, "await read()", &messages); err != nil {
			return 0, err
		}
		for _, m := range messages {
			switch {
			case m.Failure != "":
				return 0, errors.New(m.Failure)
			case m.Code != nil:
				return *m.Code, nil
			}
			w := stdout
			if m.Error {
				w = stderr
			}
			if _, err := io.WriteString(w, m.Text); err != nil {
				return 0, err
			}
		}
	}
}

// A message is what worker.js posts: text that the program writes, or how it ended.
type message struct {
	Text    string
	Error   bool // the text goes to standard error
	Code    *int
	Failure string
}

// Run runs the tests of a package, given by its import path, with arguments for
// the test binary ("-test.run=…"), and fails the test when they fail. Without
// replay the executor's fallback is used, which encodes call by call. It
// returns the output.
func Run(t *testing.T, pkg string, replay bool, args ...string) string {
	t.Helper()
	return RunWith(t, pkg, replay, nil, args...)
}

// RunWith is [Run] for tests that fetch files: those of the folders data, each
// of which lies beside the page under its own name.
func RunWith(t *testing.T, pkg string, replay bool, data []string, args ...string) string {
	t.Helper()
	return RunFor(t, 5*time.Minute, pkg, replay, data, args...)
}

// RunFor is [RunWith] with a limit of its own.
func RunFor(t *testing.T, limit time.Duration, pkg string, replay bool, data []string, args ...string) string {
	t.Helper()
	b, dir := browser.ForTest(t), t.TempDir()
	for _, folder := range data {
		if err := os.CopyFS(filepath.Join(dir, filepath.Base(folder)), os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	if err := layout(t.Context(), dir, pkg, replay, "test", "-c"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var output bytes.Buffer
	env := map[string]string{"CI": os.Getenv("CI")}
	code, err := Exec(ctx, b, dir, append([]string{"-test.v"}, args...), env, &output, &output)
	if err != nil {
		t.Fatalf("tests of %s: %v\n%s", pkg, err, output.String())
	}
	if code != 0 || !strings.Contains(output.String(), "PASS") {
		t.Fatalf("tests of %s in the tab end with code %d:\n%s", pkg, code, output.String())
	}
	return output.String()
}

// layout puts the page, the glue and what the go command makes of a package into dir.
func layout(ctx context.Context, dir, pkg string, replay bool, verb ...string) error {
	if err := os.CopyFS(dir, files); err != nil {
		return fmt.Errorf("tab: %w", err)
	}
	arguments := append(verb, "-o", filepath.Join(dir, "program.wasm"), pkg)
	if _, err := output(ctx, arguments...); err != nil {
		return err
	}
	root, err := output(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	module, err := output(ctx, "env", "GOMOD")
	if err != nil {
		return err
	}
	for name, path := range map[string]string{
		"wasm_exec.js": filepath.Join(root, "lib", "wasm", "wasm_exec.js"),
		"replay.js":    filepath.Join(filepath.Dir(module), "wasm", "replay.js"),
	} {
		data, err := os.ReadFile(path)
		if err == nil {
			if name == "replay.js" && !replay {
				data = nil
			}
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("tab: %w", err)
		}
	}
	return nil
}

// output runs the go command for js/wasm and returns what it prints.
func output(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("tab: go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
