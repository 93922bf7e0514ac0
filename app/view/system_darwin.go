package view

import (
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

// setting reads one of the user's settings for all programs; empty: it is not set.
func setting(name string) string {
	out, err := exec.Command("defaults", "read", "-g", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// systemDark tells, as of the start, whether windows are to be dark.
var systemDark = sync.OnceValue(func() bool { return setting("AppleInterfaceStyle") == "Dark" })

// systemLanguage is the language that the user sees the system in; a program that
// the Finder starts has none in its environment.
var systemLanguage = sync.OnceValue(func() string {
	if first := regexp.MustCompile(`[A-Za-z][A-Za-z-]*`).FindString(setting("AppleLanguages")); first != "" {
		return first
	}
	return environmentLanguage()
})
