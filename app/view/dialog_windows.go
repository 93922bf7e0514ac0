package view

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// dialogs are the system's common ones.
func dialogs() []dialog { return []dialog{commonDialog} }

// A comObject is an object of the Component Object Model: a pointer to the table
// of its methods, of which the first three are those of IUnknown.
type comObject struct{ methods *[32]uintptr }

// What a method answers where it did not fail, and where the user closed a dialog.
const (
	resultOK        = 0
	resultCancelled = 0x800704C7
)

// Places in the tables of methods (shobjidl_core.h).
const (
	unknownRelease = 2

	dialogShow         = 3 // of IFileOpenDialog
	dialogSetFileTypes = 4
	dialogSetOptions   = 9
	dialogSetTitle     = 17
	dialogGetResults   = 27

	itemsGetCount = 7 // of IShellItemArray
	itemsGetAt    = 8

	itemGetName = 5 // of IShellItem
)

const (
	optionPickFolders = 0x20
	optionFileSystem  = 0x40 // only what has a path
	optionMultiple    = 0x200
	optionMustExist   = 0x1800

	nameIsPath = 0x80058000
)

// call calls a method; the error names it. Arguments may be pointers to variables,
// which must then stay where they are.
//
//go:uintptrescapes
func (o *comObject) call(method int, what string, arguments ...uintptr) error {
	result, _, _ := syscall.SyscallN(o.methods[method], append([]uintptr{uintptr(unsafe.Pointer(o))}, arguments...)...)
	switch uint32(result) {
	case resultOK:
		return nil
	case resultCancelled:
		return errCancelled
	}
	return fmt.Errorf("view: the file dialog: %s: HRESULT %#x", what, uint32(result))
}

func (o *comObject) release() {
	syscall.SyscallN(o.methods[unknownRelease], uintptr(unsafe.Pointer(o)))
}

// errCancelled says that the user closed a dialog.
var errCancelled = errors.New("cancelled")

var (
	createInstance = windows.NewLazySystemDLL("ole32.dll").NewProc("CoCreateInstance")

	fileOpenDialogClass = windows.GUID{Data1: 0xDC1C5A9C, Data2: 0xE88A, Data3: 0x4DDE, Data4: [8]byte{0xA5, 0xA1, 0x60, 0xF8, 0x2A, 0x20, 0xAE, 0xF7}}
	fileOpenDialog      = windows.GUID{Data1: 0xD57C7288, Data2: 0xD4AD, Data3: 0x4768, Data4: [8]byte{0xBE, 0x02, 0x9D, 0x96, 0x95, 0x32, 0xD9, 0x60}}
)

// commonDialog asks by way of the common item dialog.
func commonDialog(what Choice, title string) ([]string, error) {
	runtime.LockOSThread() // the dialog belongs to the thread
	defer runtime.UnlockOSThread()
	if err := windows.CoInitializeEx(0, windows.COINIT_APARTMENTTHREADED); err != nil && err != syscall.Errno(1) { // 1: it was already
		return nil, fmt.Errorf("view: the file dialog: %w", err)
	}
	defer windows.CoUninitialize()
	var d *comObject
	const inProcess = 1
	if result, _, _ := createInstance.Call(uintptr(unsafe.Pointer(&fileOpenDialogClass)), 0, inProcess,
		uintptr(unsafe.Pointer(&fileOpenDialog)), uintptr(unsafe.Pointer(&d))); uint32(result) != resultOK {
		return nil, fmt.Errorf("view: the file dialog: HRESULT %#x", uint32(result))
	}
	defer d.release()
	if err := setUp(d, what, title); err != nil {
		return nil, err
	}
	if err := d.call(dialogShow, "Show", 0); err != nil {
		if err == errCancelled {
			err = nil
		}
		return nil, err
	}
	return results(d)
}

// setUp says what a dialog is for.
func setUp(d *comObject, what Choice, title string) error {
	options := uintptr(optionFileSystem | optionMustExist)
	switch what {
	case ChooseFolder:
		options |= optionPickFolders
	case ChoosePictures:
		options |= optionMultiple
	}
	if err := d.call(dialogSetOptions, "SetOptions", options); err != nil {
		return err
	}
	if what == ChooseModel {
		filter := struct{ name, pattern *uint16 }{windows.StringToUTF16Ptr("ZIP"), windows.StringToUTF16Ptr("*.zip")}
		if err := d.call(dialogSetFileTypes, "SetFileTypes", 1, uintptr(unsafe.Pointer(&filter))); err != nil {
			return err
		}
	}
	text, err := windows.UTF16PtrFromString(title)
	if err != nil {
		return err
	}
	return d.call(dialogSetTitle, "SetTitle", uintptr(unsafe.Pointer(text)))
}

// results are the paths that were chosen in a dialog.
func results(d *comObject) (paths []string, err error) {
	var items *comObject
	if err := d.call(dialogGetResults, "GetResults", uintptr(unsafe.Pointer(&items))); err != nil {
		return nil, err
	}
	defer items.release()
	var n uint32
	if err := items.call(itemsGetCount, "GetCount", uintptr(unsafe.Pointer(&n))); err != nil {
		return nil, err
	}
	for i := range n {
		var item *comObject
		if err := items.call(itemsGetAt, "GetItemAt", uintptr(i), uintptr(unsafe.Pointer(&item))); err != nil {
			return nil, err
		}
		var name *uint16
		err := item.call(itemGetName, "GetDisplayName", nameIsPath, uintptr(unsafe.Pointer(&name)))
		item.release()
		if err != nil {
			return nil, err
		}
		paths = append(paths, windows.UTF16PtrToString(name))
		windows.CoTaskMemFree(unsafe.Pointer(name))
	}
	return paths, nil
}
