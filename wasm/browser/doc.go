// Package browser drives a headless Chromium with WebGPU, on SwiftShader where
// there is no GPU, for tests of the tab. A [Browser] is one process with a
// fresh profile that can reach this machine only; a [Page] is one tab of it.
//
//	page := browser.ForTest(t).MustOpen(t, server.URL)
//	var info struct{ Adapter string }
//	err := page.Eval(t.Context(), `await window.duet.info()`, &info)
//
// Every wait ends with the context, or after [Timeout] where the context has no
// deadline. Errors carry what the page and its workers wrote to the console.
package browser
