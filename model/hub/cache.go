//go:build !js

package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duet/assets/known"

	"github.com/gofrs/flock"
)

// folder is a repository's in the cache.
func (h *Hub) folder(n name) string {
	return filepath.Join(h.Cache, "models--"+strings.ReplaceAll(n.repo, "/", "--"))
}

func (h *Hub) snapshot(n name, commit string) string {
	return filepath.Join(h.folder(n), "snapshots", commit)
}

func (h *Hub) refPath(n name) string {
	return filepath.Join(h.folder(n), "refs", filepath.FromSlash(n.revision))
}

// Find returns where a model lies that is here whole: the folder of a
// repository's snapshot, or the file of one of torchvision's checkpoints. It
// opens no socket.
func (h *Hub) Find(text string) (path string, ok bool) {
	if m, ok := known.Find(text); ok && m.URL != "" {
		return h.findCheckpoint(m)
	}
	n, err := parse(text)
	if err != nil {
		return "", false
	}
	dir, missing := h.look(n)
	return dir, len(missing) == 0
}

// Find looks a model up among the user's, see [Hub.Find].
func Find(text string) (path string, ok bool) { return FromEnv().Find(text) }

// look looks a repository up in the cache and says what is missing of it.
func (h *Hub) look(n name) (dir string, missing []string) {
	commit := n.revision
	if !commitPattern.MatchString(commit) {
		content, err := os.ReadFile(h.refPath(n))
		if err != nil {
			return "", []string{"everything"}
		}
		if commit = strings.TrimSpace(string(content)); !commitPattern.MatchString(commit) {
			return "", []string{"everything"}
		}
	}
	dir = h.snapshot(n, commit)
	has := func(file string) bool {
		info, err := os.Stat(filepath.Join(dir, file)) // of the blob, not of the link
		return err == nil && info.Mode().IsRegular()
	}
	if !has("config.json") {
		missing = append(missing, "config.json")
	}
	at := slices.IndexFunc(weights, has)
	if at < 0 {
		return dir, append(missing, weights[0])
	}
	if isIndex(weights[at]) {
		index, err := os.ReadFile(filepath.Join(dir, weights[at]))
		if err != nil {
			return dir, append(missing, weights[at])
		}
		files, err := shards(index)
		if err != nil {
			return dir, append(missing, weights[at])
		}
		for _, file := range files {
			if !has(file) {
				missing = append(missing, file)
			}
		}
	}
	return dir, missing
}

// Partial says how many bytes of a model arrived before its fetching was
// interrupted.
func (h *Hub) Partial(text string) (bytes int64) {
	if m, ok := known.Find(text); ok && m.URL != "" {
		return sizeOf(h.checkpoint(m) + incomplete)
	}
	n, err := parse(text)
	if err != nil {
		return 0
	}
	blobs := filepath.Join(h.folder(n), "blobs")
	entries, err := os.ReadDir(blobs)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), incomplete) {
			bytes += sizeOf(filepath.Join(blobs, e.Name()))
		}
	}
	return bytes
}

// sizeOf is the size of a file, 0 where there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Remove takes a model away, with all its revisions and what is incomplete.
// Other programs that use the cache lose it, too.
func (h *Hub) Remove(text string) error {
	if m, ok := known.Find(text); ok && m.URL != "" {
		path := h.checkpoint(m)
		return errors.Join(ignoreAbsent(os.Remove(path)), ignoreAbsent(os.Remove(path+incomplete)))
	}
	n, err := parse(text)
	if err != nil {
		return err
	}
	return os.RemoveAll(h.folder(n))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lock takes a file's place for this program, waiting for others: whoever comes
// second finds the file there.
func lock(ctx context.Context, path string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, onDisk(err, filepath.Dir(path))
	}
	l := flock.New(path)
	if _, err := l.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("hub: waiting for another program that fetches the same: %w", err)
	}
	return func() { l.Close() }, nil
}

// store brings a blob into a repository's folder.
func (h *Hub) store(ctx context.Context, n name, b blob, tell func(have int64)) error {
	path := filepath.Join(h.folder(n), "blobs", b.etag)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return onDisk(err, h.Cache)
	}
	// Where huggingface_hub has its locks.
	release, err := lock(ctx, filepath.Join(h.Cache, ".locks", filepath.Base(h.folder(n)), b.etag+".lock"))
	if err != nil {
		return err
	}
	defer release()
	return h.ensure(ctx, b, path, tell)
}

// ensure fetches a blob unless it is there.
func (h *Hub) ensure(ctx context.Context, b blob, path string, tell func(have int64)) error {
	if info, err := os.Stat(path); err == nil && info.Size() == b.size {
		tell(b.size)
		return nil
	}
	return h.fetch(ctx, b, path, tell)
}

// link makes a file of a snapshot out of a blob: a relative link or, where there
// are none, as for most users of Windows, another name or a copy.
func (h *Hub) link(n name, commit string, b blob) error {
	blobPath := filepath.Join(h.folder(n), "blobs", b.etag)
	path := filepath.Join(h.snapshot(n, commit), b.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return onDisk(err, h.Cache)
	}
	relative, err := filepath.Rel(filepath.Dir(path), blobPath)
	if err != nil {
		return err
	}
	if had, err := os.Readlink(path); err == nil && had == relative {
		return nil
	}
	return onDisk(replace(path, func(fresh string) error {
		if os.Symlink(relative, fresh) == nil || os.Link(blobPath, fresh) == nil {
			return nil
		}
		return copyFile(fresh, blobPath)
	}), h.Cache)
}

// replace makes a file by make and puts it in the place of path.
func replace(path string, make func(fresh string) error) error {
	fresh := fmt.Sprintf("%s.%x.new", path, rand.Uint64())
	err := make(fresh)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		os.Remove(fresh)
	}
	return err
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// writeRef notes the commit of a branch or tag.
func (h *Hub) writeRef(n name, commit string) error {
	if n.revision == commit {
		return nil
	}
	path := h.refPath(n)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return onDisk(err, h.Cache)
	}
	return onDisk(replace(path, func(fresh string) error { return os.WriteFile(fresh, []byte(commit), 0o666) }), h.Cache)
}

// onDisk gives an error of writing to the disk its reason.
func onDisk(err error, dir string) error {
	if errors.Is(err, errDiskFull) {
		return &Error{NoRoom, fmt.Sprintf("the disk of %s is full: make room and run it again, what has arrived is kept", dir), err}
	}
	return err
}
