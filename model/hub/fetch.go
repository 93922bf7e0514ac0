//go:build !js

package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A blob is a file to fetch, and how to know that it is whole.
type blob struct {
	file string // its name, for people
	url  string
	size int64
	etag string                // the name of the blob in a cache; empty: it is not of a repository
	hash func(int64) hash.Hash // of a file of that size
	want string                // what the hash begins with, in hex
}

var etagPattern = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// sha256Of and gitOf are the hashes of files in git's large file storage and in
// git itself, which hashes an object with its kind and size.
func sha256Of(int64) hash.Hash { return sha256.New() }

func gitOf(size int64) hash.Hash {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", size)
	return h
}

// ask asks for a file's size and ETag, by a request that is not followed to
// where large files lie: only the endpoint itself knows what they are.
func (h *Hub) ask(ctx context.Context, n name, commit, file string) (blob, error) {
	what := n.String() + "/" + file
	b := blob{file: file, url: h.resolveURL(n, commit, file)}
	response, err := h.head(ctx, b.url, what, true)
	if err != nil {
		return b, err
	}
	header := response.Header
	if got := header.Get("X-Repo-Commit"); got != "" && got != commit {
		return b, &Error{Corrupt, fmt.Sprintf("%s: the hub answers with commit %s, %s was asked for", what, got, commit), nil}
	}
	etag := header.Get("X-Linked-Etag")
	if etag == "" {
		etag = header.Get("Etag")
	}
	b.etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
	if !etagPattern.MatchString(b.etag) {
		return b, &Error{Corrupt, fmt.Sprintf("%s: the hub gives no hash to check it by (its ETag is %q)", what, etag), nil}
	}
	b.hash, b.want = gitOf, b.etag
	if len(b.etag) == sha256.Size*2 {
		b.hash = sha256Of
	}
	b.size = response.ContentLength
	if linked := header.Get("X-Linked-Size"); linked != "" {
		if b.size, err = strconv.ParseInt(linked, 10, 64); err != nil {
			b.size = -1
		}
	}
	if b.size < 0 {
		return b, &Error{Unreachable, fmt.Sprintf("%s: the hub does not say how large it is", what), nil}
	}
	return b, nil
}

// head asks for the headers of an address.
func (h *Hub) head(ctx context.Context, url, what string, stay bool) (response *http.Response, err error) {
	client, err := h.client(stay)
	if err != nil {
		return nil, err
	}
	err = h.again(ctx, func() (bool, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return false, err
		}
		if response, err = h.do(client, r, what); err != nil {
			return false, err
		}
		response.Body.Close()
		if response.StatusCode >= 400 {
			return false, h.refused(response, what)
		}
		return false, nil
	})
	return response, err
}

// incomplete ends the names of files that have not arrived whole.
const incomplete = ".incomplete"

// fetch brings a blob to path. What of it lies there incomplete is gone on
// with; tell is told how much is there. The caller holds the lock of path.
func (h *Hub) fetch(ctx context.Context, b blob, path string, tell func(have int64)) error {
	f, err := os.OpenFile(path+incomplete, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return onDisk(err, filepath.Dir(path))
	}
	defer f.Close()
	p := &part{file: f, blob: b, tell: tell}
	if err := p.takeUp(); err != nil {
		return err
	}
	best := p.have
	err = h.again(ctx, func() (bool, error) {
		if p.have == b.size {
			return false, nil
		}
		err := h.receive(ctx, p)
		on := p.have > best
		best = max(best, p.have)
		return on, err
	})
	if err != nil {
		return onDisk(err, filepath.Dir(path))
	}
	if got := hex.EncodeToString(p.sum.Sum(nil)); !strings.HasPrefix(got, b.want) {
		f.Close()
		os.Remove(path + incomplete)
		return &Error{Corrupt, fmt.Sprintf("%s came with the hash %s, not %s: it is not kept. Run it again; where that does not help, something between here and the hub changes files", b.file, got, b.want), nil}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return onDisk(err, filepath.Dir(path))
	}
	return os.Rename(path+incomplete, path)
}

// receive fetches what is missing of a file, or as much of it as comes.
func (h *Hub) receive(ctx context.Context, p *part) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := h.silence
	if silence == 0 {
		silence = defaultSilence
	}
	watch := time.AfterFunc(silence, func() { stop(errors.New("nothing came any more")) })
	defer watch.Stop()

	client, err := h.client(false)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.blob.url, nil)
	if err != nil {
		return err
	}
	if p.have > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.have))
	}
	response, err := h.do(client, r, p.blob.file)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusPartialContent && strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", p.have)):
	case response.StatusCode == http.StatusOK, response.StatusCode == http.StatusPartialContent, response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		if p.have > 0 { // the server knows no ranges, or not this one
			if err := p.restart(); err != nil {
				return err
			}
		}
		if response.StatusCode != http.StatusOK {
			return temporary{error: &Error{Unreachable, fmt.Sprintf("%s answers with another part of %s than was asked for", response.Request.URL.Host, p.blob.file), nil}}
		}
	default:
		return h.refused(response, p.blob.file)
	}
	buffer := make([]byte, 256<<10)
	for p.have < p.blob.size {
		n, err := response.Body.Read(buffer)
		watch.Reset(silence)
		if n > 0 {
			if err := p.add(buffer[:min(int64(n), p.blob.size-p.have)]); err != nil {
				return err
			}
		}
		if err != nil && p.have < p.blob.size {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return temporary{error: &Error{Unreachable, fmt.Sprintf("%s broke off after %d of %d bytes (%v): what has arrived is kept, run it again to go on", p.blob.file, p.have, p.blob.size, err), err}}
		}
	}
	return nil
}

// A part is a file that is arriving, with the hash of what is there.
type part struct {
	file *os.File
	blob blob
	sum  hash.Hash
	have int64
	tell func(have int64)
}

// takeUp takes up what arrived before.
func (p *part) takeUp() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > p.blob.size {
		return p.restart()
	}
	p.sum = p.blob.hash(p.blob.size)
	p.have, err = io.Copy(p.sum, p.file)
	p.tell(p.have)
	return err
}

// restart forgets what is there.
func (p *part) restart() error {
	p.sum, p.have = p.blob.hash(p.blob.size), 0
	p.file.Truncate(0) // where it cannot be, what is written says so
	_, err := p.file.Seek(0, io.SeekStart)
	p.tell(0)
	return err
}

func (p *part) add(data []byte) error {
	n, err := p.file.Write(data)
	p.sum.Write(data[:n])
	p.have += int64(n)
	p.tell(p.have)
	return err
}
