//go:build !js

package hub

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzNames holds whatever name is taken to its place: in the cache on disk, and
// at the endpoint.
func FuzzNames(f *testing.F) {
	for _, name := range []string{roberta, "gpt2", roberta + "@refs/pr/1", "a/b@../../x", "../x", "a/..", "a@b@c", "a/b@" + commit, "A_/b.", "a/b@x.lock", "a\\b/c", "a/b@c//d"} {
		f.Add(name)
	}
	h := &Hub{Endpoint: "https://huggingface.co", Cache: filepath.Join("cache", "hub")}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parse(text)
		if err != nil {
			return
		}
		for _, path := range []string{h.folder(n), h.refPath(n), h.snapshot(n, n.revision)} {
			inside, err := filepath.Rel(h.Cache, path)
			if err != nil || !strings.HasPrefix(inside, "models--") || !filepath.IsLocal(inside) {
				t.Errorf("%q lies at %s", text, path)
			}
		}
		if ref, err := filepath.Rel(filepath.Join(h.folder(n), "refs"), h.refPath(n)); err != nil || !filepath.IsLocal(ref) {
			t.Errorf("%q has its ref at %s", text, h.refPath(n))
		}
		for _, address := range []string{h.apiURL(n), h.resolveURL(n, n.revision, "config.json")} {
			u, err := url.Parse(address)
			if err != nil || u.Host != "huggingface.co" || u.RawQuery != "" || u.Fragment != "" || !strings.Contains(u.Path, n.repo) {
				t.Errorf("%q is asked for at %s", text, address)
			}
		}
	})
}

// FuzzShards holds what an index of weights names to files beside it.
func FuzzShards(f *testing.F) {
	for _, index := range []string{`{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"x.bin"}}`, `{"weight_map":{"a":"../x.safetensors"}}`, `{"weight_map":{}}`, `[]`, `{"weight_map":{"a":"a/b.bin"}}`} {
		f.Add([]byte(index))
	}
	f.Fuzz(func(t *testing.T, index []byte) {
		files, err := shards(index)
		if err == nil && len(files) == 0 {
			t.Error("no files and no error")
		}
		for _, file := range files {
			if filepath.Base(file) != file || !filepath.IsLocal(file) || strings.ContainsAny(file, `/\:`) {
				t.Errorf("it names %q", file)
			}
		}
	})
}
