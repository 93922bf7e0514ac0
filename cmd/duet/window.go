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
	folders := local.UserFolders()
	var given []ui.File
	for _, path := range c.Paths {
		given = append(given, ui.File{Name: filepath.Base(path), Path: path})
	}
	go func() {
		code := 0
		if err := view.Window(ctx, view.Face{
			Engine: local.NewEngine(folders), Host: local.Host{Folders: folders}, Decode: local.Thumbnail, Given: given,
		}); err != nil {
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
