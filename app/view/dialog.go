//go:build !js

package view

import (
	"os/exec"
	"strings"

	"duet/app/ui"
)

// A dialog asks the user for places on disk; none: nothing was chosen. An error
// says why it could not ask.
type dialog func(what Choice, title string) (paths []string, err error)

// chooser returns a function that opens the system's dialogs, or nil where there
// are none: then one drops, or types a path.
func chooser(send func(ui.Message)) func(what Choice, title string) {
	all := dialogs()
	if len(all) == 0 {
		return nil
	}
	return func(what Choice, title string) {
		go func() {
			if m := chosen(all, what, strings.TrimRight(title, "….")); m != nil {
				send(m)
			}
		}()
	}
}

// chosen asks with the first dialog that can, and returns what came of it; nil:
// nothing was chosen.
func chosen(all []dialog, what Choice, title string) ui.Message {
	for _, ask := range all {
		paths, err := ask(what, title)
		switch files := filesAt(paths); {
		case err != nil:
			continue
		case len(files) == 0:
			return nil
		case what == ChooseFolder:
			return ui.Choose{Source: ui.Source{Name: files[0].Name, Path: files[0].Path}}
		default:
			return ui.Drop{Files: files}
		}
	}
	return ui.NoDialog{}
}

// lines are those of a program's output, without empty ones.
func lines(out []byte) []string {
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' || r == '\r' })
}

// exitCode is with what a program that was begun has ended; -1: it was not, or
// was ended.
func exitCode(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}
