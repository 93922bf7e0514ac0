package data

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"duet/model/report"
)

// listing is what a folder holds, as paths in the order of names.
type listing struct {
	pictures, tables, shards []string
}

const maxListed = 5_000_000

// list walks the folder. Links to folders are not followed, so a loop is
// impossible; hidden files are passed over.
func (b *builder) list(files fs.FS) (*listing, error) {
	var l listing
	seen := 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if cause := b.ctx.Err(); cause != nil {
			return cause
		}
		base := path.Base(name)
		hidden := name != "." && (strings.HasPrefix(base, ".") || base == "__MACOSX")
		if seen++; seen > maxListed {
			return fmt.Errorf("the folder holds more than %d files", maxListed)
		}
		switch {
		case err != nil && name == ".":
			return fileError(err)
		case err != nil:
			b.skip(Source{File: name}, fileError(err).Error())
			return nil
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir(), hidden:
		case report.IsPicture(name):
			l.pictures = append(l.pictures, name)
		case isTable(name):
			l.tables = append(l.tables, name)
		case isShard(name):
			l.shards = append(l.shards, name)
		case report.IsForeignPicture(name):
			b.skip(Source{File: name}, "this format of pictures is not supported; use JPEG, PNG, GIF, BMP or WebP")
			b.report.SkippedPictures++
		case d.Type()&fs.ModeSymlink != 0:
			if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
				b.skip(Source{File: name}, "a link to a folder is not followed; name the folder itself")
			}
		}
		return nil
	})
	// A file system need not list folders in order.
	slices.Sort(l.pictures)
	slices.Sort(l.tables)
	slices.Sort(l.shards)
	return &l, err
}

// Pictures lists the pictures in a folder on disk and in those below it, as a
// collection finds them: paths that begin with the folder's, in the order of
// names. What it passed over that may be a picture, or hold some, is in left.
func Pictures(ctx context.Context, folder string) (names []string, left Report, err error) {
	b := &builder{ctx: ctx}
	l, err := b.list(os.DirFS(folder))
	if err != nil {
		return nil, left, fmt.Errorf("data: listing %s: %w", folder, err)
	}
	for _, name := range l.pictures {
		names = append(names, filepath.Join(folder, filepath.FromSlash(name)))
	}
	for i, s := range b.report.Skipped {
		b.report.Skipped[i].File = filepath.Join(folder, filepath.FromSlash(s.File))
	}
	return names, b.report, nil
}

// folder is the layout of a collection's folder.
type folder struct {
	base   string              // where the split folders lie; without them, "."
	splits []string            // split folders, as paths; "." without
	of     map[string]Split    // split folder → split
	meta   map[string][]string // split folder → its metadata file, or those of folders in it
}

// layout finds the split folders: directly in the folder or below folders that
// hold nothing else, as in images/train.
func (b *builder) layout(l *listing) *folder {
	f := &folder{base: ".", of: map[string]Split{}, meta: map[string][]string{}}
	for base := "."; ; {
		direct, children := childrenOf(base, l)
		if splits := splitFolders(children, func(name string) bool {
			direct, below := childrenOf(path.Join(base, name), l)
			return !direct || len(below) > 0 || slices.ContainsFunc(l.tables, func(t string) bool { return path.Dir(t) == path.Join(base, name) && isMetadata(t) })
		}); len(splits) > 0 {
			f.base, f.splits = base, splits
			break
		}
		if direct || len(children) != 1 {
			break
		}
		base = path.Join(base, children[0])
	}
	if len(f.splits) == 0 {
		f.splits = []string{"."}
		f.of["."] = Unsplit
	} else {
		for i, name := range f.splits {
			f.splits[i] = path.Join(f.base, name)
			f.of[f.splits[i]], _ = parseSplit(name)
		}
	}
	return f
}

// metadata finds the metadata files of the splits and takes them from the tables:
// those beside the folders, or else those within them that name pictures.
func (b *builder) metadata(files fs.FS, l *listing, f *folder) {
	chosen := map[string]string{} // folder → metadata file
	for _, t := range l.tables {
		dir := path.Dir(t)
		if _, isSplit := f.of[dir]; isMetadata(t) && (isSplit || f.splitAround(dir) != "" && b.namesPictures(files, t)) {
			chosen[dir] = t // names come in order, and CSV before JSONL
		}
	}
	for _, dir := range sortedKeys(chosen) {
		split := dir
		if _, isSplit := f.of[dir]; !isSplit {
			split = f.splitAround(dir)
		}
		if !covered(dir, split, chosen) {
			f.meta[split] = append(f.meta[split], chosen[dir])
		}
	}
	l.tables = slices.DeleteFunc(l.tables, func(t string) bool {
		return slices.ContainsFunc(f.splits, func(s string) bool { return slices.Contains(f.meta[s], t) })
	})
}

// covered tells whether a folder between dir and its split has metadata.
func covered(dir, split string, chosen map[string]string) bool {
	for dir != split && dir != "." {
		if dir = path.Dir(dir); chosen[dir] != "" {
			return true
		}
	}
	return false
}

// splitAround is the split folder that a folder lies in, or "".
func (f *folder) splitAround(dir string) string {
	split, _, _ := f.splitOf(dir + "/")
	return split
}

// childrenOf tells whether pictures lie directly in a folder, and which folders
// in it hold pictures or metadata.
func childrenOf(base string, l *listing) (direct bool, children []string) {
	prefix := base + "/"
	if base == "." {
		prefix = ""
	}
	look := func(name string) {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return
		}
		child, _, deeper := strings.Cut(rest, "/")
		if !deeper {
			direct = direct || report.IsPicture(name)
		} else if n := len(children); n == 0 || children[n-1] != child {
			children = append(children, child)
		}
	}
	for _, name := range l.pictures {
		look(name)
	}
	for _, name := range l.tables {
		if isMetadata(name) {
			look(name)
		}
	}
	slices.Sort(children)
	return direct, slices.Compact(children)
}

// isMetadata recognises metadata.jsonl, metadata.csv and the like.
func isMetadata(name string) bool {
	base := strings.TrimSuffix(strings.ToLower(path.Base(name)), ".gz")
	return isTable(name) && strings.TrimSuffix(base, path.Ext(base)) == "metadata"
}

// splitFolders returns the folders that are splits, if the folders are a
// layout of splits: all of them are splits, or one of them is for training and
// structured, that is, it holds folders or a metadata file. Among others a
// "test", or a "train" with nothing but pictures, is a class.
func splitFolders(children []string, structured func(name string) bool) []string {
	var splits []string
	training := false
	for _, name := range children {
		if s, ok := parseSplit(name); ok {
			splits = append(splits, name)
			training = training || s == Train && structured(name)
		}
	}
	if training || len(splits) == len(children) {
		return splits
	}
	return nil
}

// splitOf returns the split folder that a picture lies in and the folders
// between the two.
func (f *folder) splitOf(name string) (split string, dirs []string, ok bool) {
	for _, s := range f.splits {
		rest := name
		if s != "." {
			if rest, ok = strings.CutPrefix(name, s+"/"); !ok {
				continue
			}
		}
		parts := strings.Split(rest, "/")
		return s, parts[:len(parts)-1], true
	}
	return "", nil, false
}
