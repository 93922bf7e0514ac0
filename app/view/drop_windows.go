package view

import (
	"unsafe"

	"duet/app/ui"

	"gioui.org/app"
	"golang.org/x/sys/windows"
)

var (
	user32  = windows.NewLazySystemDLL("user32.dll")
	shell32 = windows.NewLazySystemDLL("shell32.dll")

	setWindowLong   = user32.NewProc("SetWindowLongPtrW")
	getWindowLong   = user32.NewProc("GetWindowLongPtrW")
	callWindowProc  = user32.NewProc("CallWindowProcW")
	dragAcceptFiles = shell32.NewProc("DragAcceptFiles")
	dragQueryFile   = shell32.NewProc("DragQueryFileW")
	dragFinish      = shell32.NewProc("DragFinish")
)

const (
	wmDropFiles  = 0x0233
	gwlpWndProc  = ^uintptr(3) // -4
	howManyFiles = 0xFFFFFFFF
)

// takeDrops takes files that are dropped on Gio's window until end: a procedure
// before the window's own looks at its messages. Words cannot be dropped so.
func takeDrops(e app.ViewEvent, send func(ui.Message)) (end func()) {
	view, ok := e.(app.Win32ViewEvent)
	if !ok {
		return nil
	}
	own, _, _ := getWindowLong.Call(view.HWND, gwlpWndProc)
	if own == 0 {
		return nil
	}
	// A callback is never freed, and a program may have about two thousand: this
	// is one a window.
	procedure := windows.NewCallback(func(window, message, w, l uintptr) uintptr {
		if message == wmDropFiles {
			send(ui.Drop{Files: filesAt(droppedPaths(w))})
			return 0
		}
		result, _, _ := callWindowProc.Call(own, window, message, w, l)
		return result
	})
	if old, _, _ := setWindowLong.Call(view.HWND, gwlpWndProc, procedure); old == 0 {
		return nil
	}
	dragAcceptFiles.Call(view.HWND, 1)
	return func() {
		dragAcceptFiles.Call(view.HWND, 0)
		if now, _, _ := getWindowLong.Call(view.HWND, gwlpWndProc); now == procedure { // else another came before it, and calls it
			setWindowLong.Call(view.HWND, gwlpWndProc, own)
		}
	}
}

// droppedPaths are the paths in a handle of dropped files, which it frees.
func droppedPaths(drop uintptr) (paths []string) {
	defer dragFinish.Call(drop)
	n, _, _ := dragQueryFile.Call(drop, howManyFiles, 0, 0)
	for i := range n {
		length, _, _ := dragQueryFile.Call(drop, i, 0, 0)
		name := make([]uint16, length+1)
		if got, _, _ := dragQueryFile.Call(drop, i, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name))); got > 0 {
			paths = append(paths, windows.UTF16ToString(name))
		}
	}
	return paths
}
