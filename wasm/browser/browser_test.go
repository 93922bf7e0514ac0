//go:build !js

package browser

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/wasm"
)

// TestPage drives one page, served as the tab is, through everything a Page does.
func TestPage(t *testing.T) {
	browser := ForTest(t)
	server := httptest.NewServer(wasm.Handler(os.DirFS("testdata")))
	defer server.Close()
	page := browser.MustOpen(t, server.URL+"/")

	t.Run("WebGPU in a worker", func(t *testing.T) { testWebGPU(t, page) })
	t.Run("drop", func(t *testing.T) { testDrop(t, page) })
	t.Run("eval", func(t *testing.T) { testEval(t, page) })
	t.Run("wait", func(t *testing.T) { testWait(t, page) })
	t.Run("screenshot", func(t *testing.T) { testScreenshot(t, page) })
	if errs := page.Errors(); len(errs) > 0 {
		t.Errorf("the page reported errors: %q", errs)
	}
	t.Run("console of a broken worker", func(t *testing.T) { testConsole(t, page) })
	t.Run("no way out of this machine", func(t *testing.T) { testIsolation(t, browser) })
}

func testWebGPU(t *testing.T, page *Page) {
	var answer struct {
		Vendor, Architecture string
		Numbers              []float32
	}
	if err := page.Eval(t.Context(), `await double(Array.from({length: 100}, (_, i) => i + 0.5))`, &answer); err != nil {
		t.Fatal(err)
	}
	t.Logf("adapter: %s %s", answer.Vendor, answer.Architecture)
	want := make([]float32, 100)
	for i := range want {
		want[i] = 2*float32(i) + 1
	}
	if !slices.Equal(answer.Numbers, want) {
		t.Errorf("got %v", answer.Numbers)
	}
}

func testDrop(t *testing.T, page *Page) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "cats")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "note.txt")
	for _, name := range []string{file, filepath.Join(folder, "one.jpg")} {
		if err := os.WriteFile(name, []byte("words"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := page.Drop(t.Context(), "#zone", file, folder); err != nil {
		t.Fatal(err)
	}
	if err := page.Wait(t.Context(), "dropped"); err != nil {
		t.Fatal(err)
	}
	type entry struct {
		On, Name, Text  string
		Trusted, Folder bool
		Inside          []string
	}
	var got []entry
	if err := page.Eval(t.Context(), "dropped", &got); err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"zone", "note.txt", "words", true, false, []string{}},
		{"zone", "cats", "", true, true, []string{"one.jpg"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("dropped %+v, want %+v", got, want)
	}
	if err := page.Drop(t.Context(), "#nowhere", file); err == nil || !strings.Contains(err.Error(), "no such element") {
		t.Errorf("drop onto nothing: %v", err)
	}
}

func testEval(t *testing.T, page *Page) {
	for expression, want := range map[string]any{
		"1 + 2":                         3.0,
		"await Promise.resolve('text')": "text",
		"undefined":                     nil,
		"({a: [true]}) // a comment":    map[string]any{"a": []any{true}},
	} {
		var got any
		if err := page.Eval(t.Context(), expression, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", expression, got, err, want)
		}
	}
	for expression, want := range map[string]string{
		"missing.property":                      "missing is not defined",
		"await Promise.reject(new Error('no'))": "Error: no",
		"1 +":                                   "SyntaxError",
	} {
		if err := page.Eval(t.Context(), expression, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v lacks %q", expression, err, want)
		}
	}
	var number int
	if err := page.Eval(t.Context(), "'text'", &number); err == nil {
		t.Error("a string was decoded into an int")
	}
}

func testWait(t *testing.T, page *Page) {
	if err := page.Eval(t.Context(), "void setTimeout(() => { window.late = 1 }, 200)", nil); err != nil {
		t.Fatal(err)
	}
	if err := page.Wait(t.Context(), "window.late"); err != nil {
		t.Error(err)
	}
	for name, condition := range map[string]string{"false for ever": "false", "a promise that never ends": "new Promise(() => {})"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		start := time.Now()
		err := page.Wait(ctx, condition)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
			t.Errorf("%s: %v after %v, want a deadline", name, err, time.Since(start))
		}
	}
	// The page outlives a call that ran out of time.
	if err := page.Wait(t.Context(), "true"); err != nil {
		t.Error(err)
	}
}

func testScreenshot(t *testing.T, page *Page) {
	picture, err := page.Screenshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil || config.Width < 1000 || config.Height < 500 {
		t.Errorf("%d x %d, %v", config.Width, config.Height, err)
	}
}

func testConsole(t *testing.T, page *Page) {
	if err := page.Eval(t.Context(), "startBrokenWorker()", nil); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(Timeout); ; time.Sleep(20 * time.Millisecond) {
		all, errs := strings.Join(page.Console(), "\n"), strings.Join(page.Errors(), "\n")
		if strings.Contains(all, "worker got 100 numbers") && strings.Contains(all, "warning: about to fail") &&
			strings.Contains(errs, "the worker is broken") && !strings.Contains(errs, "about to fail") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("console %q, errors %q", all, errs)
		}
	}
	err := page.Eval(t.Context(), "missing", nil)
	if err == nil || !strings.Contains(err.Error(), "the worker is broken") {
		t.Errorf("the error does not tell what the console held: %v", err)
	}
}

// testIsolation asks for another loopback address, which stands for any other host.
func testIsolation(t *testing.T, browser *Browser) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second loopback address on this system: ", err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener = listener
	server.Start()
	defer server.Close()
	if _, err := browser.Open(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "ERR_NAME_NOT_RESOLVED") {
		t.Errorf("opening a page on 127.0.0.2: %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CHROMIUM", "")
	if _, err := Find(); !errors.Is(err, ErrMissing) {
		t.Errorf("empty PATH: %v, want ErrMissing", err)
	}
	program := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHROMIUM", program)
	if path, err := Find(); err != nil || path != program {
		t.Errorf("CHROMIUM: %s, %v", path, err)
	}
	if _, err := Start(t.Context()); err == nil {
		t.Error("a program that ends at once counts as a browser")
	}
}
