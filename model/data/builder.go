package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A row is an example as a convention gives it: before pictures are looked at,
// classes listed and rows of one picture merged.
type row struct {
	picture  *Picture
	captions []string
	label    string
	labelled bool
	split    Split
	source   Source
}

// builder gathers the rows of a collection.
type builder struct {
	ctx      context.Context
	options  Options
	report   Report
	pictures map[string]*Picture
	inOrder  []*Picture
	rows     []row
	classes  []string // where a convention lists them; else they follow from the rows
}

// picture returns the picture of a file, one and the same for every row that
// names it. One collection takes all its picture files from one file system.
func (b *builder) picture(files fs.FS, name string) *Picture {
	if known := b.pictures[name]; known != nil {
		return known
	}
	p := &Picture{Name: name, files: files, path: name, offset: -1}
	b.pictures[name] = p
	b.inOrder = append(b.inOrder, p)
	return p
}

// skip leaves a row or a picture out.
func (b *builder) skip(source Source, reason string) { b.report.LeaveOut(source, reason, 1) }

func (b *builder) finish() (*Collection, error) {
	if err := b.checkPictures(); err != nil {
		return nil, err
	}
	if len(b.rows) == 0 {
		return nil, nothingLeft(&b.report)
	}
	c := &Collection{options: b.options}
	b.dropUnlabelled()
	c.Classes = b.listClasses()
	c.Examples = b.examples(c.Classes)
	if len(c.Examples) == 0 {
		return nil, nothingLeft(&b.report)
	}
	c.pictures = picturesOf(c.Examples)
	if err := findTwins(b.ctx, c.pictures); err != nil {
		return nil, err
	}
	c.Report = b.report
	c.noteContent()
	c.noteClasses()
	c.count()
	return c, nil
}

// examples numbers the labels and merges rows that are alternatives.
func (b *builder) examples(classes []string) []Example {
	index := make(map[string]int, len(classes))
	for i, name := range classes {
		index[name] = i
	}
	type place struct {
		picture *Picture
		split   Split
	}
	var examples []Example
	merge := b.mayMerge()
	at := map[place]int{}
	merged := 0
	for _, r := range b.rows {
		e := Example{Picture: r.picture, Captions: r.captions, Label: -1, Split: r.split, Source: r.source}
		if r.labelled {
			var known bool
			if e.Label, known = index[r.label]; !known {
				b.skip(r.source, fmt.Sprintf("class %q is not in classes.tsv", r.label))
				continue
			}
		}
		where := place{r.picture, r.split}
		if i, known := at[where]; known && merge && r.picture != nil {
			for _, c := range r.captions {
				if !slices.Contains(examples[i].Captions, c) {
					examples[i].Captions = append(examples[i].Captions, c)
				}
			}
			merged++
			continue
		}
		at[where] = len(examples)
		examples = append(examples, e)
	}
	if merged > 0 {
		b.report.Note("rows of one picture, which agree on its label or have none, make one example with several captions: %d rows, %d examples", len(examples)+merged, len(examples))
	}
	return examples
}

// checkPictures reads the header of every picture and drops the rows of those
// that cannot be used.
func (b *builder) checkPictures() error {
	wrong := make([]error, len(b.inOrder))
	err := parallel(b.ctx, len(b.inOrder), b.options.Progress, func(i int) error {
		b.inOrder[i].maxPixels = b.options.MaxPixels
		wrong[i] = b.inOrder[i].readHeader(b.options.MaxPixels)
		return nil
	})
	if err != nil {
		return err
	}
	d := newDrop(b.inOrder, wrong)
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return d.drops(r.picture, r.source) })
	d.report(&b.report)
	return nil
}

// drop leaves out the rows of pictures that cannot be used.
type drop struct {
	wrong    map[*Picture]error
	pictures []*Picture // those of them that rows have, in order
	rows     map[*Picture]int
	first    map[*Picture]Source
}

func newDrop(pictures []*Picture, wrong []error) *drop {
	d := &drop{wrong: map[*Picture]error{}, rows: map[*Picture]int{}, first: map[*Picture]Source{}}
	for i, p := range pictures {
		if wrong[i] != nil {
			d.wrong[p] = wrong[i]
		}
	}
	return d
}

// drops reports whether a row's picture cannot be used, and counts the row.
func (d *drop) drops(p *Picture, source Source) bool {
	if d.wrong[p] == nil {
		return false
	}
	if d.rows[p]++; d.rows[p] == 1 {
		d.first[p] = source
		d.pictures = append(d.pictures, p)
	}
	return true
}

func (d *drop) report(r *Report) {
	for _, p := range d.pictures {
		reason := d.wrong[p].Error()
		if d.first[p].File != p.Name {
			reason = fmt.Sprintf("picture %s: %s", p.Name, reason)
		}
		r.LeaveOut(d.first[p], reason, d.rows[p])
		r.SkippedPictures++
	}
}

// dropUnlabelled leaves out rows without a label where others have one.
func (b *builder) dropUnlabelled() {
	if !slices.ContainsFunc(b.rows, func(r row) bool { return r.labelled }) {
		return
	}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		if !r.labelled {
			b.skip(r.source, "the row has no label, others have")
		}
		return !r.labelled
	})
}

// mayMerge reports whether rows of one picture are alternatives for one
// example: when the label follows from the picture alone. Where one picture has
// rows of different labels, as in question answering, every row stands for
// itself.
func (b *builder) mayMerge() bool {
	label := map[*Picture]string{}
	words := map[[2]string]string{} // picture and caption
	conflicts := 0
	merge := true
	for _, r := range b.rows {
		if r.picture == nil {
			continue
		}
		if known, ok := label[r.picture]; ok && known != r.label {
			merge = false
		}
		label[r.picture] = r.label
		key := [2]string{r.picture.Name, strings.Join(r.captions, "\x00")}
		if known, ok := words[key]; ok && known != r.label {
			conflicts++
		}
		words[key] = r.label
	}
	if conflicts > 0 {
		b.report.Note("%d rows give a picture with the same words another label than an earlier row", conflicts)
	}
	return merge
}

// listClasses returns the classes in an order that depends on their names
// alone: by number where all are whole numbers, else by bytes.
func (b *builder) listClasses() []string {
	if b.classes != nil {
		return b.classes
	}
	found := map[string]bool{}
	for _, r := range b.rows {
		if r.labelled {
			found[r.label] = true
		}
	}
	return sortClasses(slices.Collect(maps.Keys(found)))
}

func sortClasses(names []string) []string {
	numbers := make(map[string]int, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil && strconv.Itoa(n) == name {
			numbers[name] = n
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(numbers) == len(names) {
			return numbers[a] - numbers[b]
		}
		return strings.Compare(a, b)
	})
	return names
}

// findTwins compares pictures of equal size by their content.
func findTwins(ctx context.Context, pictures []*Picture) error {
	sameSize := map[int64][]*Picture{}
	for _, p := range pictures {
		sameSize[p.Size] = append(sameSize[p.Size], p)
	}
	var candidates []*Picture
	for _, p := range pictures {
		if len(sameSize[p.Size]) > 1 {
			candidates = append(candidates, p)
		}
	}
	if err := hashAll(ctx, candidates, nil); err != nil {
		return err
	}
	for _, p := range pictures {
		p.twin = p
	}
	first := map[string]*Picture{}
	for _, p := range candidates {
		h, err := p.Hash()
		if err != nil {
			return err
		}
		if first[h] == nil {
			first[h] = p
		}
		p.twin = first[h]
	}
	return nil
}

// hashAll reads the pictures whose hash is not known yet.
func hashAll(ctx context.Context, pictures []*Picture, progress func(done, total int)) error {
	return parallel(ctx, len(pictures), progress, func(i int) error {
		_, err := pictures[i].Hash()
		return err
	})
}

// parallel calls f for 0 … n-1, a few at a time.
func parallel(ctx context.Context, n int, progress func(done, total int), f func(i int) error) error {
	var (
		wg   sync.WaitGroup
		next atomic.Int64
		once sync.Once
		fail error
		stop atomic.Bool
		tell sync.Mutex
	)
	const every = 256
	for range min(n, runtime.GOMAXPROCS(0), 8) {
		wg.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = f(i)
				}
				if err != nil {
					once.Do(func() { fail = err })
					stop.Store(true)
					return
				}
				if progress != nil && (i+1)%every == 0 {
					tell.Lock()
					progress(i+1, n)
					tell.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return fail
}

var errNoWords = errors.New("has neither pictures nor words")
