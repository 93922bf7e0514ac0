package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"duet/model/report"
)

// DefaultShare is the share of the pictures that validation gets where a
// collection gives no validation split.
const DefaultShare = 0.15

// HeldOut records a validation part, for a model's config.json.
type HeldOut struct {
	Given  bool     `json:"given"`           // by the collection; else drawn by Seed and Share
	Seed   uint64   `json:"seed,omitempty"`  // of the draw
	Share  float64  `json:"share,omitempty"` // of the pictures
	Hashes []string `json:"hashes"`          // see [Example.Hash]; sorted
}

// HoldOut makes a collection ready for training: every example is in a split,
// and training and validation both have some. Where a validation split is
// given, nothing changes. Else the given share (0: [DefaultShare]) of the
// training pictures is drawn for validation.
//
// The draw goes by pictures, so that rows which share a file, or files of the
// same content, stay on one side. It is stratified by class, by the rarest of a
// picture's classes where it has several; a class's only picture stays in
// training. It depends on the seed, the names and the contents alone.
func (c *Collection) HoldOut(ctx context.Context, seed uint64, share float64) (HeldOut, error) {
	if share == 0 {
		share = DefaultShare
	}
	if !(share > 0 && share < 1) {
		return HeldOut{}, fmt.Errorf("data: a share of %v for validation: choose between 0 and 1", share)
	}
	have := map[Split]int{}
	for _, e := range c.Examples {
		have[e.Split]++
	}
	if have[Train]+have[Unsplit] == 0 {
		return HeldOut{}, fmt.Errorf("data: %s has no examples for training, only splits %s: name a table or folder without splits to train on it",
			c.Report.Path, splitNames(have))
	}
	record := HeldOut{Given: have[Validation] > 0}
	if n := have[Unsplit]; n > 0 && record.Given {
		c.Report.Note("%s without a split: used for training", report.Count(n, "example"))
	}
	held := map[int]bool{}
	if !record.Given {
		record.Seed, record.Share = seed, share
		held = c.draw(seed, share)
		if len(held) == 0 {
			return HeldOut{}, report.Because(errors.New("data: nothing can be held out for validation: no class has two pictures of different content"), report.FewPictures)
		}
		what := fmt.Sprintf("%.3g %% of the pictures drawn for validation, stratified by class, seed %d", 100*share, seed)
		addSource(&c.Report.SplitsFrom, what)
	}
	for i := range c.Examples {
		switch e := &c.Examples[i]; {
		case held[i]:
			e.Split = Validation
		case e.Split == Unsplit:
			e.Split = Train
		}
	}
	c.count()
	if err := c.hashes(ctx, &record); err != nil {
		return HeldOut{}, err
	}
	return record, nil
}

func splitNames(have map[Split]int) string {
	var names []string
	for _, s := range []Split{Validation, Test} {
		if have[s] > 0 {
			names = append(names, fmt.Sprintf("%s (%d)", s, have[s]))
		}
	}
	return strings.Join(names, ", ")
}

func (c *Collection) hashes(ctx context.Context, record *HeldOut) error {
	var pictures []*Picture
	held := c.Select(Validation)
	for _, e := range held {
		if e.Picture != nil {
			pictures = append(pictures, e.Picture)
		}
	}
	if err := hashAll(ctx, pictures, c.options.Progress); err != nil {
		return err
	}
	for _, e := range held {
		h, err := e.Hash()
		if err != nil {
			return err
		}
		record.Hashes = append(record.Hashes, h)
	}
	slices.Sort(record.Hashes)
	record.Hashes = slices.Compact(record.Hashes)
	return nil
}

// A group is what must stay on one side: the examples of one content.
type group struct {
	name     string // of its first picture
	examples []int
	pictures int // distinct files
	stratum  int // class
	order    uint64
}

// draw picks the examples to hold out.
func (c *Collection) draw(seed uint64, share float64) map[int]bool {
	groups := c.groups(seed)
	inStratum := map[int]int{}
	for _, g := range groups {
		inStratum[g.stratum]++
	}
	// Groups stand class by class, at random within one. Walking along them,
	// error diffusion holds out share of the pictures of any stretch, to within
	// one group: so of every class, and of all.
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.stratum, b.stratum), cmp.Compare(a.order, b.order), strings.Compare(a.name, b.name))
	})
	held := map[int]bool{}
	owed := 0.0
	for _, g := range groups {
		if inStratum[g.stratum] < 2 {
			continue
		}
		owed += share * float64(g.pictures)
		if owed < float64(g.pictures)/2 {
			continue
		}
		owed -= float64(g.pictures)
		for _, i := range g.examples {
			held[i] = true
		}
	}
	if len(held) == 0 { // too few pictures for the share to make half a group
		for _, g := range slices.Backward(groups) {
			if inStratum[g.stratum] >= 2 {
				for _, i := range g.examples {
					held[i] = true
				}
				break
			}
		}
	}
	return held
}

// groups gathers the training examples by content. The content of another
// given split, such as test, stays where it is.
func (c *Collection) groups(seed uint64) []*group {
	frequency := make([]int, len(c.Classes)+1)
	for _, e := range c.Examples {
		frequency[e.Label+1]++
	}
	byPicture := map[*Picture]*group{}
	byWords := map[string]*group{}
	files := map[*Picture]bool{}
	var groups []*group
	for i, e := range c.Examples {
		if e.Split != Unsplit && e.Split != Train {
			continue
		}
		var g *group
		words := strings.Join(e.Captions, "\n")
		if e.Picture != nil {
			g = byPicture[e.Picture.twin]
		} else {
			g = byWords[words]
		}
		if g == nil {
			g = &group{stratum: e.Label}
			if e.Picture != nil {
				g.name = e.Picture.twin.Name
				byPicture[e.Picture.twin] = g
			} else {
				g.name, g.pictures = words, 1
				byWords[words] = g
			}
			g.order = newDraws(seed, hashString(g.name)).next()
			groups = append(groups, g)
		}
		g.examples = append(g.examples, i)
		if e.Picture != nil && !files[e.Picture] {
			files[e.Picture] = true
			g.pictures++
		}
		if a, b := frequency[e.Label+1], frequency[g.stratum+1]; a < b || a == b && e.Label < g.stratum {
			g.stratum = e.Label
		}
	}
	return groups
}
