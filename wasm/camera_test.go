//go:build !js

package wasm_test

import (
	"testing"

	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// TestCamera takes a picture with the browser's make-believe camera, and then
// none: the picture is answered, and the camera is off afterwards.
func TestCamera(t *testing.T) {
	address := serve(t, tabFiles(t))
	b, err := browser.Start(t.Context(), chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	p := &person{TB: t, page: b.MustOpen(t, address), dir: t.TempDir()}
	eval(t, p.page, `(() => {
		window.tracks = [];
		const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
		navigator.mediaDevices.getUserMedia = async (what) => { const s = await ask(what); tracks.push(...s.getTracks()); return s; };
	})()`, nil)
	p.click("button", "Camera")
	wait(t, p.page, `document.querySelector('dialog .primary:enabled')`)
	p.shot("camera")
	eval(t, p.page, `document.querySelector('dialog .primary').click()`, nil)
	p.told("camera ")
	p.find("img", ".jpg")
	p.click("button", "Camera")
	wait(t, p.page, `document.querySelector('dialog')`)
	p.must(p.page.Type(t.Context(), "\x1b"))
	wait(t, p.page, `!document.querySelector('dialog')`)
	p.find("text", "1 of 1 picture")
	var live int
	eval(t, p.page, `tracks.filter((t) => t.readyState === 'live').length`, &live)
	if live > 0 {
		t.Errorf("%d tracks of the camera are still on", live)
	}
	if errors := p.page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
}
