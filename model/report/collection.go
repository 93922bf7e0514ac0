package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Collection says what was read, what was inferred from what, and what was left
// out.
type Collection struct {
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

// LeaveOut counts what is left out, and lists it while there is room.
func (r *Collection) LeaveOut(source Source, reason string, rows int) {
	r.SkippedRows += rows
	if len(r.Skipped) < MaxSkips {
		r.Skipped = append(r.Skipped, Skip{source, reason, rows})
	}
}

// Note adds what else a person should know.
func (r *Collection) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Lines renders the report for a terminal.
func (r *Collection) Lines() []string {
	lines := []string{
		fmt.Sprintf("%s: %s", r.Path, r.Convention),
		fmt.Sprintf("  %s of %s with %s", Count(r.Examples, "example"), Count(r.Pictures, "picture"), Count(r.Captions, "caption")),
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
		line := fmt.Sprintf("    %s: %s of %s", cmp.Or(string(s.Split), "not split"), Count(s.Examples, "example"), Count(s.Pictures, "picture"))
		if per := perClass(r.Classes, s.PerClass); per != "" {
			line += " (" + per + ")"
		}
		lines = append(lines, line)
	}
	for _, n := range r.Notes {
		lines = append(lines, "  note: "+n)
	}
	if r.SkippedRows > 0 {
		lines = append(lines, fmt.Sprintf("  left out: %s, %s", Count(r.SkippedRows, "row"), Count(r.SkippedPictures, "picture")))
		for _, s := range r.Skipped {
			lines = append(lines, "    "+s.String())
		}
		if len(r.Skipped) == MaxSkips {
			lines = append(lines, "    …")
		}
	}
	return lines
}

func (r *Collection) String() string { return strings.Join(r.Lines(), "\n") }

// Count gives a number with its noun: 1 picture, 2 pictures.
func Count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// TooFewClasses says of a collection with n classes, fewer than two, why nothing
// can be trained on it.
func TooFewClasses(name string, n int) error {
	have := "no classes"
	if n == 1 {
		have = "one class only"
	}
	return Because(fmt.Errorf("%s has %s; a training needs at least two: a folder for each, or a column of labels", name, have), FewClasses)
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

// A Split is a part of a collection.
type Split string

// The splits. A collection that gives none has examples of split "" until
// they are drawn.
const (
	Unsplit    Split = ""
	Train      Split = "train"
	Validation Split = "val"
	Test       Split = "test"
)

// Source is where an example stands: a file and, in a table, its line.
type Source struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // from 1; 0: the file as a whole
}

func (s Source) String() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s line %d", s.File, s.Line)
}
