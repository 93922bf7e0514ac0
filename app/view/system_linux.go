package view

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// systemDark asks the desktop, once, whether it prefers dark windows.
var systemDark = sync.OnceValue(func() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ask := exec.CommandContext(ctx, "gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
	ask.WaitDelay = time.Second // a bus that it launched may hold its output open for good
	out, err := ask.Output()
	return err == nil && strings.Contains(string(out), "prefer-dark")
})

// systemLanguage is the language of the user's session.
func systemLanguage() string { return environmentLanguage() }
