package view

import (
	"strings"
	"syscall/js"

	"duet/app/ui"

	"gioui.org/app"
)

// systemLanguage is the language of the browser.
func systemLanguage() string { return js.Global().Get("navigator").Get("language").String() }

// systemDark tells whether the browser prefers dark pages.
func systemDark() bool {
	return js.Global().Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool()
}

// dressPage gives the page around the canvas the language and the theme (wasm/loading.js).
func dressPage(d dress) { js.Global().Call("duetDress", d.language, d.dark) }

// firstFrame tells the page that the app has drawn (wasm/app.js).
func firstFrame() { js.Global().Call("duetFirstFrame") }

// browser is which browser this is, as far as that changes what to do for WebGPU.
func browser() string {
	agent := js.Global().Get("navigator").Get("userAgent").String()
	has := func(name string) bool { return strings.Contains(agent, name) }
	switch {
	case has("Firefox/"):
		return "firefox"
	case has("Chrome/") && has("Linux") && !has("Android"):
		return "chrome-linux"
	case has("Chrome/"):
		return "chrome"
	case has("Safari/"):
		return "safari"
	}
	return ""
}

// chooser returns a function that opens the browser's dialogs (wasm/app.js).
func chooser(func(ui.Message)) func(Choice, string) {
	return func(what Choice, _ string) { js.Global().Call("duetChoose", int(what)) }
}

// hasCamera tells whether the browser gives pages a camera, if the user lets it.
func hasCamera() bool {
	return js.Global().Get("navigator").Get("mediaDevices").Truthy()
}

// drops come from the page, see Face.Listen.
type drops struct{}

func newDrops(func(ui.Message)) *drops { return &drops{} }
func (d *drops) attach(app.ViewEvent)  {}
func (d *drops) close()                {}

// hasPaths tells that places on disk can be typed; a page has none.
const hasPaths = false
