//go:build linux && !js

package view

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"duet/app/ui"
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

// chooser returns a function that opens the desktop's dialogs, or nil where
// none of the known programs is there: then one drops, or types a path.
func chooser(send func(ui.Message)) func(Choice) {
	zenity, _ := exec.LookPath("zenity")
	kdialog, _ := exec.LookPath("kdialog")
	if zenity == "" && kdialog == "" {
		return nil
	}
	return func(what Choice) {
		var c *exec.Cmd
		switch {
		case zenity != "" && what == ChooseFolder:
			c = exec.Command(zenity, "--file-selection", "--directory")
		case zenity != "" && what == ChooseModel:
			c = exec.Command(zenity, "--file-selection", "--file-filter=*.zip")
		case zenity != "":
			c = exec.Command(zenity, "--file-selection", "--multiple", "--separator=\n")
		case what == ChooseFolder:
			c = exec.Command(kdialog, "--getexistingdirectory")
		case what == ChooseModel:
			c = exec.Command(kdialog, "--getopenfilename", ".", "*.zip")
		default:
			c = exec.Command(kdialog, "--getopenfilename", "--multiple", "--separate-output", ".")
		}
		go func() {
			out, err := c.Output()
			if err != nil {
				return // nothing was chosen
			}
			var files []ui.File
			for path := range strings.Lines(string(out)) {
				if path = strings.TrimRight(path, "\n"); path != "" {
					files = append(files, ui.File{Name: filepath.Base(path), Path: path})
				}
			}
			if what == ChooseFolder && len(files) > 0 {
				send(ui.Choose{Source: ui.Source{Name: files[0].Name, Path: files[0].Path}})
				return
			}
			send(ui.Drop{Files: files})
		}()
	}
}
