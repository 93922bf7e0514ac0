package data

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Contents is the content of a file in a [MapFS]; *bytes.Reader and
// *strings.Reader are such.
type Contents interface {
	io.ReaderAt
	Size() int64
}

// MapFS is a read-only file system over files named by slash-separated paths,
// such as those dropped on a page. Folders follow from the names.
type MapFS map[string]Contents

// Open opens a file or lists a folder.
func (m MapFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if c, ok := m[name]; ok {
		return &mapFile{mapInfo{path.Base(name), c.Size(), 0o444}, io.NewSectionReader(c, 0, c.Size())}, nil
	}
	entries := m.entries(name)
	if len(entries) == 0 && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &mapFolder{mapInfo{path.Base(name), 0, fs.ModeDir | 0o555}, entries}, nil
}

// ReadDir lists a folder in the order of names.
func (m MapFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries := m.entries(name)
	if len(entries) == 0 && name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return entries, nil
}

func (m MapFS) entries(folder string) []fs.DirEntry {
	prefix := folder + "/"
	if folder == "." {
		prefix = ""
	}
	found := map[string]mapInfo{}
	for name, c := range m {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || rest == "" || !fs.ValidPath(name) {
			continue
		}
		if child, _, deeper := strings.Cut(rest, "/"); deeper {
			found[child] = mapInfo{child, 0, fs.ModeDir | 0o555}
		} else {
			found[child] = mapInfo{child, c.Size(), 0o444}
		}
	}
	entries := make([]fs.DirEntry, 0, len(found))
	for _, info := range found {
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries
}

type mapFile struct {
	info mapInfo
	*io.SectionReader
}

func (f *mapFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *mapFile) Close() error               { return nil }

type mapFolder struct {
	info    mapInfo
	entries []fs.DirEntry
}

func (f *mapFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *mapFolder) Close() error               { return nil }
func (f *mapFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
}

// ReadDir lists the next n entries, all that are left where n ≤ 0.
func (f *mapFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.entries)
	} else if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	next := f.entries[:n]
	f.entries = f.entries[n:]
	return next, nil
}

type mapInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func (i mapInfo) Name() string       { return i.name }
func (i mapInfo) Size() int64        { return i.size }
func (i mapInfo) Mode() fs.FileMode  { return i.mode }
func (i mapInfo) ModTime() time.Time { return time.Time{} }
func (i mapInfo) IsDir() bool        { return i.mode.IsDir() }
func (i mapInfo) Sys() any           { return nil }
