package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// contentTypes gives the type of each file the tab may hold; the system's own
// table differs from machine to machine and often lacks wasm.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".md":          "text/markdown; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".ttf":         "font/ttf",
	".ts":          "text/plain; charset=utf-8",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
	".zip":         "application/zip",
}

// policy lets the page run its own scripts, wasm and workers, show pictures the
// user gives it, and reach nothing but its own origin.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; " +
	"worker-src 'self'; img-src 'self' blob: data:; style-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// policyFor returns the policy of a path. The benchmark page holds nobody's
// data, and the runners that drive it evaluate strings in it.
func policyFor(path, hub string) string {
	if path == hubWorker {
		return hubPolicy(hub)
	}
	if path == "/bench.html" {
		return strings.Replace(policy, "script-src 'self'", "script-src 'self' 'unsafe-eval'", 1)
	}
	return policy
}

// hubSources are where the worker that fetches towers may connect: the hub, where
// the hub redirects to for large files (cdn-lfs.huggingface.co, and now below
// hf.co, such as cas-bridge.xethub.hf.co), and torchvision's checkpoints.
const hubSources = "https://huggingface.co https://*.huggingface.co https://*.hf.co https://download.pytorch.org"

// hubWorker is the script of that worker, hubSettings what it asks its server.
const hubWorker, hubSettings = "/hubworker.js", "/hub.json"

// hubPolicy is the policy of that worker, which can do nothing but fetch. A mirror
// of the hub may redirect to where the hub does, and torchvision's checkpoints
// have their own place; a hub on this machine, as tests have, reaches nothing but
// its ports.
func hubPolicy(endpoint string) string {
	sources := hubSources
	if u, err := url.Parse(endpoint); err == nil && u.Host != "" && endpoint != DefaultHub {
		sources = u.Scheme + "://" + u.Host + " " + hubSources
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip.IsLoopback() {
			sources = u.Scheme + "://" + u.Hostname() + ":*"
		}
	}
	return "default-src 'none'; script-src 'self'; connect-src 'self' " + sources
}

// DefaultHub is the endpoint that towers come from.
const DefaultHub = "https://huggingface.co"

// encodings lists what may lie beside a file already compressed, best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// Handler serves the files of root. A folder stands for its index.html. Where
// NAME.br or NAME.gz lies beside NAME and the client accepts it, that is sent.
// Every answer carries an ETag over its bytes and must be revalidated, so a
// rebuilt tab shows at the next reload, and the security headers of the tab.
func Handler(root fs.FS) http.Handler { return HandlerAt(root, DefaultHub) }

// HandlerAt is [Handler] with another endpoint for towers. A password in it is
// not told to pages.
func HandlerAt(root fs.FS, hub string) http.Handler {
	if u, err := url.Parse(hub); err == nil && u.User != nil {
		u.User = nil
		hub = u.String()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policyFor(r.URL.Path, hub))
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are served here", http.StatusMethodNotAllowed)
			return
		}
		if r.URL.Path == hubSettings {
			header.Set("Content-Type", contentTypes[".json"])
			header.Set("Cache-Control", "no-cache")
			json.NewEncoder(w).Encode(map[string]string{"endpoint": hub})
			return
		}
		serveFile(w, r, root)
	})
}

func serveFile(w http.ResponseWriter, r *http.Request, root fs.FS) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	content, encoding, err := readEncoded(root, name, r.Header.Values("Accept-Encoding"))
	if err != nil {
		switch info, statErr := fs.Stat(root, name); {
		case statErr != nil:
			http.NotFound(w, r)
		case info.IsDir():
			redirectToFolder(w, r)
		default:
			http.Error(w, "the file could not be read", http.StatusInternalServerError)
		}
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	if t, ok := contentTypes[path.Ext(name)]; ok {
		header.Set("Content-Type", t)
	}
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Accept-Encoding")
	sum := sha256.Sum256(content)
	header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
		// ServeContent leaves the length of encoded content to its caller.
		if r.Header.Get("Range") == "" {
			header.Set("Content-Length", strconv.Itoa(len(content)))
		}
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// redirectToFolder adds the slash that a page's relative addresses need. The
// target is relative, so a path of two slashes cannot lead to another host.
func redirectToFolder(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, path.Base(r.URL.Path)+"/", http.StatusMovedPermanently)
}

// readEncoded reads name in the best encoding that the client accepts and the
// tab holds; encoding is empty for the file itself.
func readEncoded(root fs.FS, name string, accept []string) (content []byte, encoding string, err error) {
	for _, e := range encodings {
		if !accepts(accept, e.name) {
			continue
		}
		content, err := fs.ReadFile(root, name+e.suffix)
		if err == nil {
			return content, e.name, nil
		}
	}
	content, err = fs.ReadFile(root, name)
	return content, "", err
}

// accepts reports whether the Accept-Encoding values name the encoding with a
// weight above zero (RFC 9110, 12.5.3). An exact name beats the wildcard.
func accepts(values []string, encoding string) bool {
	wildcard := false
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, rest, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != encoding && name != "*" {
			continue
		}
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			w, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			weight = w
			if err != nil {
				weight = 0
			}
		}
		if name == encoding {
			return weight > 0
		}
		wildcard = weight > 0
	}
	return wildcard
}
