package wasm

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "\x00asm the plain module"

func tab() fstest.MapFS {
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	io.WriteString(w, module)
	w.Close()
	return fstest.MapFS{
		"index.html":      {Data: []byte("<!doctype html><title>Duet</title>")},
		"boot.js":         {Data: []byte("'use strict';")},
		"boot.js.gz":      {Data: []byte("gzip of boot.js")},
		"main.wasm":       {Data: []byte(module)},
		"main.wasm.gz":    {Data: gz.Bytes()},
		"main.wasm.br":    {Data: []byte("brotli of main.wasm")},
		"model/bin":       {Data: []byte{1, 2, 3}},
		"help/index.html": {Data: []byte("help")},
	}
}

// get asks the handler and returns the answer with its body.
func get(t *testing.T, root fs.FS, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler(root).ServeHTTP(w, r)
	response := w.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestHandlerFiles(t *testing.T) {
	tests := []struct {
		name, target string
		status       int
		contentType  string
		body         string
	}{
		{"the page", "/", 200, "text/html; charset=utf-8", "<!doctype html><title>Duet</title>"},
		{"a script", "/boot.js", 200, "text/javascript; charset=utf-8", "'use strict';"},
		{"the module", "/main.wasm", 200, "application/wasm", module},
		{"unknown type", "/model/bin", 200, "application/octet-stream", "\x01\x02\x03"},
		{"query ignored", "/boot.js?v=2", 200, "text/javascript; charset=utf-8", "'use strict';"},
		{"folder", "/help/", 200, "text/html; charset=utf-8", "help"},
		{"folder without a page", "/model/", 404, "", ""},
		{"absent", "/nothing.js", 404, "", ""},
		{"below a file", "/boot.js/", 404, "", ""},
		{"outside", "/../handler.go", 404, "", ""},
		{"outside, escaped", "/%2e%2e/%2e%2e/etc/passwd", 404, "", ""},
		{"invalid name", "/a%00b", 404, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response, body := get(t, tab(), "GET", test.target)
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d", response.StatusCode, test.status)
			}
			if test.status != 200 {
				return
			}
			if got := response.Header.Get("Content-Type"); got != test.contentType {
				t.Errorf("type %q, want %q", got, test.contentType)
			}
			if body != test.body {
				t.Errorf("body %q, want %q", body, test.body)
			}
		})
	}
}

func TestHandlerEncoding(t *testing.T) {
	tests := []struct{ name, target, accept, encoding string }{
		{"brotli before gzip", "/main.wasm", "gzip, deflate, br", "br"},
		{"gzip where brotli is not accepted", "/main.wasm", "gzip, deflate", "gzip"},
		{"brotli at weight zero", "/main.wasm", "br;q=0, gzip;q=0.5", "gzip"},
		{"weight zero in another spelling", "/main.wasm", "BR; q=0.000 , GZIP", "gzip"},
		{"wildcard", "/main.wasm", "*", "br"},
		{"wildcard except brotli", "/main.wasm", "br;q=0, *", "gzip"},
		{"nothing accepted", "/main.wasm", "", ""},
		{"only unknown encodings", "/main.wasm", "zstd, identity", ""},
		{"malformed weight", "/main.wasm", "br;q=high", ""},
		{"brotli not on disk", "/boot.js", "br, gzip", "gzip"},
		{"nothing on disk", "/", "br, gzip", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response, body := get(t, tab(), "GET", test.target, "Accept-Encoding", test.accept)
			if got := response.Header.Get("Content-Encoding"); got != test.encoding {
				t.Errorf("encoding %q, want %q", got, test.encoding)
			}
			if got := response.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary %q", got)
			}
			if test.target == "/main.wasm" && response.Header.Get("Content-Type") != "application/wasm" {
				t.Errorf("type %q", response.Header.Get("Content-Type"))
			}
			if response.ContentLength != int64(len(body)) {
				t.Errorf("Content-Length %d, body %d bytes", response.ContentLength, len(body))
			}
		})
	}
}

func TestHandlerRevalidation(t *testing.T) {
	files := tab()
	first, _ := get(t, files, "GET", "/boot.js")
	tag := first.Header.Get("ETag")
	if tag == "" || first.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("ETag %q, Cache-Control %q", tag, first.Header.Get("Cache-Control"))
	}
	again, body := get(t, files, "GET", "/boot.js", "If-None-Match", tag)
	if again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("unchanged file: status %d, body %q", again.StatusCode, body)
	}
	packed, _ := get(t, files, "GET", "/boot.js", "If-None-Match", tag, "Accept-Encoding", "gzip")
	if packed.StatusCode != http.StatusOK {
		t.Errorf("another encoding: status %d, want 200", packed.StatusCode)
	}
	files["boot.js"] = &fstest.MapFile{Data: []byte("'use strict'; ")}
	changed, _ := get(t, files, "GET", "/boot.js", "If-None-Match", tag)
	if changed.StatusCode != http.StatusOK {
		t.Errorf("changed file: status %d, want 200", changed.StatusCode)
	}
}

func TestHandlerMethods(t *testing.T) {
	response, body := get(t, tab(), "HEAD", "/main.wasm", "Accept-Encoding", "br")
	if response.StatusCode != 200 || body != "" || response.ContentLength != int64(len("brotli of main.wasm")) {
		t.Errorf("HEAD: status %d, length %d, body %q", response.StatusCode, response.ContentLength, body)
	}
	response, _ = get(t, tab(), "POST", "/")
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", response.StatusCode, response.Header.Get("Allow"))
	}
	response, body = get(t, tab(), "GET", "/model/bin", "Range", "bytes=1-2")
	if response.StatusCode != http.StatusPartialContent || body != "\x02\x03" {
		t.Errorf("Range: status %d, body %q", response.StatusCode, body)
	}
}

func TestHandlerHeaders(t *testing.T) {
	for _, target := range []string{"/", "/main.wasm", "/nothing"} {
		response, _ := get(t, tab(), "GET", target)
		for name, want := range map[string]string{
			"Content-Security-Policy":    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy":            "no-referrer",
			"X-Content-Type-Options":     "nosniff",
		} {
			if got := response.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
		if strings.Contains(response.Header.Get("Content-Security-Policy"), "unsafe-inline") {
			t.Errorf("%s: inline scripts or styles are allowed", target)
		}
	}
}

// TestHandlerHub holds the page to its own origin and lets the worker that fetches
// towers go to the hub.
func TestHandlerHub(t *testing.T) {
	ask := func(hub, target string) (policy, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		files := tab()
		files["hubworker.js"] = &fstest.MapFile{Data: []byte("'use strict';")}
		HandlerAt(files, hub).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w.Header().Get("Content-Security-Policy"), w.Body.String()
	}
	for hub, connect := range map[string]string{
		DefaultHub:               "connect-src 'self' " + hubSources,
		"https://mirror.example": "connect-src 'self' https://mirror.example " + hubSources,
		"http://127.0.0.1:4711":  "connect-src 'self' http://127.0.0.1:*",
	} {
		if policy, _ := ask(hub, "/"); !strings.Contains(policy, "connect-src 'self';") {
			t.Errorf("%s: the page has the policy %q", hub, policy)
		}
		policy, _ := ask(hub, "/hubworker.js")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") || !strings.HasSuffix(policy, connect) {
			t.Errorf("%s: the worker has the policy %q, want %q", hub, policy, connect)
		}
		if _, body := ask(strings.Replace(hub, "://", "://ada:secret@", 1), "/hub.json"); strings.Contains(body, "secret") {
			t.Errorf("%s: the settings tell a password: %q", hub, body)
		}
		if _, body := ask(hub, "/hub.json"); strings.TrimSpace(body) != `{"endpoint":"`+hub+`"}` {
			t.Errorf("%s: the settings are %q", hub, body)
		}
	}
}

func TestHandlerFolderRedirect(t *testing.T) {
	for target, want := range map[string]string{
		"/help":                   "/help/",
		"http://host//evil/model": "", // no such folder
	} {
		response, _ := get(t, tab(), "GET", target)
		if got := response.Header.Get("Location"); got != want {
			t.Errorf("%s: Location %q, want %q", target, got, want)
		}
	}
	deep := fstest.MapFS{"evil/model/index.html": {Data: []byte("x")}}
	response, _ := get(t, deep, "GET", "http://host//evil/model")
	if got := response.Header.Get("Location"); got != "/evil/model/" {
		t.Errorf("two slashes: Location %q, want a path on this host", got)
	}
}
