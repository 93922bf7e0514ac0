package data

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"duet/model/report"
)

// A Verdict says whether a file can be used.
type Verdict string

// The verdicts.
const (
	Accept  Verdict = "accept" // usable as it is
	Refuse  Verdict = "refuse" // not usable
	Partial Verdict = "report" // usable but for what is reported
)

// A Kind is a kind of file that this package reads.
type Kind string

// The kinds.
const (
	KindPicture    Kind = "picture"
	KindTable      Kind = "table"
	KindTar        Kind = "tar"
	KindCollection Kind = "collection" // a folder
)

// A Finding is the outcome of a check.
type Finding struct {
	File    string  `json:"file"`
	Kind    Kind    `json:"kind"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"`           // in words; what is wrong, or what was found
	Report  *Report `json:"report,omitempty"` // of a table, tar or collection that opened
}

// KindOf tells what a path on disk would be read as: by its being a folder, its
// extension or, for other names, its first bytes. It is empty for what this
// package does not read.
func KindOf(name string) Kind {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return KindCollection
	case isTable(name):
		return KindTable
	case isShard(name), isPackedShard(name):
		return KindTar
	case report.IsPicture(name), report.IsForeignPicture(name):
		return KindPicture
	case err != nil || !info.Mode().IsRegular():
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	first := make([]byte, 16)
	n, _ := io.ReadFull(f, first)
	if codecOf(first[:n]) != nil {
		return KindPicture
	}
	return ""
}

// Check runs the readers over a file or folder on disk. A picture is decoded; a
// table, tar or collection is opened and every picture in it decoded. images
// and o are as for [OpenPath].
func Check(ctx context.Context, name string, kind Kind, images string, o Options) Finding {
	f := Finding{File: name, Kind: kind, Verdict: Refuse}
	switch kind {
	case KindPicture:
		f.Verdict, f.Reason = checkPicture(name, o.MaxPixels)
	case KindTable, KindTar, KindCollection:
		c, err := openAs(ctx, name, kind, images, o)
		if err == nil {
			err = c.Verify(ctx)
		}
		if err != nil {
			f.Reason = err.Error()
			return f
		}
		f.Report = &c.Report
		f.Verdict, f.Reason = verdictOn(&c.Report)
	default:
		f.Reason = fmt.Sprintf("data: checking %s: no kind %q; choose picture, table, tar or collection", name, kind)
	}
	return f
}

// openAs opens a collection, and a table or tar whatever its name ends in.
func openAs(ctx context.Context, name string, kind Kind, images string, o Options) (*Collection, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() != (kind == KindCollection) {
		return nil, fmt.Errorf("data: opening %s: not a %s", name, kind)
	}
	if kind == KindTable && !isTable(name) || kind == KindTar && !isShard(name) && !isPackedShard(name) {
		return nil, fmt.Errorf("data: opening %s: the name of a %s ends in %s", name, kind,
			map[Kind]string{KindTable: ".csv, .tsv or .jsonl, perhaps with .gz", KindTar: ".tar"}[kind])
	}
	return OpenPath(ctx, name, images, o)
}

func verdictOn(r *Report) (Verdict, string) {
	what := fmt.Sprintf("%s: %s, %s, %s", r.Convention, report.Count(r.Examples, "example"), report.Count(r.Pictures, "picture"), report.Count(len(r.Classes), "class"))
	what = strings.Replace(what, "classs", "classes", 1)
	verdict := Accept
	if r.SkippedRows > 0 {
		verdict = Partial
		what += fmt.Sprintf("; left out %s: %s", report.Count(r.SkippedRows, "row"), listSkips(r.Skipped))
	}
	if len(r.Classes) < 2 {
		what += "; a training needs at least two classes: a folder for each, or a column of labels"
	}
	return verdict, what
}

func listSkips(skips []Skip) string {
	const most = 3
	var reasons []string
	for _, s := range skips[:min(most, len(skips))] {
		reasons = append(reasons, s.String())
	}
	if more := len(skips) - most; more > 0 {
		reasons = append(reasons, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(reasons, "; ")
}

// checkPicture decodes one picture.
func checkPicture(name string, maxPixels int) (Verdict, string) {
	m, err := DecodeFile(name, maxPixels)
	if err != nil {
		return Refuse, err.Error()
	}
	width, height := m.Size()
	reason := fmt.Sprintf("%s, %d x %d pixels", m.Format, width, height)
	if m.Orientation > 1 {
		reason += fmt.Sprintf(", turned upright from EXIF orientation %d", m.Orientation)
	}
	if m.Blended {
		reason += ", transparency laid on white"
	}
	if ext := strings.ToLower(filepath.Ext(name)); report.IsPicture(name) && !extensionOf(ext, m.Format) {
		reason += fmt.Sprintf("; told from the content, though the name ends in %s", ext)
	}
	return Accept, reason
}

func extensionOf(ext, format string) bool {
	switch ext {
	case ".jpg", ".jpeg", ".jpe", ".jfif":
		return format == "jpeg"
	}
	return ext == "."+format
}
