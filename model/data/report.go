package data

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Report says what was read, what was inferred from what, and what was left
// out.
type Report struct {
	Path       string `json:"path"`
	Convention string `json:"convention"` // such as "a folder per class"

	ClassesFrom  string `json:"classes_from"` // such as "column label of train/metadata.jsonl"
	CaptionsFrom string `json:"captions_from"`
	SplitsFrom   string `json:"splits_from"`

	Examples int      `json:"examples"`
	Pictures int      `json:"pictures"` // distinct files
	Captions int      `json:"captions"`
	Classes  []string `json:"classes"`

	Splits []SplitCount `json:"splits"`

	SkippedRows     int    `json:"skipped_rows"`
	SkippedPictures int    `json:"skipped_pictures"` // distinct, of those rows
	Skipped         []Skip `json:"skipped"`          // the first MaxSkips of them, each with its reason

	Notes []string `json:"notes"` // what else a person should know
}

// MaxSkips is how many skips a report lists; it counts all of them.
const MaxSkips = 1000

// A Skip is what was left out, and why.
type Skip struct {
	Source
	Reason string `json:"reason"`
	Rows   int    `json:"rows"` // rows left out for it
}

func (s Skip) String() string {
	if s.Rows > 1 {
		return fmt.Sprintf("%s: %s (%d rows)", s.Source, s.Reason, s.Rows)
	}
	return fmt.Sprintf("%s: %s", s.Source, s.Reason)
}

// SplitCount counts one split.
type SplitCount struct {
	Split    Split `json:"split"`
	Examples int   `json:"examples"`
	Pictures int   `json:"pictures"`
	Captions int   `json:"captions"`
	PerClass []int `json:"per_class"` // examples of each class
}

func (r *Report) skip(source Source, reason string, rows int) {
	r.SkippedRows += rows
	if len(r.Skipped) < MaxSkips {
		r.Skipped = append(r.Skipped, Skip{source, reason, rows})
	}
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// nothingLeft is the error of a collection whose every row was left out.
func (r *Report) nothingLeft() error {
	if len(r.Skipped) == 0 {
		return errNoWords
	}
	return fmt.Errorf("no row is usable: %s", listSkips(r.Skipped))
}

// Lines renders the report for a terminal.
func (r *Report) Lines() []string {
	lines := []string{
		fmt.Sprintf("%s: %s", r.Path, r.Convention),
		fmt.Sprintf("  %s of %s with %s", count(r.Examples, "example"), count(r.Pictures, "picture"), count(r.Captions, "caption")),
		"  classes: none, there are no labels",
		"  captions: none, there are no words",
		"  splits: " + cmp.Or(r.SplitsFrom, "none given"),
	}
	if len(r.Classes) > 0 {
		lines[2] = fmt.Sprintf("  classes: %s, from %s", summarise(r.Classes), r.ClassesFrom)
	}
	if r.Captions > 0 {
		lines[3] = "  captions: " + r.CaptionsFrom
	}
	for _, s := range r.Splits {
		line := fmt.Sprintf("    %s: %s of %s", cmp.Or(string(s.Split), "not split"), count(s.Examples, "example"), count(s.Pictures, "picture"))
		if per := perClass(r.Classes, s.PerClass); per != "" {
			line += " (" + per + ")"
		}
		lines = append(lines, line)
	}
	for _, n := range r.Notes {
		lines = append(lines, "  note: "+n)
	}
	if r.SkippedRows > 0 {
		lines = append(lines, fmt.Sprintf("  left out: %s, %s", count(r.SkippedRows, "row"), count(r.SkippedPictures, "picture")))
		for _, s := range r.Skipped {
			lines = append(lines, "    "+s.String())
		}
		if len(r.Skipped) == MaxSkips {
			lines = append(lines, "    …")
		}
	}
	return lines
}

func (r *Report) String() string { return strings.Join(r.Lines(), "\n") }

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// summarise lists a few names of many.
func summarise(names []string) string {
	const most = 12
	if len(names) <= most {
		return fmt.Sprintf("%d (%s)", len(names), strings.Join(names, ", "))
	}
	return fmt.Sprintf("%d (%s, … %s)", len(names), strings.Join(names[:most-1], ", "), names[len(names)-1])
}

// perClass lists the counts of few classes, and the range of many.
func perClass(classes []string, counts []int) string {
	if len(classes) == 0 {
		return ""
	}
	const most = 16
	if len(classes) <= most {
		var parts []string
		for i, name := range classes {
			parts = append(parts, fmt.Sprintf("%s %d", name, counts[i]))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%d to %d a class", slices.Min(counts), slices.Max(counts))
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
		c.Report.note("%s of a content that another file has too; they are kept on one side of a drawn split", count(copies, "picture"))
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
	c.Report.note("%s on both sides of the given splits, which makes the evaluation look better than it is: %s",
		count(len(across), "picture content"), strings.Join(names, "; "))
}

// noteClasses reports what looks wrong about the classes.
func (c *Collection) noteClasses() {
	folded := map[string]string{}
	for _, name := range c.Classes {
		key := strings.ToLower(strings.Join(strings.Fields(name), " "))
		if other, known := folded[key]; known {
			c.Report.note("classes %q and %q differ in case or spaces only", other, name)
		}
		folded[key] = name
	}
	if len(c.Classes) == 1 {
		c.Report.note("there is one class only (%s): nothing can be told apart", c.Classes[0])
	}
	with := 0
	for _, e := range c.Examples {
		if len(e.Captions) > 0 {
			with++
		}
	}
	if with > 0 && with < len(c.Examples) {
		c.Report.note("%s without words", count(len(c.Examples)-with, "example"))
	}
}
