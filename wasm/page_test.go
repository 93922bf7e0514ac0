//go:build !js

package wasm_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"duet/wasm"
	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// patience bounds a step that the engine takes on a software adapter of a busy
// machine.
const patience = 5 * time.Minute

// The tab is compiled once per run of the tests.
var built struct {
	sync.Once
	dir string
	err error
	out []byte
}

// tabFiles returns the files of the tab, with the engine as the sources have it.
func tabFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	if _, err := browser.Find(); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "tab"); built.err != nil {
			return
		}
		built.out, built.err = buildTab(built.dir)
	})
	if built.err != nil {
		t.Fatalf("building the tab: %v\n%s", built.err, built.out)
	}
	return packed(t, built.dir, "0", nil)
}

// buildTab puts what is compiled or drawn into dir, as make wasm does.
func buildTab(dir string) (output []byte, err error) {
	for name, source := range map[string]string{"main.wasm": "duet/cmd/duet", "tab.wasm": "duet/cmd/tab"} {
		command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, name), source)
		command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		if output, err = command.CombinedOutput(); err != nil {
			return output, err
		}
	}
	if output, err = exec.Command("go", "run", "duet/cmd/tabfiles", dir).CombinedOutput(); err != nil {
		return output, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return nil, err
	}
	return nil, os.WriteFile(filepath.Join(dir, "wasm_exec.js"), glue, 0o666)
}

// packed lays out the tab from what is in dir and the pages here, with pack.mjs;
// change gives files other contents before.
func packed(t testing.TB, dir, quality string, change map[string][]byte) fstest.MapFS {
	t.Helper()
	sources, out := t.TempDir(), t.TempDir()
	for _, place := range []string{dir, ".", filepath.Join("..", "bin", "fonts")} { // no fonts where make could not make them
		entries, err := os.ReadDir(place)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch filepath.Ext(e.Name()) {
			case ".html", ".js", ".css", ".webmanifest", ".wasm", ".zip", ".png", ".ttf", ".txt":
			default:
				if !strings.HasSuffix(e.Name(), ".d.ts") {
					continue
				}
			}
			content, err := os.ReadFile(filepath.Join(place, e.Name()))
			if changed, ok := change[e.Name()]; ok {
				content = changed
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(sources, e.Name()), content, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	paths, err := filepath.Glob(filepath.Join(sources, "*"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", append([]string{"pack.mjs", out}, paths...)...)
	command.Env = append(os.Environ(), "QUALITY="+quality)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("pack.mjs: %v\n%s", err, output)
	}
	files := fstest.MapFS{}
	laid, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range laid {
		content, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = &fstest.MapFile{Data: content}
	}
	return files
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// serve serves the tab until the test ends.
func serve(t testing.TB, files fs.FS) (address string) {
	t.Helper()
	server := httptest.NewServer(wasm.Handler(files))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// eval evaluates an expression, with patience.
func eval(t testing.TB, page *browser.Page, expression string, result any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := page.Eval(ctx, expression, result); err != nil {
		t.Fatal(err)
	}
}

func wait(t testing.TB, page *browser.Page, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := page.Wait(ctx, condition); err != nil {
		t.Fatal(err)
	}
}

// TestPageShowsTheAdapter opens the page as a person does.
func TestPageShowsTheAdapter(t *testing.T) {
	files := tabFiles(t)
	page := browser.ForTest(t).MustOpen(t, serve(t, files)+"bare.html")
	var info struct {
		Adapter, Class string
		Limits         map[string]int64
	}
	eval(t, page, `await duet.ready`, &info)
	if info.Adapter == "" || info.Class == "" || info.Limits["maxStorageBufferBindingSize"] < 128<<20 {
		t.Errorf("info is %+v", info)
	}
	var shown string
	eval(t, page, `document.querySelector('#engine').innerText`, &shown)
	if !strings.Contains(shown, info.Adapter) || (info.Class == "software (CPU)" && !strings.Contains(shown, "slow")) {
		t.Errorf("the page says %q", shown)
	}
	if errs := page.Errors(); len(errs) > 0 {
		t.Errorf("errors on the console: %q", errs)
	}
	t.Logf("%s; the engine is %.1f MB", shown, float64(len(files["main.wasm"].Data))/1e6)
}

// TestPageSaysWhatIsMissing opens the page where it cannot work. Each case
// changes the worker before the engine starts.
func TestPageSaysWhatIsMissing(t *testing.T) {
	files := tabFiles(t)
	b := browser.ForTest(t)
	for _, test := range []struct{ name, patch, code, want string }{
		{"no WebGPU in the worker", `delete WorkerNavigator.prototype.gpu;`, "no-webgpu", "no WebGPU"},
		{"no adapter", `navigator.gpu.requestAdapter = async () => null;`, "no-adapter", "no graphics adapter"},
		{"too little of a limit", `Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', {get: () => 1 << 20});`,
			"limit", "128 MiB needed, 1.00 MiB offered"},
		{"the engine does not start", `WebAssembly.instantiateStreaming = async () => { throw new Error('out of memory'); };`, "internal", "out of memory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := fstest.MapFS{}
			for name, f := range files {
				changed[name] = f
			}
			changed["replay.js"] = &fstest.MapFile{Data: append([]byte(test.patch+"\n"), files["replay.js"].Data...)}
			page := b.MustOpen(t, serve(t, changed)+"bare.html")
			wait(t, page, `document.querySelector('#problem .problem')`)
			checkProblem(t, page, test.code, test.want)
		})
	}
}

// checkProblem compares what the page says is wrong, and what the API rejects with.
func checkProblem(t *testing.T, page *browser.Page, code, want string) {
	t.Helper()
	var got struct{ Shown, Code, API string }
	eval(t, page, `({shown: document.querySelector('#problem').innerText, code: document.querySelector('#problem .problem')?.dataset.code,
		api: await duet.classify(new Blob()).catch((e) => e.code)})`, &got)
	if got.Code != code || got.API != code || !strings.Contains(got.Shown, want) {
		t.Errorf("the page says %q (%s, the API %s), want %s and %q", got.Shown, got.Code, got.API, code, want)
	}
}

// TestPageInsecure opens the page by a name that is neither localhost nor HTTPS.
func TestPageInsecure(t *testing.T) {
	address := serve(t, tabFiles(t))
	b, err := browser.Start(t.Context(), chromedp.Flag("host-resolver-rules", "MAP duet.example 127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	page := b.MustOpen(t, strings.Replace(address, "127.0.0.1", "duet.example", 1)+"bare.html")
	wait(t, page, `document.querySelector('#problem .problem')`)
	checkProblem(t, page, "insecure", "only over HTTPS or on localhost")
}
