package data

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"duet/model/report"
)

// Limits of a row.
const (
	maxCaption  = 64_000 // bytes of one caption: far beyond any text tower's tokens
	maxCaptions = 1000
	maxLabel    = 1000 // bytes
)

// Columns that are understood, the first that a row has counts.
func pictureColumns() []string {
	return []string{"file_name", "image", "file", "filename", "image_path", "image_file", "path"}
}
func textColumns() []string  { return []string{"text", "caption", "prompt", "sentence", "question"} }
func labelColumns() []string { return []string{"label", "class", "category", "answer"} }

// tableRows reads rows of one table.
type tableRows struct {
	b      *builder
	name   string // for messages
	of     string // the report's name of it and of those like it; "": name
	split  Split  // of every row; Unsplit: by the split column
	placed bool   // the split is that of the folder, not of the table's name
	images string // folder that the paths are relative to
	files  fs.FS  // file system of the pictures

	text, label []string // columns
	seen        map[string]bool
	used        map[string]string // what for → column
}

// openTable reads a table that was given as a file.
func (b *builder) openTable(files fs.FS, name string) error {
	b.report.Convention = "a table"
	return b.readTables(files, []string{name}, func(string) Split { return Unsplit })
}

// readTables reads tables whose pictures lie beside them or in the images
// folder.
func (b *builder) readTables(files fs.FS, names []string, split func(name string) Split) error {
	for _, name := range names {
		t := &tableRows{b: b, name: name, split: split(name), files: files, images: path.Dir(name)}
		if b.options.Images != nil {
			t.files, t.images = b.options.Images, "."
		} else if err := t.findImages(); err != nil {
			return err
		}
		if err := t.read(files); err != nil {
			return err
		}
	}
	return nil
}

// unreadable is the error of a table that is of no use.
func (t *tableRows) unreadable(err error) error {
	return report.Because(err, report.BadTable, t.name)
}

func (t *tableRows) read(tables fs.FS) error {
	b := t.b
	t.text, t.label = textColumns(), labelColumns()
	if c := b.options.TextColumn; c != "" {
		t.text = []string{columnName(c)}
	}
	if c := b.options.LabelColumn; c != "" {
		t.label = []string{columnName(c)}
	}
	t.seen, t.used = map[string]bool{}, map[string]string{}
	file, err := tables.Open(t.name)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, fileError(err))
	}
	defer file.Close()
	before, skipped := len(b.rows), b.report.SkippedRows
	err = readTable(t.name, contextReader{b.ctx, file}, func(r *record) error {
		if err := t.row(r); err != nil {
			b.skip(Source{File: t.name, Line: r.line}, err.Error())
		}
		return nil
	}, func(line int, reason string) { b.skip(Source{File: t.name, Line: line}, reason) })
	if err != nil {
		return t.unreadable(fmt.Errorf("%s: %w", t.name, err))
	}
	if len(b.rows) == before && b.report.SkippedRows == skipped {
		return t.unreadable(fmt.Errorf("%s: the table has no rows", t.name))
	}
	if t.used["picture"] != "" { // a column that the first rows of a JSONL table lacked
		of := b.rows[before:]
		kept := slices.DeleteFunc(of, func(r row) bool {
			if r.picture == nil {
				b.skip(r.source, "the row names no picture")
			}
			return r.picture == nil
		})
		b.rows = b.rows[:before+len(kept)]
	}
	return t.report(len(b.rows) - before)
}

// find returns the first of the columns that the row has.
func (t *tableRows) find(r *record, what string, columns []string) ([]string, error) {
	for _, column := range columns {
		values, has, err := r.values(column)
		if !has {
			continue
		}
		if t.used[what] == "" {
			t.used[what] = column
		}
		return values, err
	}
	return nil, nil
}

// row turns a record into a row, or says why it is left out.
func (t *tableRows) row(r *record) error {
	if len(t.seen) < 1000 {
		for _, column := range r.columns() {
			t.seen[column] = true
		}
	}
	out := row{split: t.split, source: Source{File: t.name, Line: r.line}}
	paths, err := t.find(r, "picture", pictureColumns())
	if err != nil {
		return err
	}
	if len(paths) > 1 {
		return fmt.Errorf("the row names %d pictures, one is needed", len(paths))
	}
	if out.captions, err = t.captions(r); err != nil {
		return err
	}
	if out.label, out.labelled, err = t.labelOf(r); err != nil {
		return err
	}
	if t.split == Unsplit {
		if out.split, err = t.splitOf(r); err != nil {
			return err
		}
	}
	switch {
	case t.used["picture"] == "" && len(out.captions) > 0: // words alone
	case len(paths) == 0:
		return errors.New("the row names no picture")
	default:
		p, err := cleanPath(paths[0])
		if err != nil {
			return err
		}
		out.picture = t.b.picture(t.files, path.Join(t.images, p))
	}
	t.b.rows = append(t.b.rows, out)
	return nil
}

func (t *tableRows) captions(r *record) ([]string, error) {
	written, err := t.find(r, "text", t.text)
	if err != nil {
		return nil, err
	}
	if len(written) > maxCaptions {
		return nil, fmt.Errorf("the row has %d captions; %d are the most", len(written), maxCaptions)
	}
	var captions []string
	for _, c := range written {
		if len(c) > maxCaption {
			return nil, fmt.Errorf("a text of %d bytes is longer than the limit of %s", len(c), report.Size(maxCaption))
		}
		if reason := notText(c); reason != "" {
			return nil, errors.New(reason)
		}
		if c = strings.TrimSpace(c); c != "" {
			captions = append(captions, c)
		}
	}
	return captions, nil
}

func (t *tableRows) labelOf(r *record) (label string, has bool, err error) {
	written, err := t.find(r, "label", t.label)
	if err != nil || len(written) == 0 {
		return "", false, err
	}
	if len(written) > 1 {
		return "", false, fmt.Errorf("the row has %d labels; one is needed", len(written))
	}
	label = strings.TrimSpace(written[0])
	if len(label) > maxLabel {
		return "", false, fmt.Errorf("a label of %d bytes is longer than the limit of %d", len(label), maxLabel)
	}
	if reason := notText(label); reason != "" {
		return "", false, errors.New(reason)
	}
	return label, label != "", nil
}

func (t *tableRows) splitOf(r *record) (Split, error) {
	written, err := t.find(r, "split", []string{"split"})
	if err != nil || len(written) == 0 || strings.TrimSpace(written[0]) == "" {
		return Unsplit, err
	}
	s, ok := parseSplit(written[0])
	if !ok {
		return Unsplit, fmt.Errorf("split %q is none of train, validation, val, dev, test", shorten(written[0]))
	}
	return s, nil
}

// report says which columns were used, and refuses a table without any.
func (t *tableRows) report(rows int) error {
	columns := slices.Sorted(func(yield func(string) bool) {
		for c := range t.seen {
			if !yield(fmt.Sprintf("%q", shorten(c))) {
				return
			}
		}
	})
	listed := strings.Join(columns[:min(20, len(columns))], ", ")
	r := &t.b.report
	for _, want := range []struct{ what, column string }{{"text", t.b.options.TextColumn}, {"label", t.b.options.LabelColumn}} {
		if want.column != "" && t.used[want.what] == "" && len(t.seen) > 0 {
			return t.unreadable(fmt.Errorf("%s: no column %q; its columns are %s", t.name, want.column, listed))
		}
	}
	if rows == 0 && len(t.seen) > 0 && t.used["picture"] == "" && t.used["text"] == "" {
		return t.unreadable(fmt.Errorf("%s: no column for pictures (%s) or words (%s); the first line should name the columns, and names %s",
			t.name, strings.Join(pictureColumns()[:2], ", "), strings.Join(textColumns(), ", "), listed))
	}
	from := func(where *string, what string) {
		if c := t.used[what]; c != "" {
			addSource(where, fmt.Sprintf("column %s of %s", c, cmp.Or(t.of, t.name)))
		}
	}
	from(&r.ClassesFrom, "label")
	from(&r.CaptionsFrom, "text")
	switch {
	case t.placed:
	case t.split != Unsplit:
		addSource(&r.SplitsFrom, "the name of "+t.name)
	default:
		from(&r.SplitsFrom, "split")
	}
	if t.used["picture"] == "" && rows > 0 {
		r.Note("%s names no pictures (no column %s): its rows are words alone", t.name, strings.Join(pictureColumns()[:2], " or "))
	}
	return nil
}

// addSource appends to a list written as text.
func addSource(list *string, source string) {
	switch {
	case *list == "":
		*list = source
	case !strings.Contains(", "+*list+", ", ", "+source+", "):
		*list += ", " + source
	}
}

// findImages looks where the pictures of a table lie: beside it or, where the
// first rows' pictures are not there, in the one folder beside it that has
// them.
func (t *tableRows) findImages() error {
	const look = 20
	var firsts []string
	file, err := t.files.Open(t.name)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, fileError(err))
	}
	defer file.Close()
	probe := &tableRows{used: map[string]string{}}
	err = readTable(t.name, file, func(r *record) error {
		if paths, err := probe.find(r, "picture", pictureColumns()); err == nil && len(paths) == 1 {
			if p, err := cleanPath(paths[0]); err == nil {
				firsts = append(firsts, p)
			}
		}
		if r.line > look {
			return errEnough
		}
		return nil
	}, func(int, string) {})
	if err != nil {
		return t.unreadable(fmt.Errorf("%s: %w", t.name, err))
	}
	found := func(folder string) (n int) {
		for _, p := range firsts {
			if info, err := fs.Stat(t.files, path.Join(folder, p)); err == nil && info.Mode().IsRegular() {
				n++
			}
		}
		return n
	}
	if len(firsts) == 0 || found(t.images) > 0 {
		return nil
	}
	entries, _ := fs.ReadDir(t.files, t.images)
	best, most := "", 0
	for _, e := range entries {
		if folder := path.Join(t.images, e.Name()); e.IsDir() {
			if n := found(folder); n > most || n == most && n > 0 && cmp.Less(folder, best) {
				best, most = folder, n
			}
		}
	}
	if most > 0 {
		t.images = best
		t.b.report.Note("the pictures of %s lie in %s/", t.name, best)
	}
	return nil
}

// sheetSplit reads a split from a table's or shard's name, such as dev.tsv,
// matching_train.tsv or train-00000.tar.
func sheetSplit(name string) Split {
	base, _, _ := strings.Cut(path.Base(name), ".")
	parts := strings.FieldsFunc(base, func(r rune) bool { return r == '-' || r == '_' || r == utf8.RuneError })
	for _, part := range parts {
		if s, ok := parseSplit(part); ok {
			return s
		}
	}
	return Unsplit
}
