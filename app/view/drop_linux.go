package view

import (
	"duet/app/ui"

	"gioui.org/app"
)

// Types of what can be dropped, the most wanted first: files, then words.
var dropTypes = []string{fileList, "UTF8_STRING", "text/plain;charset=utf-8"}

const fileList = "text/uri-list"

// takeDrops takes what is dropped until end; nil: it cannot be.
func takeDrops(e app.ViewEvent, send func(ui.Message)) (end func()) {
	switch e := e.(type) {
	case app.WaylandViewEvent:
		return takeWayland(e, send)
	case app.X11ViewEvent:
		return takeX11(e, send)
	}
	return nil
}

// dropped passes on what was dropped, of one of the types.
func dropped(kind string, content []byte, send func(ui.Message)) {
	if kind == fileList {
		send(dropList(string(content)))
	} else if words := dropWords(string(content)); words != nil {
		send(words)
	}
}
