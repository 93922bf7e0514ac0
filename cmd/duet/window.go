//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"duet/app/local"
	"duet/app/ui"
	"duet/app/view"

	"gioui.org/app"
)

// windowCommand opens the app's window.
type windowCommand struct {
	Paths []string `arg:"" optional:"" placeholder:"PATH" type:"path" help:"Pictures or folders to open in it."`
}

func (c windowCommand) Run(ctx context.Context, s streams) error {
	if !hasDisplay() {
		return errors.New("there is no display to open a window on; duet serve serves the browser tab, and duet --help lists what works without one")
	}
	var given []ui.File
	for _, path := range c.Paths {
		given = append(given, ui.File{Name: filepath.Base(path), Path: path})
	}
	show(ctx, s, view.Face{Given: given})
	return nil
}

// show opens the window over this machine's engine, and ends the program with it.
// The main goroutine calls it.
func show(ctx context.Context, s streams, f view.Face) {
	folders := local.UserFolders()
	f.Engine, f.Host, f.Decode = local.NewEngine(folders), local.Host{Folders: folders}, local.Thumbnail
	go func() {
		code := 0
		if err := view.Window(ctx, f); err != nil {
			fmt.Fprintf(s.err, "duet window: %v\n", err)
			code = 1
		}
		os.Exit(code)
	}()
	app.Main() // keeps the main thread, as some systems want, and does not return
}

// hasDisplay tells whether a window can be opened.
func hasDisplay() bool {
	return runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
