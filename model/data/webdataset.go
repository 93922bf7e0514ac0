package data

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"duet/model/report"
)

// Limits of a tar shard.
const (
	maxEntries   = 5_000_000
	maxTextEntry = 1_000_000 // bytes of a .cls, .txt or .json
	maxClass     = 1_000_000
)

func isShard(name string) bool { return strings.EqualFold(path.Ext(name), ".tar") }

func isPackedShard(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz")
}

// openShards reads tar shards of the WebDataset convention: entries of one key
// (the path up to the first dot of its base name) that follow one another are a
// sample. KEY.jpg, .webp, … is its picture; KEY.cls its class as a number;
// KEY.txt its caption; KEY.json both, under the names of columns.
func (b *builder) openShards(files fs.FS, names []string, split func(name string) Split) error {
	b.report.Convention = "tar shards of the WebDataset convention"
	for _, name := range names {
		classes, from, err := readClassNames(files, path.Dir(name))
		if err != nil {
			return err
		}
		s := &shardRows{b: b, files: files, name: name, split: split(name), classes: classes, seen: map[string]bool{}}
		if s.split != Unsplit {
			addSource(&b.report.SplitsFrom, "the shards' names")
		}
		before := len(b.rows)
		if err := s.read(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(b.rows) == before {
			b.report.Note("%s holds no usable sample", name)
		}
		if s.numbered {
			addSource(&b.report.ClassesFrom, ".cls entries")
			if from != "" {
				addSource(&b.report.ClassesFrom, "names in "+from)
			}
			if err := b.addClasses(classes); err != nil {
				return err
			}
		}
	}
	return nil
}

// shardSplit reads a split from a shard's folder or name.
func shardSplit(name string) Split {
	if s, ok := parseSplit(path.Base(path.Dir(name))); ok {
		return s
	}
	return sheetSplit(name)
}

// addClasses keeps the whole list of classes, so that labels keep their
// numbers even where a class has no sample.
func (b *builder) addClasses(classes []string) error {
	if len(classes) == 0 {
		return nil
	}
	if b.classes != nil && !slices.Equal(b.classes, classes) {
		return errors.New("the shards have different classes.tsv: open them one by one")
	}
	b.classes = classes
	return nil
}

// shardRows reads the samples of one shard.
type shardRows struct {
	b        *builder
	files    fs.FS
	name     string
	split    Split
	classes  []string
	numbered bool // a .cls gave a label
	seen     map[string]bool

	sample sample
}

// sample is the sample that entries are gathered for.
type sample struct {
	key      string
	picture  *Picture
	captions []string
	label    string
	labelled bool
	wrong    string // why it is left out
}

func (s *shardRows) read() error {
	file, err := s.files.Open(s.name)
	if err != nil {
		return fileError(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fileError(err)
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		if at, err = readWhole(file); err != nil {
			return err
		}
	}
	// The tar reader reads whole blocks, so that after Next the section stands
	// where the entry's content begins.
	section := io.NewSectionReader(at, 0, info.Size())
	r := tar.NewReader(section)
	entries := 0
	for ; ; entries++ {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("entry %d: not a usable tar: %w", entries+1, err)
		}
		if entries >= maxEntries {
			return fmt.Errorf("more than %d entries", maxEntries)
		}
		if entries%1024 == 0 && s.b.ctx.Err() != nil {
			return s.b.ctx.Err()
		}
		offset, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if h.Size < 0 || h.Size > info.Size()-offset {
			return fmt.Errorf("entry %q claims %d bytes, %d are left: the file is cut short or broken", shorten(h.Name), h.Size, info.Size()-offset)
		}
		if err := s.entry(h, r, offset); err != nil {
			return err
		}
	}
	if entries == 0 {
		return errors.New("the tar is empty")
	}
	s.flush()
	return nil
}

// splitKey splits an entry's name into its sample's key and its extension.
func splitKey(name string) (key, ext string) {
	dir, base := path.Split(name)
	key, ext, _ = strings.Cut(base, ".")
	return dir + key, strings.ToLower(ext)
}

func (s *shardRows) entry(h *tar.Header, r io.Reader, offset int64) error {
	if h.Typeflag == tar.TypeDir {
		return nil
	}
	key, ext := splitKey(h.Name)
	if strings.HasPrefix(path.Base(h.Name), ".") || ext == "" {
		return nil
	}
	if key != s.sample.key {
		s.flush()
		s.sample = sample{key: key}
		if _, err := cleanPath(h.Name); err != nil || !utf8.ValidString(h.Name) {
			s.refuse(fmt.Sprintf("its name %q leads out of the shard or is no path", shorten(h.Name)))
		}
		if s.seen[key] {
			s.refuse("the key stands in the shard before: keys must be unique, and the entries of one key follow one another")
		}
		s.seen[key] = true
	}
	if h.Typeflag != tar.TypeReg {
		s.refuse(fmt.Sprintf("%s is a link or a device; only plain files are read", shorten(path.Base(h.Name))))
		return nil
	}
	switch {
	case strings.Contains(ext, "."): // such as seg.png: something about the picture
	case report.IsPicture("x." + ext):
		s.picture(h, ext, offset)
	case ext == "cls", ext == "txt", ext == "caption", ext == "json":
		if h.Size > maxTextEntry {
			s.refuse(fmt.Sprintf(".%s is larger than %s", ext, report.Size(maxTextEntry)))
			return nil
		}
		content := make([]byte, h.Size)
		if _, err := io.ReadFull(r, content); err != nil {
			return fmt.Errorf("entry %q: the file is cut short: %w", shorten(h.Name), err)
		}
		s.text(ext, string(content))
	case report.IsForeignPicture("x." + ext):
		s.refuse("." + ext + " pictures are not supported; use JPEG, PNG, GIF, BMP or WebP")
	}
	return nil
}

func (s *shardRows) refuse(reason string) {
	if s.sample.wrong == "" {
		s.sample.wrong = reason
	}
}

func (s *shardRows) picture(h *tar.Header, ext string, offset int64) {
	if s.sample.picture != nil {
		s.refuse("it has two pictures")
		return
	}
	s.sample.picture = &Picture{
		Name: s.name + "/" + s.sample.key + "." + ext, Size: h.Size,
		files: s.files, path: s.name, offset: offset,
	}
}

// text reads an entry that says something about the picture.
func (s *shardRows) text(ext, content string) {
	if reason := notText(content); reason != "" {
		s.refuse("." + ext + " is not text in UTF-8")
		return
	}
	switch ext {
	case "cls":
		s.class(strings.TrimSpace(content))
	case "json":
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(content), &fields); err != nil || fields == nil {
			s.refuse(".json holds no JSON object")
			return
		}
		s.fields(fields)
	default:
		if len(content) > maxCaption {
			s.refuse(fmt.Sprintf("a text of %d bytes is longer than the limit of %s", len(content), report.Size(maxCaption)))
			return
		}
		if c := strings.TrimSpace(content); c != "" {
			s.sample.captions = append(s.sample.captions, c)
			addSource(&s.b.report.CaptionsFrom, "."+ext+" entries")
		}
	}
}

func (s *shardRows) class(number string) {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= maxClass {
		s.refuse(fmt.Sprintf(".cls holds %q, not a class number from 0", shorten(number)))
		return
	}
	if len(s.classes) > 0 && i >= len(s.classes) {
		s.refuse(fmt.Sprintf("class %d is not in classes.tsv, which has %d", i, len(s.classes)))
		return
	}
	s.numbered = true
	s.sample.label, s.sample.labelled = strconv.Itoa(i), true
	if len(s.classes) > 0 {
		s.sample.label = s.classes[i]
	}
}

// fields reads a JSON entry as a table's row; a .cls beside it counts more.
func (s *shardRows) fields(fields map[string]json.RawMessage) {
	t := &tableRows{b: s.b, text: textColumns(), label: labelColumns(), used: map[string]string{}}
	if c := s.b.options.TextColumn; c != "" {
		t.text = []string{columnName(c)}
	}
	if c := s.b.options.LabelColumn; c != "" {
		t.label = []string{columnName(c)}
	}
	r := &record{json: byColumn(fields)}
	captions, err := t.captions(r)
	if err != nil {
		s.refuse(".json: " + err.Error())
		return
	}
	if len(captions) > 0 {
		s.sample.captions = append(s.sample.captions, captions...)
		addSource(&s.b.report.CaptionsFrom, t.used["text"]+" of .json entries")
	}
	label, has, err := t.labelOf(r)
	if err != nil {
		s.refuse(".json: " + err.Error())
		return
	}
	switch {
	case !has || s.sample.labelled:
	case len(s.classes) > 0:
		s.class(label)
	default:
		s.sample.label, s.sample.labelled = label, true
		addSource(&s.b.report.ClassesFrom, t.used["label"]+" of .json entries")
	}
}

// flush ends a sample.
func (s *shardRows) flush() {
	defer func() { s.sample = sample{} }()
	m := &s.sample
	if m.key == "" {
		return
	}
	source := Source{File: s.name + "/" + m.key}
	switch {
	case m.wrong != "":
		s.b.skip(source, m.wrong)
	case m.picture == nil:
		s.b.skip(source, "the sample has no picture")
	default:
		if s.b.pictures[m.picture.Name] != nil {
			s.b.skip(source, "the key stands in the shard before")
			return
		}
		s.b.pictures[m.picture.Name] = m.picture
		s.b.inOrder = append(s.b.inOrder, m.picture)
		s.b.rows = append(s.b.rows, row{picture: m.picture, captions: m.captions, label: m.label, labelled: m.labelled, split: s.split, source: source})
	}
}
