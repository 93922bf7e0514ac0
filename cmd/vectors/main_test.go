//go:build !js

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/wasm/browser"
)

// share lays out a folder with one file of vectors.
func share(t *testing.T, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "model", "conform", "testdata", "torch-gradients", "sub.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "vectors", "torch-gradients")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "sub.json"), []byte(change(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DUET_SHARED", dir)
}

func same(s string) string { return s }

func TestRun(t *testing.T) {
	base := []string{"--backend", "reference", "--suite", "torch-gradients"}
	for _, c := range []struct {
		name   string
		change func(string) string
		args   []string
		output string // how it ends
		err    string
	}{
		{"right", same, base, "vectors: 4 passed, 0 failed, 0 out of scope\n", ""},
		{"wrong", func(s string) string { return strings.Replace(s, `"op":"sub"`, `"op":"add"`, 1) }, base, "vectors: 3 passed, 1 failed, 0 out of scope\n", "failed cases: 1"},
		{"unknown", func(s string) string { return strings.ReplaceAll(s, `"op":"sub"`, `"op":"sup"`) }, base, "vectors: 0 passed, 0 failed, 4 out of scope\n", ""},
		{"another operator", same, append(base, "--op", "add"), "", "no cases of operator"},
		{"no such suite", same, []string{"--suite", "x"}, "", "no suite"},
		{"no such backend", same, []string{"--backend", "reference,x"}, "", "no backend"},
	} {
		t.Run(c.name, func(t *testing.T) {
			share(t, c.change)
			var out bytes.Buffer
			err := run(t.Context(), c.args, &out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if !strings.HasSuffix(out.String(), c.output) {
				t.Errorf("the output ends %q, want %q", out.String(), c.output)
			}
		})
	}
	t.Setenv("CHROMIUM", "no-such-browser")
	if err := run(t.Context(), nil, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "--backend reference,webgpu") {
		t.Errorf("without Chromium the error is %v", err)
	}
	t.Setenv("DUET_SHARED", t.TempDir())
	if err := run(t.Context(), []string{"--backend", "reference"}, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "DUET_SHARED") {
		t.Errorf("without vectors the error is %v", err)
	}
}

// TestRunInTab holds that the tab counts the same cases and failures.
func TestRunInTab(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	if _, err := browser.Find(); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	base := []string{"--backend", "reference,tab", "--suite", "torch-gradients"}
	for _, c := range []struct {
		name   string
		change func(string) string
		args   []string
		output string // holds, once for each backend
		err    string
	}{
		{"right", same, base, "vectors: 4 passed, 0 failed, 0 out of scope\n", ""},
		{"wrong", func(s string) string { return strings.Replace(s, `"op":"sub"`, `"op":"add"`, 1) }, base, "vectors: 3 passed, 1 failed, 0 out of scope\n", "failed cases: 2"},
		{"another operator", same, []string{"--backend", "tab", "--suite", "torch-gradients", "--op", "add"}, "", `no cases of operator "add"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			share(t, c.change)
			var out bytes.Buffer
			err := run(t.Context(), c.args, &out)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if c.output != "" && strings.Count(out.String(), c.output) != 2 {
				t.Errorf("the output is %q, want %q twice", out.String(), c.output)
			}
			if !strings.Contains(out.String(), "tab: ") {
				t.Errorf("the output %q does not name the tab's adapter", out.String())
			}
		})
	}
}
