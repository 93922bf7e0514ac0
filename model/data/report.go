package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"duet/model/report"
)

// What a collection tells is plain data, see package report.
type (
	Report     = report.Collection
	Skip       = report.Skip
	SplitCount = report.SplitCount
	Split      = report.Split
	Source     = report.Source
)

// The splits.
const (
	Unsplit    = report.Unsplit
	Train      = report.Train
	Validation = report.Validation
	Test       = report.Test
)

// MaxSkips is how many skips a report lists; it counts all of them.
const MaxSkips = report.MaxSkips

// nothingLeft is the error of a collection whose every row was left out.
func nothingLeft(r *Report) error {
	if len(r.Skipped) == 0 {
		return report.Because(errNoWords, report.NoRows)
	}
	hint := ""
	if strings.HasSuffix(r.Skipped[0].Reason, errNoFile.Error()) {
		hint = "; a table's paths count from the folder that it lies in, such as buses/a.jpg"
	}
	return report.Because(fmt.Errorf("no row is usable: %s%s", listSkips(r.Skipped), hint), report.NoRows)
}

// count fills the report's numbers from the examples.
func (c *Collection) count() {
	r := &c.Report
	r.Examples, r.Pictures, r.Captions, r.Classes = len(c.Examples), len(c.pictures), 0, c.Classes
	splits := map[Split]*SplitCount{}
	pictures := map[Split]map[*Picture]bool{}
	for _, e := range c.Examples {
		s := splits[e.Split]
		if s == nil {
			s = &SplitCount{Split: e.Split, PerClass: make([]int, len(c.Classes))}
			splits[e.Split], pictures[e.Split] = s, map[*Picture]bool{}
		}
		s.Examples++
		s.Captions += len(e.Captions)
		r.Captions += len(e.Captions)
		if e.Picture != nil {
			pictures[e.Split][e.Picture] = true
		}
		if e.Label >= 0 {
			s.PerClass[e.Label]++
		}
	}
	r.Splits = nil
	for _, split := range []Split{Train, Validation, Test, Unsplit} {
		if s := splits[split]; s != nil {
			s.Pictures = len(pictures[split])
			r.Splits = append(r.Splits, *s)
		}
	}
}

// noteContent reports identical content, within and across the given splits.
func (c *Collection) noteContent() {
	files := map[*Picture]int{}
	for _, p := range c.pictures {
		files[p.twin]++
	}
	copies := 0
	for _, n := range files {
		copies += n - 1
	}
	if copies > 0 {
		c.Report.Note("%s of a content that another file has too; they are kept on one side of a drawn split", report.Count(copies, "picture"))
	}
	splits := map[*Picture]map[Split]*Picture{}
	var across []*Picture
	for _, e := range c.Examples {
		if e.Picture == nil {
			continue
		}
		t := e.Picture.twin
		if splits[t] == nil {
			splits[t] = map[Split]*Picture{}
		}
		if _, known := splits[t][e.Split]; !known {
			splits[t][e.Split] = e.Picture
			if len(splits[t]) == 2 {
				across = append(across, t)
			}
		}
	}
	if len(across) == 0 {
		return
	}
	var names []string
	for _, t := range across[:min(3, len(across))] {
		var sides []string
		for _, s := range slices.Sorted(maps.Keys(splits[t])) {
			sides = append(sides, fmt.Sprintf("%s (%s)", splits[t][s].Name, s))
		}
		names = append(names, strings.Join(sides, " = "))
	}
	c.Report.Note("%s on both sides of the given splits, which makes the evaluation look better than it is: %s",
		report.Count(len(across), "picture content"), strings.Join(names, "; "))
}

// noteClasses reports what looks wrong about the classes.
func (c *Collection) noteClasses() {
	folded := map[string]string{}
	for _, name := range c.Classes {
		key := strings.ToLower(strings.Join(strings.Fields(name), " "))
		if other, known := folded[key]; known {
			c.Report.Note("classes %q and %q differ in case or spaces only", other, name)
		}
		folded[key] = name
	}
	if len(c.Classes) == 1 {
		c.Report.Note("there is one class only (%s): nothing can be told apart", c.Classes[0])
	}
	with := 0
	for _, e := range c.Examples {
		if len(e.Captions) > 0 {
			with++
		}
	}
	if with > 0 && with < len(c.Examples) {
		c.Report.Note("%s without words", report.Count(len(c.Examples)-with, "example"))
	}
}
