package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// cleanPath turns a picture's path as written in a table or shard into a path
// below its folder, or says why it is refused. Backslashes separate folders, as
// in tables made on Windows.
func cleanPath(written string) (string, error) {
	p := strings.ReplaceAll(written, `\`, "/")
	switch {
	case strings.TrimSpace(p) == "":
		return "", errors.New("the row names no picture")
	case strings.ContainsRune(p, 0):
		return "", fmt.Errorf("picture %q: a path cannot hold a zero byte", written)
	case strings.Contains(p, "://"), strings.HasPrefix(p, "data:"):
		return "", fmt.Errorf("picture %q: addresses are not opened; download it into the folder", shorten(written))
	case strings.HasPrefix(p, "/"), len(p) > 1 && p[1] == ':':
		return "", fmt.Errorf("picture %q: an absolute path leads out of the collection's folder; write it relative to the folder", shorten(written))
	}
	p = path.Clean(p)
	if p == ".." || strings.HasPrefix(p, "../") {
		return "", fmt.Errorf("picture %q: the path leads out of the folder; name the folder that it is relative to as the images folder", shorten(written))
	}
	if p == "." || !fs.ValidPath(p) {
		return "", fmt.Errorf("picture %q: not a path", shorten(written))
	}
	return p, nil
}

// shorten cuts what goes into a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
