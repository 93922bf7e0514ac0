package view

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"
	"unsafe"

	"duet/app/ui"

	"gioui.org/app"
	"golang.org/x/sys/windows"
)

// TestDropOnWindow has a window of the system's own take what Explorer would
// send.
func TestDropOnWindow(t *testing.T) {
	runtime.LockOSThread() // the window belongs to the thread
	defer runtime.UnlockOSThread()
	create, destroy, send := user32.NewProc("CreateWindowExW"), user32.NewProc("DestroyWindow"), user32.NewProc("SendMessageW")
	class := windows.StringToUTF16Ptr("STATIC")
	window, _, err := create.Call(0, uintptr(unsafe.Pointer(class)), 0, 0, 0, 0, 10, 10, 0, 0, 0, 0)
	if window == 0 {
		t.Fatal(err)
	}
	defer destroy.Call(window)
	var got []ui.Message
	end := takeDrops(app.Win32ViewEvent{HWND: window}, func(m ui.Message) { got = append(got, m) })
	if end == nil {
		t.Fatal("nothing is taken")
	}
	long := `C:\` + strings.Repeat(`a long name\`, 60) + "图 1.png"
	send.Call(window, wmDropFiles, dropHandle(t, `C:\pictures\a b.png`, long), 0)
	want := []ui.Message{ui.Drop{Files: []ui.File{{Name: "a b.png", Path: `C:\pictures\a b.png`}, {Name: "图 1.png", Path: long}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	const wmGetTextLength = 0x000E
	if length, _, _ := send.Call(window, wmGetTextLength, 0, 0); length != 0 {
		t.Errorf("the window's own procedure says that its text has %d letters", length)
	}
	end()
	send.Call(window, wmDropFiles, dropHandle(t, `C:\late.png`), 0)
	if len(got) != 1 {
		t.Errorf("after the end came %+v", got[1:])
	}
}

// dropHandle is a handle of dropped files (DROPFILES in shlobj_core.h).
func dropHandle(t *testing.T, paths ...string) uintptr {
	t.Helper()
	var list []uint16
	for _, path := range paths {
		list = append(append(list, utf16.Encode([]rune(path))...), 0)
	}
	list = append(list, 0)
	head := struct {
		offset         uint32 // of the list
		x, y           int32
		outside, wider int32
	}{offset: 20, wider: 1}
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	handle, _, err := kernel.NewProc("GlobalAlloc").Call(2, 20+2*uintptr(len(list))) // movable
	if handle == 0 {
		t.Fatal(err)
	}
	at, _, _ := kernel.NewProc("GlobalLock").Call(handle)
	move := kernel.NewProc("RtlMoveMemory")
	move.Call(at, uintptr(unsafe.Pointer(&head)), 20)
	move.Call(at+20, uintptr(unsafe.Pointer(&list[0])), 2*uintptr(len(list)))
	kernel.NewProc("GlobalUnlock").Call(handle)
	return handle
}
