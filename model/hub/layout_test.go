//go:build !js

package hub

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"duet/model/hub/hubtest"
	"duet/wasm/node"
)

// TestLayoutIsHuggingFaces holds the cache to Hugging Face's own client for
// node: it finds all that we fetched and fetches nothing anew, and we find what it
// fetched.
func TestLayoutIsHuggingFaces(t *testing.T) {
	s := hubtest.New(t)
	files := aRepo()
	s.Add(roberta, commit, files)
	ours, theirs := at(t, s), at(t, s)
	first := pulled(t, ours, roberta)
	type found struct {
		Warnings []string
		Repos    []struct {
			Name      string
			Files     int
			Size      int64
			Revisions []struct {
				Commit string
				Refs   []string
			}
		}
	}
	client := func(h *Hub) (x found, asked int) {
		t.Helper()
		s.Requests()
		node.Test(t, "hubcache.mjs", "@huggingface/hub", map[string]any{
			"hub": s.URL, "repo": roberta, "commit": commit, "files": first.Files, "cache": h.Cache,
		}, &x)
		return x, len(s.Requests())
	}
	x, asked := client(ours)
	if len(x.Warnings) > 0 || len(x.Repos) != 1 || asked > 0 {
		t.Fatalf("in ours their client finds %+v, after %d requests", x, asked)
	}
	if r := x.Repos[0]; r.Name != roberta || r.Files != len(first.Files) || r.Size != first.Bytes ||
		len(r.Revisions) != 1 || r.Revisions[0].Commit != commit || len(r.Revisions[0].Refs) != 1 || r.Revisions[0].Refs[0] != "main" {
		t.Errorf("in ours their client finds %+v", r)
	}
	if _, asked := client(theirs); asked == 0 {
		t.Error("their client fetched nothing")
	}

	path, ok := theirs.Find(roberta + "@" + commit)
	if !ok {
		t.Fatal("what their client fetched is not found")
	}
	for _, file := range first.Files {
		if content, err := os.ReadFile(filepath.Join(path, file)); err != nil || !bytes.Equal(content, files[file]) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if again := pulled(t, theirs, roberta); again.New != 0 {
		t.Errorf("%d bytes were fetched that their client had fetched", again.New)
	}
}
