// Package hubtest is a stand-in for Hugging Face's hub on loopback, for tests:
// an endpoint that describes repositories and serves their small files, and a
// store on another port, which it redirects to for large ones. It can refuse,
// break off, change a byte, and tells what was asked of it.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Hub is a stand-in for a hub.
type Hub struct {
	URL      string // of the endpoint
	StoreURL string // of the store, on another port

	Connections atomic.Int64 // that were opened to either

	mu       sync.Mutex
	repos    map[string]*Repo
	stored   map[string][]byte // by path in the store
	requests []Request
	Faults
}

// cutPause is how long a body stays quiet before it is cut: a browser throws away
// what it has not handed on when the connection breaks.
const cutPause = 300 * time.Millisecond

// Faults are what is to go wrong.
type Faults struct {
	Token   string            // that gated repositories ask for
	Gated   map[string]bool   // repositories
	Renamed map[string]string // repositories, and what they are called now
	Busy    int               // that many requests are answered by 503
	Cuts    []int             // the next bodies from the store end after as many bytes
	Corrupt bool              // the store changes a byte
	Closed  bool              // nothing says that pages of other origins may read it
	NoRange bool              // the store serves whole files only
	Pace    time.Duration     // the store waits as long after each 64 KiB
}

// A Repo is a repository at a commit.
type Repo struct {
	Commit string
	Files  map[string][]byte
}

// A Request is one that came.
type Request struct {
	Method, Host, Path, Range, Authorization string
}

// New starts a stand-in, which ends with the test.
func New(t testing.TB) *Hub {
	t.Helper()
	h := &Hub{repos: map[string]*Repo{}, stored: map[string][]byte{}}
	serve := func(handler http.HandlerFunc) string {
		server := httptest.NewUnstartedServer(handler)
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				h.Connections.Add(1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		return server.URL
	}
	h.URL = serve(h.endpoint)
	h.StoreURL = serve(h.store)
	return h
}

// Use makes it the hub of the test and of the programs that it starts, with
// caches below home. Nothing of the user's is used or written to.
func (h *Hub) Use(t testing.TB, home string) {
	t.Helper()
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_ENDPOINT", h.URL)
	t.Setenv("HF_HOME", home)
	t.Setenv("TORCH_HOME", filepath.Join(home, "torch"))
}

// Add adds a repository. Files of weights are large ones, as at the hub.
func (h *Hub) Add(name, commit string, files map[string][]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repos[name] = &Repo{commit, files}
	for file, content := range files {
		if isLarge(file) {
			h.stored["/blobs/"+sha256Hex(content)] = content
		}
	}
}

// AddFile adds a file to the store and returns its address.
func (h *Hub) AddFile(path string, content []byte) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored[path] = content
	return h.StoreURL + path
}

// Set changes what goes wrong.
func (h *Hub) Set(change func(f *Faults)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.Faults)
}

// Requests are those that came since it was called last.
func (h *Hub) Requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.requests
	h.requests = nil
	return list
}

// Commit makes a commit's hash of a text.
func Commit(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// ETag is the hash by which the hub knows a file.
func ETag(file string, content []byte) string {
	if isLarge(file) {
		return sha256Hex(content)
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", len(content))
	sum.Write(content)
	return hex.EncodeToString(sum.Sum(nil))
}

func isLarge(file string) bool {
	return strings.HasSuffix(file, ".safetensors") || strings.HasSuffix(file, ".bin")
}

func sha256Hex(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// note keeps a request and says whether it is answered by 503, or only by what
// browsers ask for beforehand.
func (h *Hub) note(w http.ResponseWriter, r *http.Request) (done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if header := w.Header(); !h.Closed {
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Headers", "*")
		header.Set("Access-Control-Expose-Headers", "X-Repo-Commit,X-Error-Code,ETag,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag")
	}
	h.requests = append(h.requests, Request{r.Method, r.Host, r.URL.Path, r.Header.Get("Range"), r.Header.Get("Authorization")})
	if r.Method == http.MethodOptions {
		return true
	}
	if h.Busy > 0 {
		h.Busy--
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	return false
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Error-Code", code)
	w.WriteHeader(status)
}

// open finds a repository's revision, or answers why there is none.
func (h *Hub) open(w http.ResponseWriter, r *http.Request, name, revision, rest string) *Repo {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now, ok := h.Renamed[name]; ok {
		w.Header().Set("Location", strings.Replace(r.URL.Path, name, now, 1))
		w.WriteHeader(http.StatusTemporaryRedirect)
		return nil
	}
	repo := h.repos[name]
	if repo == nil { // the hub does not tell strangers what there is
		refuse(w, http.StatusUnauthorized, "RepoNotFound")
		return nil
	}
	if h.Gated[name] && rest != "" && r.Header.Get("Authorization") != "Bearer "+h.Token {
		refuse(w, http.StatusUnauthorized, "GatedRepo")
		return nil
	}
	if revision != "main" && revision != repo.Commit {
		refuse(w, http.StatusNotFound, "RevisionNotFound")
		return nil
	}
	return repo
}

func (h *Hub) endpoint(w http.ResponseWriter, r *http.Request) {
	if h.note(w, r) {
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/"); ok {
		name, revision, ok := strings.Cut(rest, "/revision/")
		if !ok {
			name, revision, _ = strings.Cut(strings.Replace(rest, "/paths-info/", "/tree/", 1), "/tree/")
		}
		repo := h.open(w, r, name, revision, "")
		switch {
		case repo == nil:
		case ok:
			describe(w, name, repo)
		default:
			tree(w, r, repo)
		}
		return
	}
	name, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/resolve/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	revision, file, _ := strings.Cut(rest, "/")
	repo := h.open(w, r, name, revision, file)
	if repo == nil {
		return
	}
	content, ok := repo.Files[file]
	if !ok {
		refuse(w, http.StatusNotFound, "EntryNotFound")
		return
	}
	w.Header().Set("X-Repo-Commit", repo.Commit)
	etag := ETag(file, content)
	if !isLarge(file) {
		w.Header().Set("ETag", `"`+etag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		return
	}
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
	w.Header().Set("X-Linked-Etag", `"`+etag+`"`)
	w.Header().Set("Location", h.StoreURL+"/blobs/"+etag+"?signed=for-a-while")
	w.WriteHeader(http.StatusFound)
}

// describe names a revision's commit and its files.
func describe(w http.ResponseWriter, name string, repo *Repo) {
	var siblings []map[string]string
	for _, file := range slices.Sorted(maps.Keys(repo.Files)) {
		siblings = append(siblings, map[string]string{"rfilename": file})
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"id": name, "sha": repo.Commit, "siblings": siblings})
}

// tree lists a revision's files with their sizes and hashes; where some are named
// in the request's body (paths-info), those.
func tree(w http.ResponseWriter, r *http.Request, repo *Repo) {
	var asked struct{ Paths []string }
	json.NewDecoder(r.Body).Decode(&asked)
	list := []map[string]any{}
	if asked.Paths == nil {
		list = append(list, map[string]any{"type": "directory", "path": "onnx", "oid": Commit("onnx"), "size": 0})
	}
	for _, file := range slices.Sorted(maps.Keys(repo.Files)) {
		if asked.Paths != nil && !slices.Contains(asked.Paths, file) {
			continue
		}
		content := repo.Files[file]
		x := map[string]any{"type": "file", "path": file, "size": len(content), "oid": ETag(file, content), "lastCommit": map[string]string{"id": repo.Commit, "title": "a commit", "date": "2026-01-01T00:00:00Z"}}
		if isLarge(file) { // in git there is a pointer to it
			x["oid"] = Commit(file)
			x["lfs"] = map[string]any{"oid": ETag(file, content), "size": len(content), "pointerSize": 134}
		}
		list = append(list, x)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(list)
}

func (h *Hub) store(w http.ResponseWriter, r *http.Request) {
	if h.note(w, r) {
		return
	}
	h.mu.Lock()
	content, ok := h.stored[r.URL.Path]
	cut := -1
	if ok && r.Method == http.MethodGet && len(h.Cuts) > 0 {
		cut, h.Cuts = h.Cuts[0], h.Cuts[1:]
	}
	corrupt, noRange, pace := h.Corrupt, h.NoRange, h.Pace
	h.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	if corrupt {
		content = slices.Clone(content)
		content[len(content)/2] ^= 1
	}
	if noRange {
		r.Header.Del("Range")
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+Commit(r.URL.Path)+`"`) // of the store's own, which says nothing about the content
	http.ServeContent(&body{ResponseWriter: w, left: cut, pace: pace, request: r}, r, "", time.Time{}, bytes.NewReader(content))
}

// body passes a body on, and breaks off after as many bytes (-1: never).
type body struct {
	http.ResponseWriter
	left    int
	pace    time.Duration
	request *http.Request
	begun   bool
}

func (b *body) Write(data []byte) (written int, err error) {
	const piece = 64 << 10
	for len(data) > 0 {
		n := min(piece, len(data))
		if b.pace > 0 && b.begun {
			http.NewResponseController(b.ResponseWriter).Flush()
			select {
			case <-b.request.Context().Done():
			case <-time.After(b.pace):
			}
		}
		b.begun = true
		if b.left >= 0 {
			n = min(n, b.left)
			b.left -= n
		}
		m, err := b.ResponseWriter.Write(data[:n])
		written += m
		if err != nil {
			return written, err
		}
		if b.left == 0 {
			http.NewResponseController(b.ResponseWriter).Flush()
			time.Sleep(cutPause)
			panic(http.ErrAbortHandler)
		}
		data = data[n:]
	}
	return written, nil
}

// Host is the host of an address.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
