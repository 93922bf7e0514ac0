//go:build !js

package hub

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"duet/assets/known"
)

// checkpoint is where torch.hub keeps the file of an address.
func (h *Hub) checkpoint(m known.Model) string {
	return filepath.Join(h.Checkpoints, path.Base(m.URL))
}

func (h *Hub) findCheckpoint(m known.Model) (string, bool) {
	path := h.checkpoint(m)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular()
}

// hashInName is the beginning of a file's SHA-256 in its name, as torch.hub has it.
var hashInName = regexp.MustCompile(`-([0-9a-f]{8,64})\.pth$`)

// pullCheckpoint fetches one of torchvision's checkpoints.
func (h *Hub) pullCheckpoint(ctx context.Context, m known.Model, tell func(Progress)) (Pulled, error) {
	path := h.checkpoint(m)
	file := filepath.Base(path)
	result := Pulled{Name: m.Name, Path: path, Files: []string{file}}
	if _, ok := h.findCheckpoint(m); ok {
		result.Bytes = sizeOf(path)
		return result, nil
	}
	if h.Offline {
		return Pulled{}, &Error{Offline, fmt.Sprintf("%s is not in %s, and HF_HUB_OFFLINE forbids to fetch it: unset it and run duet pull %s", file, h.Checkpoints, m.Name), nil}
	}
	b := blob{file: file, url: m.URL, hash: sha256Of, want: m.SHA256}
	if b.want == "" {
		found := hashInName.FindStringSubmatch(file)
		if found == nil {
			return Pulled{}, fmt.Errorf("hub: %s: nothing says which hash %s has", m.Name, m.URL)
		}
		b.want = found[1]
	}
	response, err := h.head(ctx, b.url, m.Name, false)
	if err != nil {
		return Pulled{}, err
	}
	if b.size = response.ContentLength; b.size < 0 {
		return Pulled{}, &Error{Unreachable, fmt.Sprintf("%s: %s does not say how large it is", m.Name, response.Request.URL.Host), nil}
	}
	if err := os.MkdirAll(h.Checkpoints, 0o777); err != nil {
		return Pulled{}, onDisk(err, h.Checkpoints)
	}
	if err := enough(h.Checkpoints, b.size-sizeOf(path+incomplete)); err != nil {
		return Pulled{}, err
	}
	release, err := lock(ctx, filepath.Join(h.Checkpoints, ".locks", file+".lock"))
	if err != nil {
		return Pulled{}, err
	}
	defer release()
	p := progress{Progress: Progress{Total: b.size}, tell: tell}
	if err := h.ensure(ctx, b, path, p.of(file)); err != nil {
		return Pulled{}, err
	}
	p.Done = b.size
	p.now()
	result.Bytes, result.New = b.size, b.size
	return result, nil
}
