package assets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Summary counts what WriteCollection wrote.
type Summary struct {
	Rows, TrainRows, ValidationRows             int
	Pictures, TrainPictures, ValidationPictures int
}

// MaxRows bounds a written collection; [Draw] itself has no end.
const MaxRows = 10_000_000

// Every seventh group, counted along each design, goes to validation: 14 % of the rows, evenly over the designs.
const validationEvery = 7

func (at address) validation() bool { return (at.round+at.design)%validationEvery == 1 }

// WriteCollection draws the first n rows of a task and writes them to the folder dir by the ImageFolder convention:
// train/ and validation/, each with PNG pictures of size × size pixels and a metadata.jsonl of file_name, text and
// label, and a README.md. Whole groups stay on one side, so no picture has rows on both. With few rows there may be
// nothing to validate on, and then no validation/.
//
// The same arguments give the same bytes. The collection is drawn beside dir and moved there when complete. A folder
// that exists must be empty or an earlier drawn collection, which is then replaced; anything else is an error.
func WriteCollection(ctx context.Context, dir, task string, n int, seed uint64, size int) (Summary, error) {
	if _, err := newCollectionWriter(task, n, seed, size, nil); err != nil {
		return Summary{}, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Summary{}, fmt.Errorf("assets: drawing a collection: %w", err)
	}
	if err := replaceable(dir); err != nil {
		return Summary{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return Summary{}, fmt.Errorf("assets: drawing a collection: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".drawing-")
	if err != nil {
		return Summary{}, fmt.Errorf("assets: drawing a collection: %w", err)
	}
	defer os.RemoveAll(temp)
	count, err := DrawCollection(ctx, task, n, seed, size, func(name string, content []byte) error {
		path := filepath.Join(temp, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if strings.HasSuffix(name, ".png") { // after a power cut the same command draws it again
			return os.WriteFile(path, content, 0o666)
		}
		return writeSynced(path, content)
	})
	if err != nil {
		return Summary{}, fmt.Errorf("assets: drawing a collection into %s: %w", dir, err)
	}
	if err := moveInto(temp, dir); err != nil {
		return Summary{}, fmt.Errorf("assets: drawing a collection into %s: %w", dir, err)
	}
	return count, nil
}

// DrawCollection draws the files of a collection, as [WriteCollection] writes them, one by one; put must not keep
// content.
func DrawCollection(ctx context.Context, task string, n int, seed uint64, size int, put func(name string, content []byte) error) (Summary, error) {
	w, err := newCollectionWriter(task, n, seed, size, put)
	if err != nil {
		return Summary{}, err
	}
	err = w.write(ctx, n)
	return w.count, err
}

func newCollectionWriter(task string, n int, seed uint64, size int, put func(string, []byte) error) (*collectionWriter, error) {
	t, err := findTask(task, size)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > MaxRows {
		return nil, fmt.Errorf("assets: drawing a collection: %d rows: choose 1 to %d", n, MaxRows)
	}
	return &collectionWriter{task: t, seed: seed, size: size, put: put, buf: map[string]*bytes.Buffer{}}, nil
}

// collectionWriter draws one collection.
type collectionWriter struct {
	task    task
	seed    uint64
	size    int
	put     func(name string, content []byte) error
	buf     map[string]*bytes.Buffer // metadata.jsonl of each side
	picture bytes.Buffer
	count   Summary
}

func (w *collectionWriter) write(ctx context.Context, n int) error {
	var g group
	for i := 0; i < n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := w.task.locate(i)
		if at.picture == 0 {
			g = w.task.group(w.seed, at)
		}
		rows := min(len(g.texts), n-i)
		if err := w.writePicture(at, g, rows); err != nil {
			return err
		}
		i += rows
	}
	for side, lines := range w.buf {
		if err := w.put(side+"/metadata.jsonl", lines.Bytes()); err != nil {
			return err
		}
	}
	return w.put("README.md", []byte(w.readme(n)))
}

// writePicture writes a picture and the first rows about it.
func (w *collectionWriter) writePicture(at address, g group, rows int) error {
	side := "train"
	if at.validation() {
		side = "validation"
		w.count.ValidationPictures++
		w.count.ValidationRows += rows
	} else {
		w.count.TrainPictures++
		w.count.TrainRows += rows
	}
	w.count.Pictures++
	w.count.Rows += rows
	if w.buf[side] == nil {
		w.buf[side] = new(bytes.Buffer)
	}
	name := w.task.id(w.seed, at) + ".png"
	w.picture.Reset()
	if err := png.Encode(&w.picture, w.task.picture(w.seed, at, g, w.size)); err != nil {
		return err
	}
	if err := w.put(side+"/"+name, w.picture.Bytes()); err != nil {
		return err
	}
	lines := json.NewEncoder(w.buf[side])
	lines.SetEscapeHTML(false)
	for q := range rows {
		row := struct {
			FileName string `json:"file_name"`
			Text     string `json:"text"`
			Label    string `json:"label"`
		}{name, g.texts[q], g.labels[at.picture][q]}
		if err := lines.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// drawnMark stands in the README.md of every drawn collection and tells it from a folder of the user's.
const drawnMark = "tags: [duet-drawn-collection]"

func (w *collectionWriter) readme(n int) string {
	size := ""
	if w.size != DefaultSize {
		size = fmt.Sprintf(" --size %d", w.size)
	}
	return fmt.Sprintf(`---
license: cc0-1.0
%s
---
# Drawn shapes: %s

%d questions and statements about %d pictures of %d x %d pixels, each with its answer. All of it was drawn by Duet's own code
from a seed; nothing comes from elsewhere. It is dedicated to the public domain (CC0-1.0).

Task %q: %s.
Answers: %s.

Shapes: %s.
Colours: %s.

A picture shows one to three shapes and is asked several questions. Neither the words nor the picture alone tell the answer: every
question is asked of several pictures with different answers, and the questions of one picture have different answers too, in such
numbers that the best guess from one side is right only as often as the commonest answer. "none" says that the picture does not
show what is asked about.

| folder | pictures | rows |
|---|---|---|
| train | %d | %d |
| validation | %d | %d |

Each folder holds a metadata.jsonl with the columns file_name, text and label (the ImageFolder convention of Hugging Face
datasets). No picture, and no group of pictures that share their questions, is in both.

The same again: duet sample --out DIR --task %s --n %d --seed %d%s
`,
		drawnMark, w.task.name, w.count.Rows, w.count.Pictures, w.size, w.size,
		w.task.name, w.task.about, strings.Join(w.task.answers, ", "),
		strings.Join(kindWords(), ", "), strings.Join(colourWords(), ", "),
		w.count.TrainPictures, w.count.TrainRows, w.count.ValidationPictures, w.count.ValidationRows,
		w.task.name, n, w.seed, size)
}

// ownFile matches what WriteCollection puts into train/ and validation/.
var ownFile = regexp.MustCompile(`^(metadata\.jsonl|[a-z]+-\d+-\d{6,}\.png)$`)

// replaceable returns nil where dir is missing, empty or nothing but a drawn collection.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("assets: drawing a collection: %s is no folder to write to: %w", dir, err)
	}
	if len(entries) == 0 {
		return nil
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	drawn := err == nil && bytes.Contains(readme, []byte(drawnMark))
	for _, e := range entries {
		switch {
		case e.Name() == "README.md":
		case e.IsDir() && (e.Name() == "train" || e.Name() == "validation"):
			files, err := os.ReadDir(filepath.Join(dir, e.Name()))
			drawn = drawn && err == nil
			for _, f := range files {
				drawn = drawn && ownFile.MatchString(f.Name())
			}
		default:
			drawn = false
		}
	}
	if !drawn {
		return fmt.Errorf("assets: drawing a collection: %s holds other files: choose an empty or a new folder", dir)
	}
	return nil
}

// moveInto puts the folder temp in the place of dir.
func moveInto(temp, dir string) error {
	if err := os.Chmod(temp, 0o755); err != nil { // MkdirTemp gives 0700
		return err
	}
	old := temp + ".old"
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(temp, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

func writeSynced(name string, data []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
