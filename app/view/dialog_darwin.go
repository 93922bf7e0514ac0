package view

import (
	"os/exec"
	"strings"
)

// dialogs are those of AppleScript.
func dialogs() []dialog { return []dialog{scriptDialog} }

// dialogScripts ask and return one thing or a list; argv holds the title.
var dialogScripts = map[Choice]string{
	ChoosePictures: "choose file with prompt (item 1 of argv) with multiple selections allowed",
	ChooseFolder:   "choose folder with prompt (item 1 of argv)",
	ChooseModel:    `choose file with prompt (item 1 of argv) of type {"zip", "public.zip-archive"}`,
}

// scriptDialog asks by way of osascript, which prints a path a line.
func scriptDialog(what Choice, title string) ([]string, error) {
	script := "on run argv\n" +
		"activate\n" +
		"set chosen to (" + dialogScripts[what] + ") as list\n" +
		"set paths to {}\n" +
		"repeat with one in chosen\n" +
		"set end of paths to POSIX path of one\n" +
		"end repeat\n" +
		"set AppleScript's text item delimiters to linefeed\n" +
		"return paths as text\n" +
		"end run"
	out, err := exec.Command("osascript", "-e", script, title).Output()
	if exit, ok := err.(*exec.ExitError); ok && strings.Contains(string(exit.Stderr), "(-128)") {
		return nil, nil // the user closed the dialog
	}
	return lines(out), err
}
