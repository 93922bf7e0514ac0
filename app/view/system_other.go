//go:build !linux && !windows && !darwin && !js

package view

import (
	"duet/app/ui"

	"gioui.org/app"
)

func systemDark() bool { return false }

// systemLanguage is the language of the user's session.
func systemLanguage() string { return environmentLanguage() }

// dialogs: there are none yet on this system; one types a path.
func dialogs() []dialog { return nil }

// takeDrops: none are taken yet on this system.
func takeDrops(app.ViewEvent, func(ui.Message)) (end func()) { return nil }
