package data

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"duet/model/report"
)

// openFolder reads a folder by the first convention that fits.
func (b *builder) openFolder(files fs.FS) error {
	l, err := b.list(files)
	if err != nil {
		return err
	}
	f := b.layout(l)
	b.metadata(files, l, f)
	classes := b.folderClasses(l, f)
	switch {
	case len(f.meta) > 0:
		err = b.readImageFolder(files, l, f)
	case len(classes) > 1:
		b.readClassFolders(files, l, f)
	default:
		tables, why := b.usableTables(files, l, f)
		switch {
		case len(tables) > 0:
			b.report.Convention = "a table in the folder"
			err = b.readTables(files, tables, sheetSplit)
			b.splitByFolder(f)
			b.noteUnnamed(l)
			l.tables = slices.DeleteFunc(l.tables, func(t string) bool { return slices.Contains(tables, t) })
		case len(l.pictures) == 0 && len(l.shards) > 0:
			err = b.openShards(files, l.shards, shardSplit)
			l.shards = nil
			l.tables = slices.DeleteFunc(l.tables, func(t string) bool { return path.Base(t) == classNames })
		case len(l.pictures) == 0:
			return nothingHere(l, why)
		case len(classes) == 1:
			b.readClassFolders(files, l, f)
		default:
			b.readBarePictures(files, l, f)
		}
	}
	if err != nil {
		return err
	}
	b.noteUnused(l)
	return nil
}

func nothingHere(l *listing, why error) error {
	const nothing = "the folder holds no pictures (JPEG, PNG, GIF, BMP, WebP), no table with them and no tar shard"
	switch {
	case why != nil:
		return why
	case len(l.tables) > 0:
		return report.Because(fmt.Errorf("%s; its tables (%s) have no column for pictures or words, such as file_name or text in their first line",
			nothing, listed(l.tables)), report.NoCollection)
	}
	return report.Because(errors.New(nothing), report.NoCollection)
}

// splitByFolder gives rows of a table without splits those of the folders that
// their pictures lie in.
func (b *builder) splitByFolder(f *folder) {
	if f.splits[0] == "." || slices.ContainsFunc(b.rows, func(r row) bool { return r.split != Unsplit }) {
		return
	}
	for i := range b.rows {
		r := &b.rows[i]
		if r.picture == nil {
			continue
		}
		if split, _, ok := f.splitOf(r.picture.Name); ok {
			r.split = f.of[split]
		}
	}
	b.noteSplits(f)
}

// noteUnnamed reports the pictures that the tables do not name.
func (b *builder) noteUnnamed(l *listing) {
	rest := 0
	for _, p := range l.pictures {
		if b.pictures[p] == nil {
			rest++
		}
	}
	if rest > 0 && b.options.Images == nil {
		b.report.Note("%s without a row in the table: not used", report.Count(rest, "picture"))
	}
}

// listed lists the first few names.
func listed(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func (b *builder) noteUnused(l *listing) {
	for _, unused := range []struct {
		what  string
		names []string
	}{{"table", l.tables}, {"tar shard", l.shards}} {
		if n := len(unused.names); n > 0 {
			how := "name one as the collection to read it"
			if unused.what == "table" && !slices.ContainsFunc(unused.names, func(name string) bool { return !strings.Contains(name, "/") }) {
				how = "a metadata.jsonl is read beside the folders, with file_name such as buses/a.jpg, or in each of them, with a.jpg"
			}
			b.report.Note("%s not used: %s; %s", report.Count(n, unused.what), listed(unused.names), how)
		}
	}
}

// class names the class of a picture from the folders it lies in.
func (b *builder) class(dirs []string) (name string, ok bool) {
	level := b.options.ClassLevel
	if level == 0 {
		level = len(dirs)
	}
	if level == 0 || level > len(dirs) {
		return "", false
	}
	return dirs[level-1], true
}

// folderClasses collects the classes that folder names give.
func (b *builder) folderClasses(l *listing, f *folder) map[string]bool {
	classes := map[string]bool{}
	for _, p := range l.pictures {
		if _, dirs, ok := f.splitOf(p); ok {
			if name, ok := b.class(dirs); ok {
				classes[name] = true
			}
		}
	}
	return classes
}

// readImageFolder reads splits that have a metadata file from it, and others
// from their folder names.
func (b *builder) readImageFolder(files fs.FS, l *listing, f *folder) error {
	b.report.Convention = "an ImageFolder with metadata"
	b.noteSplits(f)
	for _, split := range f.splits {
		if len(f.meta[split]) == 0 {
			continue
		}
		if err := b.readMetadata(files, l, f, split); err != nil {
			return err
		}
	}
	if rest := slices.DeleteFunc(slices.Clone(f.splits), func(s string) bool { return len(f.meta[s]) > 0 }); len(rest) > 0 {
		b.report.Note("no metadata file in %s", strings.Join(rest, ", "))
	}
	if len(l.pictures) > 0 {
		b.readPictures(files, l.pictures, f)
	}
	return nil
}

// readMetadata reads a split's metadata file, or those of the folders in it. Rows
// without labels get those of their pictures' folders.
func (b *builder) readMetadata(files fs.FS, l *listing, f *folder, split string) error {
	tables := f.meta[split]
	within := path.Dir(tables[0]) != split // in folders, which then are classes
	of := tables[0]
	if len(tables) > 1 {
		of = fmt.Sprintf("%s in %s", path.Base(of), report.Count(len(tables), "folder"))
	}
	classes := 0
	if within {
		classes = len(b.folderClasses(l, f))
	}
	before := len(b.rows)
	labels := false
	for _, name := range tables {
		from := len(b.rows)
		t := &tableRows{b: b, name: name, of: of, split: f.of[split], placed: split != ".", files: files, images: path.Dir(name)}
		if err := t.read(files); err != nil {
			return err
		}
		if t.used["label"] == "" && b.labelByFolder(b.rows[from:], f, classes) {
			addSource(&b.report.ClassesFrom, b.levelName()+", since "+of+" has no labels")
		} else {
			labels = true
		}
	}
	named := map[string]bool{}
	for _, r := range b.rows[before:] {
		if r.picture != nil {
			named[r.picture.Name] = true
		}
	}
	l.pictures = slices.DeleteFunc(l.pictures, func(p string) bool { return named[p] })
	rest, use := 0, "not used"
	if within && !labels {
		use = "read without words" // their classes are known all the same
	}
	l.pictures = slices.DeleteFunc(l.pictures, func(p string) bool {
		in := split == "." || strings.HasPrefix(p, split+"/")
		if in {
			rest++
		}
		return in && use == "not used"
	})
	if rest > 0 {
		b.report.Note("%s in %s without a row in %s: %s", report.Count(rest, "picture"), split, of, use)
	}
	return nil
}

// labelByFolder labels rows by the folders of their pictures, if these tell at
// least two classes apart, or as many are known.
func (b *builder) labelByFolder(rows []row, f *folder, known int) bool {
	classes := map[string]bool{}
	names := make([]string, len(rows))
	for i, r := range rows {
		if r.picture == nil {
			continue
		}
		if _, dirs, ok := f.splitOf(r.picture.Name); ok {
			if name, ok := b.class(dirs); ok {
				names[i] = name
				classes[name] = true
			}
		}
	}
	if max(len(classes), known) < 2 {
		return false
	}
	for i := range rows {
		rows[i].label, rows[i].labelled = names[i], names[i] != ""
	}
	return true
}

func (b *builder) levelName() string {
	if b.options.ClassLevel > 0 {
		return fmt.Sprintf("folder names at level %d", b.options.ClassLevel)
	}
	return "the deepest folder's name"
}

func (b *builder) readClassFolders(files fs.FS, l *listing, f *folder) {
	b.report.Convention = "a folder per class"
	if f.splits[0] != "." {
		b.report.Convention = "an ImageFolder with a folder per class"
	}
	b.noteSplits(f)
	b.readPictures(files, l.pictures, f)
}

// readPictures reads pictures whose class is a folder's name. Pictures beside
// the class folders have none and are left out.
func (b *builder) readPictures(files fs.FS, pictures []string, f *folder) {
	outside := map[string]int{}
	paths := map[string]string{} // class → the folder that it is
	joined := map[string]bool{}
	for _, p := range pictures {
		split, dirs, ok := f.splitOf(p)
		if !ok {
			outside[path.Dir(p)]++
			continue
		}
		name, ok := b.class(dirs)
		if !ok {
			reason := "the picture lies in no class folder"
			if b.options.ClassLevel > 0 {
				reason = fmt.Sprintf("the picture lies above class level %d", b.options.ClassLevel)
			}
			b.skip(Source{File: p}, reason)
			b.report.SkippedPictures++
			continue
		}
		level := len(dirs)
		if b.options.ClassLevel > 0 {
			level = b.options.ClassLevel
		}
		where := strings.Join(dirs[:level], "/")
		if other, known := paths[name]; known && other != where && !joined[name] {
			joined[name] = true
			b.report.Note("class %q joins the folders %s and %s", name, other, where)
		}
		paths[name] = where
		b.rows = append(b.rows, row{picture: b.picture(files, p), label: name, labelled: true, split: f.of[split], source: Source{File: p}})
	}
	if len(paths) > 0 {
		addSource(&b.report.ClassesFrom, b.levelName())
	}
	for _, dir := range sortedKeys(outside) {
		b.report.Note("%s in %s outside the split folders: not used", report.Count(outside[dir], "picture"), dir)
	}
}

// readBarePictures reads pictures that have neither labels nor words.
func (b *builder) readBarePictures(files fs.FS, l *listing, f *folder) {
	b.report.Convention = "pictures without labels or words"
	b.report.Note("nothing names a class: put each class into a folder of its own, or add a table or metadata.jsonl with file_name, text and label")
	b.noteSplits(f)
	for _, p := range l.pictures {
		if split, _, ok := f.splitOf(p); ok {
			b.rows = append(b.rows, row{picture: b.picture(files, p), split: f.of[split], source: Source{File: p}})
		}
	}
}

// noteSplits reports the split folders, and what a name like dev is taken for.
func (b *builder) noteSplits(f *folder) {
	if f.splits[0] == "." {
		return
	}
	var names []string
	for _, s := range f.splits {
		if base := path.Base(s); base != string(f.of[s]) {
			s += " (" + string(f.of[s]) + ")"
		}
		names = append(names, s)
	}
	what := "the folder "
	if len(names) > 1 {
		what = "the folders "
	}
	addSource(&b.report.SplitsFrom, what+strings.Join(names, ", "))
}

// usableTables picks the tables that lie in the folder or beside its split
// folders and name pictures, else words: the only one, or several that are
// named after splits.
func (b *builder) usableTables(files fs.FS, l *listing, f *folder) ([]string, error) {
	var withPictures, withWords []string
	for _, t := range l.tables {
		if dir := path.Dir(t); dir != "." && dir != f.base {
			continue
		}
		switch pictures, words := b.peek(files, t); {
		case pictures:
			withPictures = append(withPictures, t)
		case words:
			withWords = append(withWords, t)
		}
	}
	chosen := withPictures
	if len(chosen) == 0 && len(l.pictures) == 0 && len(l.shards) == 0 {
		chosen = withWords
	}
	if len(chosen) < 2 {
		return chosen, nil
	}
	bySplit := slices.DeleteFunc(slices.Clone(chosen), func(t string) bool { return sheetSplit(t) == Unsplit })
	if len(bySplit) == len(chosen) {
		return chosen, nil
	}
	why := report.Because(fmt.Errorf("there are several tables (%s): name one as the collection", listed(chosen)), report.ManyTables)
	b.report.Note("%v", why)
	return nil, why
}

// namesPictures tells whether a table has a column for pictures.
func (b *builder) namesPictures(files fs.FS, name string) bool {
	pictures, _ := b.peek(files, name)
	return pictures
}

// peek tells whether a table's first rows have columns for pictures and words.
func (b *builder) peek(files fs.FS, name string) (pictures, words bool) {
	file, err := files.Open(name)
	if err != nil {
		return false, false
	}
	defer file.Close()
	const look = 20
	text := textColumns()
	if c := b.options.TextColumn; c != "" {
		text = []string{columnName(c)}
	}
	t := &tableRows{used: map[string]string{}}
	rows := 0
	_ = readTable(name, file, func(r *record) error { // a broken table has no usable columns
		_, _ = t.find(r, "picture", pictureColumns())
		_, _ = t.find(r, "text", text)
		if rows++; rows >= look {
			return errEnough
		}
		return nil
	}, func(int, string) {})
	return t.used["picture"] != "", t.used["text"] != ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
