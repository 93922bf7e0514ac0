package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
