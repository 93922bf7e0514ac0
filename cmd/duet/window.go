//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"duet/app/local"
	"duet/app/view"

	"gioui.org/app"
)

// windowCommand opens the app's window.
type windowCommand struct{}

func (windowCommand) Run(ctx context.Context, s streams) error {
	if !hasDisplay() {
		return errors.New("there is no display to open a window on; duet serve serves the browser tab, and duet --help lists what works without one")
	}
	folders := local.UserFolders()
	go func() {
		code := 0
		if err := view.Window(ctx, local.NewEngine(folders), local.Host{Folders: folders}, local.Thumbnail); err != nil {
			fmt.Fprintf(s.err, "duet window: %v\n", err)
			code = 1
		}
		os.Exit(code)
	}()
	app.Main() // keeps the main thread, as some systems want, and does not return
	return nil
}

// hasDisplay tells whether a window can be opened.
func hasDisplay() bool {
	return runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
