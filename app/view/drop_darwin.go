//go:build !ios

package view

// #cgo CFLAGS: -x objective-c -fobjc-arc
// #cgo LDFLAGS: -framework AppKit
// #include <stdint.h>
// void duet_take_drops(uintptr_t view, uintptr_t taker);
// void duet_leave_drops(uintptr_t view);
import "C"

import (
	"runtime/cgo"
	"strings"
	"unsafe"

	"duet/app/ui"

	"gioui.org/app"
)

// takeDrops takes files and words that are dropped on Gio's view until end: its
// class learns to be a destination of drags (drop_darwin.m).
func takeDrops(e app.ViewEvent, send func(ui.Message)) (end func()) {
	view, ok := e.(app.AppKitViewEvent)
	if !ok {
		return nil
	}
	C.duet_take_drops(C.uintptr_t(view.View), C.uintptr_t(cgo.NewHandle(send)))
	return func() { C.duet_leave_drops(C.uintptr_t(view.View)) }
}

// duetDropped passes on paths, each ended by a zero, or a text.
//
//export duetDropped
func duetDropped(taker C.uintptr_t, content *C.char, length C.int, areFiles C.int) {
	send := cgo.Handle(taker).Value().(func(ui.Message))
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(content)), int(length)))
	if areFiles != 0 {
		send(ui.Drop{Files: filesAt(strings.FieldsFunc(text, func(r rune) bool { return r == 0 }))})
	} else if words := dropWords(text); words != nil {
		send(words)
	}
}

// duetForget ends a taker that nothing calls any more.
//
//export duetForget
func duetForget(taker C.uintptr_t) { cgo.Handle(taker).Delete() }
