//go:build !linux && !js

package view

import (
	"duet/app/ui"

	"gioui.org/app"
)

func systemDark() bool { return false }

// chooser: there are no dialogs yet on this system; one types a path.
func chooser(func(ui.Message)) func(Choice) { return nil }

// drops: none are taken yet on this system.
type drops struct{}

func newDrops(func(ui.Message)) *drops  { return &drops{} }
func (d *drops) attach(e app.ViewEvent) {}
func (d *drops) close()                 {}
