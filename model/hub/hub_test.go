//go:build !js

package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duet/assets/known"
	"duet/model/hub/hubtest"
)

const roberta = "FacebookAI/roberta-base"

var commit = hubtest.Commit("a commit")

// weightsOf are bytes that no hash takes for others.
func weightsOf(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	return content
}

// aRepo is a text tower's repository, with files that a tower does not need.
func aRepo() map[string][]byte {
	return map[string][]byte{
		"config.json": []byte(`{"model_type":"roberta"}`), "model.safetensors": weightsOf(700_001), "pytorch_model.bin": weightsOf(70),
		"tf_model.h5": []byte("not this"), "flax_model.msgpack": []byte("nor this"), "tokenizer.json": []byte(`{}`),
		"vocab.json": []byte(`{"a":0}`), "merges.txt": []byte("#version"), "README.md": []byte("# A tower"), ".gitattributes": []byte("*"),
	}
}

// at is a hub of the user's that asks the stand-in.
func at(t *testing.T, s *hubtest.Hub) *Hub {
	t.Helper()
	dir := t.TempDir()
	return &Hub{Endpoint: s.URL, Cache: filepath.Join(dir, "hub"), Checkpoints: filepath.Join(dir, "checkpoints"), wait: time.Millisecond}
}

func quiet(Progress) {}

func pulled(t *testing.T, h *Hub, name string) Pulled {
	t.Helper()
	p, err := h.Pull(t.Context(), name, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refusedFor asserts that an error has a reason and says some words.
func refusedFor(t *testing.T, err error, want Reason, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Fatalf("error %v, want reason %s", err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

func TestPullFillsTheStandardLayout(t *testing.T) {
	s := hubtest.New(t)
	files := aRepo()
	s.Add(roberta, commit, files)
	h := at(t, s)
	var last Progress
	p, err := h.Pull(t.Context(), roberta, func(x Progress) {
		if x.Done < last.Done || x.Done > x.Total {
			t.Errorf("progress %+v after %+v", x, last)
		}
		last = x
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"config.json", "tokenizer.json", "vocab.json", "merges.txt", "README.md", "model.safetensors"}; !slices.Equal(p.Files, want) {
		t.Errorf("fetched %v, want %v", p.Files, want)
	}
	if last.Done != p.Bytes || last.Total != p.Bytes || p.New != p.Bytes || p.Commit != commit {
		t.Errorf("told %+v at last; %+v", last, p)
	}
	if n := s.Connections.Load(); n > 4 {
		t.Errorf("%d connections for %d files", n, len(files))
	}
	folder := filepath.Join(h.Cache, "models--FacebookAI--roberta-base")
	if ref, err := os.ReadFile(filepath.Join(folder, "refs", "main")); err != nil || string(ref) != commit {
		t.Errorf("refs/main is %q (%v)", ref, err)
	}
	for _, file := range p.Files {
		etag := hubtest.ETag(file, files[file])
		if blob, err := os.ReadFile(filepath.Join(folder, "blobs", etag)); err != nil || !bytes.Equal(blob, files[file]) {
			t.Errorf("%s: blob %s: %v", file, etag, err)
		}
		link, err := os.Readlink(filepath.Join(folder, "snapshots", commit, file))
		if want := filepath.Join("..", "..", "blobs", etag); runtime.GOOS != "windows" && (err != nil || link != want) {
			t.Errorf("%s links to %q (%v), want %q", file, link, err, want)
		}
	}
	for dir, want := range map[string]int{"blobs": len(p.Files), filepath.Join("snapshots", commit): len(p.Files), "refs": 1} {
		if entries, err := os.ReadDir(filepath.Join(folder, dir)); err != nil || len(entries) != want {
			t.Errorf("%s has %d entries, want %d (%v)", dir, len(entries), want, err)
		}
	}
	if path, ok := h.Find(roberta); !ok || path != p.Path || path != filepath.Join(folder, "snapshots", commit) {
		t.Errorf("found %q, %v", path, ok)
	}
	if path, ok := h.Find(roberta + "@" + commit); !ok || path != p.Path {
		t.Errorf("by its commit found %q, %v", path, ok)
	}

	s.Requests()
	if again := pulled(t, h, roberta); again.New != 0 || again.Bytes != p.Bytes {
		t.Errorf("the second time %+v", again)
	}
	for _, r := range s.Requests() {
		if r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/api/") {
			t.Errorf("the second time it fetched %s", r.Path)
		}
	}
	if err := h.Remove(roberta); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Find(roberta); ok {
		t.Error("it is found after it was removed")
	}
}

// counter counts requests.
type counter struct{ n int }

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n++
	return http.DefaultTransport.RoundTrip(r)
}

// noSockets fails a test in which a request is made.
type noSockets struct{ t *testing.T }

func (n noSockets) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("a request to %s, though offline", r.URL)
	return nil, errors.New("offline")
}

func TestOfflineOpensNoSocket(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	online := at(t, s)
	first := pulled(t, online, roberta)
	before := s.Connections.Load()
	if before == 0 {
		t.Fatal("the stand-in counts no connections")
	}

	// Without a transport of the test's own: the listener counts.
	offline := &Hub{Endpoint: s.URL, Cache: online.Cache, Checkpoints: online.Checkpoints, Offline: true}
	if again := pulled(t, offline, roberta); again.Path != first.Path || again.Bytes != first.Bytes || len(again.Files) != len(first.Files) {
		t.Errorf("offline %+v, online %+v", again, first)
	}
	offline.Transport = noSockets{t}
	pulled(t, offline, roberta)
	for name, words := range map[string][]string{
		"nobody/nothing":                    {"nobody/nothing", "missing: everything", "HF_HUB_OFFLINE"},
		roberta + "@other":                  {"@other", "missing: everything"},
		"torchvision/resnet18":              {"resnet18-f37072fd.pth", offline.Checkpoints},
		roberta + "@" + hubtest.Commit("x"): {"missing: config.json, model.safetensors"},
	} {
		_, err := offline.Pull(t.Context(), name, quiet)
		refusedFor(t, err, Offline, words...)
	}
	if got := s.Connections.Load(); got != before {
		t.Errorf("%d connections were opened offline", got-before)
	}
}

func TestPullGoesOnAfterCuts(t *testing.T) {
	s := hubtest.New(t)
	files := aRepo()
	s.Add(roberta, commit, files)
	h := at(t, s)
	s.Set(func(f *hubtest.Faults) { f.Cuts = []int{300_000, 0, 200_000} })
	p := pulled(t, h, roberta)
	if content, err := os.ReadFile(filepath.Join(p.Path, "model.safetensors")); err != nil || !bytes.Equal(content, files["model.safetensors"]) {
		t.Errorf("the weights are others (%v)", err)
	}
	var ranges []string
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/blobs/") {
			ranges = append(ranges, r.Range)
		}
	}
	if len(ranges) != 4 || ranges[0] != "" || ranges[1] == "" || ranges[1] != ranges[2] || ranges[3] == ranges[2] {
		t.Errorf("asked for the ranges %q", ranges)
	}
}

func TestPullGoesOnTheNextTime(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	h := at(t, s)
	s.Set(func(f *hubtest.Faults) { f.Cuts = append([]int{400_000}, make([]int, tries)...) })
	_, err := h.Pull(t.Context(), roberta, quiet)
	refusedFor(t, err, Unreachable, "model.safetensors broke off after", "of 700001 bytes", "kept")
	if _, ok := h.Find(roberta); ok {
		t.Error("half a model counts")
	}
	had := h.Partial(roberta)
	if had == 0 || had >= 700_001 {
		t.Fatalf("%d bytes are kept", had)
	}
	s.Set(func(f *hubtest.Faults) { f.Cuts = nil })
	s.Requests()
	pulled(t, h, roberta)
	want := fmt.Sprintf("bytes=%d-", had)
	if !slices.ContainsFunc(s.Requests(), func(r hubtest.Request) bool { return r.Range == want && r.Host == hubtest.Host(s.StoreURL) }) {
		t.Errorf("it did not ask the store for %s", want)
	}
	if h.Partial(roberta) != 0 {
		t.Error("something is still incomplete")
	}
}

func TestPullRefusesWhatIsCorrupt(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	h := at(t, s)
	s.Set(func(f *hubtest.Faults) { f.Corrupt = true })
	_, err := h.Pull(t.Context(), roberta, quiet)
	refusedFor(t, err, Corrupt, "model.safetensors", hubtest.ETag("model.safetensors", aRepo()["model.safetensors"]))
	if _, ok := h.Find(roberta); ok || h.Partial(roberta) != 0 {
		t.Error("it counts, or is kept")
	}
	s.Set(func(f *hubtest.Faults) { f.Corrupt = false })
	pulled(t, h, roberta)

	t.Run("what lay there", func(t *testing.T) {
		h := at(t, s)
		etag := hubtest.ETag("model.safetensors", aRepo()["model.safetensors"])
		half := filepath.Join(h.Cache, "models--FacebookAI--roberta-base", "blobs", etag+incomplete)
		os.MkdirAll(filepath.Dir(half), 0o777)
		if err := os.WriteFile(half, make([]byte, 1000), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := h.Pull(t.Context(), roberta, quiet)
		refusedFor(t, err, Corrupt)
		pulled(t, h, roberta)
	})
	t.Run("a small file", func(t *testing.T) {
		h := at(t, s)
		h.Transport = changing{}
		_, err := h.Pull(t.Context(), roberta, quiet)
		refusedFor(t, err, Corrupt, "config.json")
	})
}

// changing changes the first byte of every config.json.
type changing struct{}

func (changing) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/config.json") {
		response.Body = &changedBody{response.Body.Close, response.Body.Read, false}
	}
	return response, err
}

type changedBody struct {
	close func() error
	read  func([]byte) (int, error)
	done  bool
}

func (b *changedBody) Close() error { return b.close() }

func (b *changedBody) Read(p []byte) (int, error) {
	n, err := b.read(p)
	if n > 0 && !b.done {
		p[0] ^= 1
		b.done = true
	}
	return n, err
}

func TestTokenGoesToTheEndpointOnly(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Set(func(f *hubtest.Faults) { f.Gated, f.Token = map[string]bool{roberta: true}, "secret" })
	h := at(t, s)
	_, err := h.Pull(t.Context(), roberta, quiet)
	refusedFor(t, err, Gated, "agree", "HF_TOKEN")
	h.Token = "wrong"
	_, err = h.Pull(t.Context(), roberta, quiet)
	refusedFor(t, err, Gated, "token")
	s.Requests()
	h.Token = "secret"
	pulled(t, h, roberta)
	stored := 0
	for _, r := range s.Requests() {
		switch want := "Bearer secret"; r.Host {
		case hubtest.Host(s.StoreURL):
			stored++
			if r.Authorization != "" {
				t.Errorf("the store was given the token: %+v", r)
			}
		default:
			if r.Authorization != want {
				t.Errorf("the endpoint was not given the token: %+v", r)
			}
		}
	}
	if stored == 0 {
		t.Error("nothing came from the store")
	}
}

func TestPullSaysWhatIsWrong(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Add("a/bare", commit, map[string][]byte{"README.md": []byte("x"), "weights.pt": []byte("y")})
	s.Add("a/vague", commit, map[string][]byte{"config.json": []byte("{}"), "tf_model.h5": []byte("y")})
	s.Add("a/hostile", commit, map[string][]byte{"config.json": []byte("{}"), "model.safetensors.index.json": []byte(`{"weight_map":{"a":"../../x.safetensors"}}`)})
	s.Add("a/torn", commit, map[string][]byte{"config.json": []byte("{}"), "model.safetensors.index.json": []byte(`{"weight_map":{"a":"model-1.safetensors"}}`)})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>hello") }))
	defer web.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, test := range []struct {
		name, endpoint string
		reason         Reason // empty: an error without one
		words          []string
	}{
		{"nobody/nothing", "", Gated, []string{"nobody/nothing is not on " + s.URL, "check the name"}},
		{roberta + "@v2", "", Absent, []string{"@v2", "no such revision"}},
		{"a/bare", "", "", []string{"no config.json", "README.md, weights.pt"}},
		{"a/vague", "", "", []string{"neither model.safetensors nor pytorch_model.bin", "tf_model.h5"}},
		{"a/hostile", "", "", []string{"../../x.safetensors"}},
		{"a/torn", "", Absent, []string{"model-1.safetensors"}},
		{roberta, web.URL, Unreachable, []string{"HF_ENDPOINT"}},
		{roberta, closed.URL, Unreachable, []string{"out of reach"}},
		{roberta, "ftp://x", "", []string{"HF_ENDPOINT"}},
		{"../../etc/passwd", "", "", []string{"no name of a model"}},
		{"a--b/c", "", "", []string{"no name of a model"}},
		{"a/b/c", "", "", []string{"no name of a model"}},
		{"a/b@../c", "", "", []string{"no revision"}},
		{"a/b@", "", "", []string{"no revision"}},
	} {
		t.Run(test.name+test.endpoint, func(t *testing.T) {
			h := at(t, s)
			if test.endpoint != "" {
				h.Endpoint = test.endpoint
			}
			_, err := h.Pull(t.Context(), test.name, quiet)
			if test.reason != "" {
				refusedFor(t, err, test.reason, test.words...)
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not say %q", err, word)
				}
			}
		})
	}
}

func TestPullTriesAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault hubtest.Faults
	}{
		{"a busy hub", hubtest.Faults{Busy: 3}},
		{"a store without ranges", hubtest.Faults{Cuts: []int{100_000}, NoRange: true}},
		{"a repository with another name", hubtest.Faults{Renamed: map[string]string{"roberta-base": roberta}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := hubtest.New(t)
			s.Add(roberta, commit, aRepo())
			s.Set(func(f *hubtest.Faults) { *f = test.fault })
			name := roberta
			for old := range test.fault.Renamed {
				name = old
			}
			h := at(t, s)
			p := pulled(t, h, name)
			if content, err := os.ReadFile(filepath.Join(p.Path, "model.safetensors")); err != nil || !bytes.Equal(content, aRepo()["model.safetensors"]) {
				t.Errorf("the weights are others (%v)", err)
			}
		})
	}
	t.Run("no network", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		s.Close()
		dials := new(counter)
		h := &Hub{Endpoint: s.URL, Cache: t.TempDir(), Transport: dials, wait: time.Millisecond}
		_, err := h.Pull(t.Context(), roberta, quiet)
		refusedFor(t, err, Unreachable, "out of reach")
		if dials.n != 2 {
			t.Errorf("%d tries, want 2", dials.n)
		}
	})
	t.Run("not for ever", func(t *testing.T) {
		s := hubtest.New(t)
		s.Add(roberta, commit, aRepo())
		s.Set(func(f *hubtest.Faults) { f.Busy = 1000 })
		_, err := at(t, s).Pull(t.Context(), roberta, quiet)
		refusedFor(t, err, Unreachable, "503")
		if got := len(s.Requests()); got != tries {
			t.Errorf("%d tries, want %d", got, tries)
		}
	})
	t.Run("a silent store", func(t *testing.T) {
		s := hubtest.New(t)
		s.Add(roberta, commit, aRepo())
		s.Set(func(f *hubtest.Faults) { f.Pace = time.Minute })
		h := at(t, s)
		h.silence = 100 * time.Millisecond
		_, err := h.Pull(t.Context(), roberta, quiet) // each try brings 64 KiB
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestPullOfOtherWeights(t *testing.T) {
	index := []byte(`{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}`)
	s := hubtest.New(t)
	s.Add("a/sharded", commit, map[string][]byte{
		"config.json": []byte("{}"), "model.safetensors.index.json": index, "pytorch_model.bin": weightsOf(5),
		"model-00001-of-00002.safetensors": weightsOf(200_000), "model-00002-of-00002.safetensors": weightsOf(300_000),
	})
	s.Add("a/old", commit, map[string][]byte{"config.json": []byte("{}"), "pytorch_model.bin": weightsOf(5)})
	for name, want := range map[string][]string{
		"a/sharded": {"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"},
		"a/old":     {"config.json", "pytorch_model.bin"},
	} {
		h := at(t, s)
		p := pulled(t, h, name)
		if !slices.Equal(p.Files, want) {
			t.Errorf("%s: fetched %v, want %v", name, p.Files, want)
		}
		if _, ok := h.Find(name); !ok {
			t.Errorf("%s is not found", name)
		}
		if name == "a/sharded" {
			os.Remove(filepath.Join(p.Path, want[2]))
			if _, ok := h.Find(name); ok {
				t.Error("a model without one of its files counts")
			}
		}
	}
}

func TestSeveralPullAtOnce(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Set(func(f *hubtest.Faults) { f.Pace = 5 * time.Millisecond })
	h := at(t, s)
	var work sync.WaitGroup
	for range 4 {
		other := *h
		work.Go(func() {
			if _, err := other.Pull(context.Background(), roberta, quiet); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	fetched := 0
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/blobs/") && r.Method == http.MethodGet {
			fetched++
		}
	}
	if fetched != 1 {
		t.Errorf("the weights were fetched %d times", fetched)
	}
	if _, ok := h.Find(roberta); !ok {
		t.Error("it is not found")
	}
}

func TestCancelKeepsWhatArrived(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Set(func(f *hubtest.Faults) { f.Pace = 20 * time.Millisecond })
	h := at(t, s)
	ctx, stop := context.WithCancel(t.Context())
	_, err := h.Pull(ctx, roberta, func(p Progress) {
		if p.Done > 200_000 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := h.Partial(roberta); got < 100_000 {
		t.Errorf("%d bytes are kept", got)
	}
}

func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /dev/full")
	}
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	h := at(t, s)
	etag := hubtest.ETag("model.safetensors", aRepo()["model.safetensors"])
	blobs := filepath.Join(h.Cache, "models--FacebookAI--roberta-base", "blobs")
	os.MkdirAll(blobs, 0o777)
	if err := os.Symlink("/dev/full", filepath.Join(blobs, etag+incomplete)); err != nil {
		t.Fatal(err)
	}
	_, err := h.Pull(t.Context(), roberta, quiet)
	refusedFor(t, err, NoRoom, "is full", "kept")
	refusedFor(t, enough(filepath.Join(h.Cache, "not", "there"), 1<<60), NoRoom, " free: make room", "HF_HOME")
}

func TestCheckpoints(t *testing.T) {
	s := hubtest.New(t)
	content := weightsOf(500_000)
	hash := hubtest.ETag("x.bin", content)
	model := known.Model{Name: "torchvision/toy", URL: s.AddFile("/models/toy-"+hash[:8]+".pth", content)}
	h := at(t, s)
	s.Set(func(f *hubtest.Faults) { f.Cuts = []int{200_000} })
	p, err := h.pullCheckpoint(t.Context(), model, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(p.Path); err != nil || !bytes.Equal(got, content) || p.Path != filepath.Join(h.Checkpoints, "toy-"+hash[:8]+".pth") {
		t.Errorf("%s: %v", p.Path, err)
	}
	before := s.Connections.Load()
	if again, err := h.pullCheckpoint(t.Context(), model, quiet); err != nil || again.New != 0 || s.Connections.Load() != before {
		t.Errorf("the second time %+v, %v", again, err)
	}
	for name, model := range map[string]known.Model{
		"another hash in the name": {Name: "a", URL: s.AddFile("/models/toy-00000000.pth", content)},
		"another hash in the list": {Name: "a", URL: s.AddFile("/models/toy-"+hash[:9]+".pth", content), SHA256: strings.Repeat("0", 64)},
	} {
		_, err := h.pullCheckpoint(t.Context(), model, quiet)
		refusedFor(t, err, Corrupt, hash)
		if _, ok := h.findCheckpoint(model); ok {
			t.Errorf("%s: it counts", name)
		}
	}
	_, err = h.pullCheckpoint(t.Context(), known.Model{Name: "a", URL: s.URL + "/models/none-12345678.pth"}, quiet)
	refusedFor(t, err, Absent)
	if _, ok := h.Find("torchvision/resnet18"); ok {
		t.Error("torchvision/resnet18 is found")
	}
	real := filepath.Join(h.Checkpoints, "resnet18-f37072fd.pth")
	if err := os.WriteFile(real, content, 0o666); err != nil { // as if torch.hub had fetched it
		t.Fatal(err)
	}
	if path, ok := h.Find("torchvision/resnet18"); !ok || path != real {
		t.Errorf("found %q, %v", path, ok)
	}
}

func TestFromEnv(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HF_HOME", "HF_ENDPOINT", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
		"HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME", "TORCH_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	cache := filepath.Join(home, ".cache")
	plain := Hub{Endpoint: "https://huggingface.co", Cache: filepath.Join(cache, "huggingface", "hub"), Checkpoints: filepath.Join(cache, "torch", "hub", "checkpoints")}
	os.MkdirAll(filepath.Join(home, "own"), 0o777)
	os.WriteFile(filepath.Join(home, "own", "token"), []byte("kept\n"), 0o600)
	for _, test := range []struct {
		name   string
		set    map[string]string
		change func(h *Hub)
	}{
		{"nothing", nil, func(h *Hub) {}},
		{"an endpoint", map[string]string{"HF_ENDPOINT": "https://mirror.example/"}, func(h *Hub) { h.Endpoint = "https://mirror.example" }},
		{"a home with a token", map[string]string{"HF_HOME": "~/own"}, func(h *Hub) { h.Cache, h.Token = filepath.Join(home, "own", "hub"), "kept" }},
		{"a token", map[string]string{"HF_HOME": "~/own", "HF_TOKEN": " given "}, func(h *Hub) { h.Cache, h.Token = filepath.Join(home, "own", "hub"), "given" }},
		{"a cache", map[string]string{"HF_HOME": "/x", "HF_HUB_CACHE": "/y/hub"}, func(h *Hub) { h.Cache = "/y/hub" }},
		{"folders of caches", map[string]string{"XDG_CACHE_HOME": filepath.Join(home, "c")}, func(h *Hub) {
			h.Cache, h.Checkpoints = filepath.Join(home, "c", "huggingface", "hub"), filepath.Join(home, "c", "torch", "hub", "checkpoints")
		}},
		{"offline", map[string]string{"HF_HUB_OFFLINE": "1"}, func(h *Hub) { h.Offline = true }},
		{"offline in words", map[string]string{"HF_HUB_OFFLINE": "yes"}, func(h *Hub) { h.Offline = true }},
		{"not offline", map[string]string{"HF_HUB_OFFLINE": "0"}, func(h *Hub) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for key, value := range test.set {
				t.Setenv(key, value)
			}
			want := plain
			test.change(&want)
			if got := *FromEnv(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
