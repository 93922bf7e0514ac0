//go:build !js

package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"duet/assets/known"
	"duet/model/report"
)

// Progress is how far fetching a model is.
type Progress struct {
	File        string // being fetched
	Done, Total int64  // bytes of all files
}

// A Pulled model is here.
type Pulled struct {
	Name   string   `json:"name"`
	Path   string   `json:"path"`             // as of [Hub.Find]
	Commit string   `json:"commit,omitempty"` // of a repository
	Files  []string `json:"files"`
	Bytes  int64    `json:"bytes"`   // of all files
	New    int64    `json:"fetched"` // of these, what was not here
}

// tellEvery is how often progress is told.
const tellEvery = 100 * time.Millisecond

// Pull fetches a model, OWNER/NAME[@REVISION], unless it is here already. Where
// ctx ends or the network does, what has arrived is kept and gone on with the
// next time. Where the hub is offline it only looks into the cache.
func (h *Hub) Pull(ctx context.Context, text string, tell func(Progress)) (Pulled, error) {
	if m, ok := known.Find(text); ok && m.URL != "" {
		return h.pullCheckpoint(ctx, m, tell)
	}
	n, err := parse(text)
	if err != nil {
		return Pulled{}, err
	}
	if h.Offline {
		return h.pullOffline(n)
	}
	commit, has, err := h.list(ctx, n)
	if err != nil {
		return Pulled{}, err
	}
	small, weight, err := wanted(has)
	if err != nil {
		return Pulled{}, fmt.Errorf("hub: %s cannot be used: %w", n, err)
	}
	p := &pull{Hub: h, name: n, commit: commit, progress: progress{tell: tell}}
	// The weights are linked last: that they are there tells that all is.
	if err := p.ask(ctx, append(small, weight)...); err != nil {
		return Pulled{}, err
	}
	if isIndex(weight) {
		if err := p.askShards(ctx, has); err != nil {
			return Pulled{}, err
		}
	}
	if err := p.run(ctx); err != nil {
		return Pulled{}, err
	}
	result := Pulled{Name: n.String(), Path: h.snapshot(n, commit), Commit: commit, Bytes: p.Total, New: p.Total - p.before}
	for _, b := range p.blobs {
		result.Files = append(result.Files, b.file)
	}
	return result, nil
}

// pullOffline finds a repository in the cache, or says what is missing of it.
func (h *Hub) pullOffline(n name) (Pulled, error) {
	dir, missing := h.look(n)
	if len(missing) > 0 {
		return Pulled{}, &Error{Offline, fmt.Sprintf("%s is not in %s (missing: %s), and HF_HUB_OFFLINE forbids to fetch it: unset it and run duet pull %s", n, h.Cache, strings.Join(missing, ", "), n), nil}
	}
	result := Pulled{Name: n.String(), Path: dir, Commit: filepath.Base(dir)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return result, err
	}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			result.Files = append(result.Files, e.Name())
			result.Bytes += info.Size()
		}
	}
	return result, nil
}

// A pull is the fetching of a repository's revision.
type pull struct {
	*Hub
	name   name
	commit string
	blobs  []blob
	before int64 // bytes that were here
	progress
}

// ask asks what files are.
func (p *pull) ask(ctx context.Context, files ...string) error {
	for _, file := range files {
		b, err := p.Hub.ask(ctx, p.name, p.commit, file)
		if err != nil {
			return err
		}
		p.blobs = append(p.blobs, b)
		p.Total += b.size
	}
	return nil
}

// askShards fetches the index of the weights, which comes last, and puts the
// files that it names before it.
func (p *pull) askShards(ctx context.Context, has []string) error {
	last := len(p.blobs) - 1
	index := p.blobs[last]
	if index.size > maxListing {
		return fmt.Errorf("hub: %s: an index of %d bytes is none", p.name, index.size)
	}
	if err := p.store(ctx, p.name, index, func(int64) {}); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(p.folder(p.name), "blobs", index.etag))
	if err != nil {
		return err
	}
	files, err := shards(content)
	if err != nil {
		return fmt.Errorf("hub: %s: %w", p.name, err)
	}
	for _, file := range files {
		if !slices.Contains(has, file) {
			return &Error{Absent, fmt.Sprintf("%s: the index of the weights names %s, which the repository does not have", p.name, file), nil}
		}
	}
	p.blobs = p.blobs[:last]
	if err := p.ask(ctx, files...); err != nil {
		return err
	}
	p.blobs = append(p.blobs, index)
	return nil
}

// run fetches the files that were asked about and makes a snapshot of them.
func (p *pull) run(ctx context.Context) error {
	missing := p.Total
	for _, b := range p.blobs {
		path := filepath.Join(p.folder(p.name), "blobs", b.etag)
		if sizeOf(path) == b.size {
			p.before += b.size
			missing -= b.size
		} else {
			missing -= min(b.size, sizeOf(path+incomplete))
		}
	}
	if err := enough(p.Cache, missing); err != nil {
		return err
	}
	for _, b := range p.blobs {
		if err := p.store(ctx, p.name, b, p.of(b.file)); err != nil {
			return err
		}
		p.Done += b.size
	}
	for _, b := range p.blobs {
		if err := p.link(p.name, p.commit, b); err != nil {
			return err
		}
	}
	p.now()
	return p.writeRef(p.name, p.commit)
}

// progress tells how far several files are, not too often.
type progress struct {
	Progress
	tell func(Progress)
	told time.Time
}

// of tells of a file, after those that are done.
func (p *progress) of(file string) func(have int64) {
	return func(have int64) {
		if time.Since(p.told) < tellEvery {
			return
		}
		p.told = time.Now()
		p.tell(Progress{file, p.Done + have, p.Total})
	}
}

// now tells that all is done.
func (p *progress) now() { p.tell(Progress{"", p.Done, p.Total}) }

// enough tells whether a folder's disk has room for as many bytes more, and some
// to spare; where the system does not say, it is tried.
func enough(dir string, bytes int64) error {
	const spare = 16 << 20
	for {
		free, told := room(dir)
		if !told {
			parent := filepath.Dir(dir)
			if _, err := os.Stat(dir); err == nil || parent == dir {
				return nil
			}
			dir = parent // the folder is not there yet
			continue
		}
		if bytes > 0 && free < bytes+spare {
			return &Error{NoRoom, fmt.Sprintf("%s are still to come and the disk of %s has %s free: make room, or set HF_HOME to a folder on another disk", report.Size(bytes), dir, report.Size(free)), nil}
		}
		return nil
	}
}
