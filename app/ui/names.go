package ui

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"duet/model/report"
)

// errNoPictures says that there is nothing to classify among dropped files.
var errNoPictures = report.Because(errors.New("none of the files is a picture that can be read: JPEG, PNG, GIF, BMP and WebP can"), report.NoPictures)

// parts are the parts of the program that its errors begin with.
var parts = []string{"app", "checkpoint", "config", "data", "gpu", "hub", "model", "text", "train", "assets"}

// plain leaves out which parts of the program an error came from.
func plain(s string) string {
	for {
		part, rest, ok := strings.Cut(s, ": ")
		if !ok || !slices.Contains(parts, part) {
			return s
		}
		s = rest
	}
}

// unique returns name, or name 2, name 3 … where it is taken.
func unique(name string, taken func(string) bool) string {
	name = strings.TrimSpace(name)
	free := name
	for i := 2; taken(free); i++ {
		free = fmt.Sprintf("%s %d", name, i)
	}
	return free
}

// MaxPlainName bounds what [PlainName] returns, in bytes: file systems have their limits.
const MaxPlainName = 100

// PlainName is what people have named a model as a name for files: its letters and
// digits.
func PlainName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
	if len(plain) > MaxPlainName {
		plain = strings.ToValidUTF8(plain[:MaxPlainName], "")
	}
	return cmp.Or(strings.Trim(plain, "-"), "model")
}

// ExportName is the name of the file that a model among others is exported to.
func ExportName(models []Model, id, format string) string {
	name := id
	for _, m := range models {
		if m.ID == id {
			name = m.Name
		}
	}
	if format == FormatONNX {
		return "duet-" + PlainName(name) + ".onnx"
	}
	return "duet-" + PlainName(name) + ".zip"
}
