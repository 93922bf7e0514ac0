package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"duet/model/report"
)

// A Collection is a set of pictures with labels and captions.
type Collection struct {
	Classes  []string // the class of label i; empty where the collection has no labels
	Examples []Example
	Report   Report

	options  Options
	pictures []*Picture
}

// An Example is a picture with its words and its class.
type Example struct {
	Picture  *Picture // nil for words alone
	Captions []string // alternatives: one is sampled in training, the first is used in evaluation
	Label    int      // index into Classes, −1 without one
	Split    Split
	Source   Source

	// Plain pictures are never augmented: drawn or rendered ones, say, in which
	// places and sides matter.
	Plain bool
	// Copy tells apart the copies of an example that stands several times in an
	// epoch; each is augmented on its own.
	Copy int
}

// Hash identifies what the example shows: its picture's content or, without a
// picture, its first caption. SHA-256 in hexadecimal.
func (e *Example) Hash() (string, error) {
	if e.Picture != nil {
		return e.Picture.Hash()
	}
	sum := sha256.Sum256([]byte(strings.Join(e.Captions[:min(1, len(e.Captions))], "")))
	return hex.EncodeToString(sum[:]), nil
}

// parseSplit reads the name of a split: train, validation, valid, val, dev or
// test, in any case, perhaps with a year as in train2017.
func parseSplit(name string) (Split, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if n := len(name); n > 4 {
		if _, err := strconv.ParseUint(name[n-4:], 10, 16); err == nil {
			name = name[:n-4]
		}
	}
	switch name {
	case "train":
		return Train, true
	case "validation", "valid", "val", "dev":
		return Validation, true
	case "test":
		return Test, true
	}
	return Unsplit, false
}

// Options say how to read a collection where the default does not fit.
type Options struct {
	ClassLevel  int    // folder that names the class, counted from 1 below the split folder; 0: the deepest
	LabelColumn string // column of labels in tables; "": label, class, category or answer
	TextColumn  string // column of captions in tables; "": text, caption, prompt, sentence or question
	Images      fs.FS  // what a table's picture paths are relative to; nil: the table's folder
	MaxPixels   int    // larger pictures are left out; 0: DefaultMaxPixels

	// Progress, where set, is told now and then how many pictures have been
	// looked at.
	Progress func(done, total int)
}

// OpenPath reads the collection at a path on disk: a folder, a table or a tar
// shard. images, where not empty, is the folder that a table's paths are
// relative to. Neither names nor links lead out of these folders.
func OpenPath(ctx context.Context, name, images string, o Options) (*Collection, error) {
	root, inside, err := rootOf(name)
	if err != nil {
		return nil, absent(fmt.Errorf("data: opening %s: %w", name, err), report.NoReason, name)
	}
	if images != "" {
		r, err := os.OpenRoot(images)
		if err != nil {
			return nil, fmt.Errorf("data: opening the folder of pictures %s: %w", images, fileError(err))
		}
		o.Images = r.FS()
	}
	c, err := Open(ctx, root, inside, o)
	if err != nil {
		return nil, fmt.Errorf("data: opening %s: %w", name, err)
	}
	c.Report.Path = name
	return c, nil
}

// rootOf opens the folder at name, or the folder around the file at name. The
// root closes itself when nothing refers to it any more.
func rootOf(name string) (root fs.FS, inside string, err error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil, "", fileError(err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, "", fileError(err)
	}
	folder, inside := real, "."
	if !info.IsDir() {
		folder, inside = filepath.Split(real)
		if folder == "" {
			folder = "."
		}
	}
	r, err := os.OpenRoot(folder)
	if err != nil {
		return nil, "", fileError(err)
	}
	return r.FS(), inside, nil
}

// Open reads the collection at a slash-separated path of a file system: "." for
// all of it, a folder, a table or a tar shard. It lists files, reads tables and
// the pictures' headers and, of pictures of equal size, the content; it decodes
// nothing. Rows and pictures that cannot be used are left out and named in the
// report; an error means that nothing usable is left, or that ctx is done.
func Open(ctx context.Context, files fs.FS, name string, o Options) (*Collection, error) {
	if o.ClassLevel < 0 {
		return nil, fmt.Errorf("class level %d: levels count from 1 below the split folder; 0 is the deepest", o.ClassLevel)
	}
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, fileError(err)
	}
	b := &builder{ctx: ctx, options: o, pictures: map[string]*Picture{}}
	b.report.Path = name
	switch {
	case !info.IsDir():
		err = b.openFile(files, name)
	default:
		if name != "." {
			if files, err = fs.Sub(files, name); err != nil {
				return nil, fileError(err)
			}
		}
		err = b.openFolder(files)
	}
	if err != nil {
		return nil, err
	}
	return b.finish()
}

func (b *builder) openFile(files fs.FS, name string) error {
	why := ""
	switch {
	case isTable(name):
		return b.openTable(files, name)
	case isShard(name):
		return b.openShards(files, []string{name}, func(string) Split { return Unsplit })
	case isPackedShard(name):
		why = path.Base(name) + ": a compressed tar cannot be read in any order: unpack it with gunzip"
	case report.IsPicture(name):
		why = "this is one picture; name the folder that holds a collection, or a table"
	default:
		why = path.Base(name) + " is neither a folder nor a table (.csv, .tsv, .jsonl, perhaps .gz) nor a tar shard (.tar)"
	}
	return report.Because(errors.New(why), report.NoCollection)
}

// Select returns the examples of the given splits, all of them without any.
func (c *Collection) Select(splits ...Split) []Example {
	if len(splits) == 0 {
		return c.Examples
	}
	var chosen []Example
	for _, e := range c.Examples {
		for _, s := range splits {
			if e.Split == s {
				chosen = append(chosen, e)
				break
			}
		}
	}
	return chosen
}

// Clone returns a copy whose splits and report may change without c's. What is
// known about the pictures is shared.
func (c *Collection) Clone() *Collection {
	clone := *c
	clone.Examples, clone.pictures = slices.Clone(c.Examples), slices.Clone(c.pictures)
	clone.Report.Skipped, clone.Report.Notes = slices.Clone(c.Report.Skipped), slices.Clone(c.Report.Notes)
	return &clone
}

// Find returns the examples with one of the given hashes, in order. It reads
// every picture once.
func (c *Collection) Find(ctx context.Context, hashes []string) ([]Example, error) {
	wanted := make(map[string]bool, len(hashes))
	for _, h := range hashes {
		wanted[h] = true
	}
	if err := hashAll(ctx, c.pictures, c.options.Progress); err != nil {
		return nil, err
	}
	var found []Example
	for _, e := range c.Examples {
		h, err := e.Hash()
		if err != nil {
			return nil, err
		}
		if wanted[h] {
			found = append(found, e)
		}
	}
	return found, nil
}

// picturesOf lists the distinct pictures in order.
func picturesOf(examples []Example) []*Picture {
	var pictures []*Picture
	seen := map[*Picture]bool{}
	for _, e := range examples {
		if e.Picture != nil && !seen[e.Picture] {
			seen[e.Picture] = true
			pictures = append(pictures, e.Picture)
		}
	}
	return pictures
}

// Verify decodes every picture and leaves out the examples of those that
// cannot be, naming them in the report. Without it, a loader does so when it
// comes to them.
func (c *Collection) Verify(ctx context.Context) error {
	wrong := make([]error, len(c.pictures))
	var large sync.Mutex
	err := parallel(ctx, len(c.pictures), c.options.Progress, func(i int) error {
		p := c.pictures[i]
		if p.large() {
			large.Lock()
			defer large.Unlock()
		}
		_, wrong[i] = p.decode(p.maxPixels)
		return nil
	})
	if err != nil {
		return err
	}
	d := newDrop(c.pictures, wrong)
	c.Examples = slices.DeleteFunc(c.Examples, func(e Example) bool { return d.drops(e.Picture, e.Source) })
	c.pictures = slices.DeleteFunc(c.pictures, func(p *Picture) bool { return d.wrong[p] != nil })
	d.report(&c.Report)
	if len(c.Examples) == 0 {
		return fmt.Errorf("data: %s: %w", c.Report.Path, nothingLeft(&c.Report))
	}
	c.count()
	return nil
}
