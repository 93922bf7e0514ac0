//go:build !js

package wasm_test

import (
	"testing"
	"testing/fstest"

	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// TestAppWithoutAdapter opens the app in a Chromium that has no adapter for WebGPU,
// and takes WebGPU itself from the worker: the app is drawn and says what is
// missing, what one can do, and that nothing runs.
func TestAppWithoutAdapter(t *testing.T) {
	files := tabFiles(t)
	b, err := browser.Start(t.Context(), chromedp.Flag("enable-unsafe-webgpu", false), chromedp.Flag("use-webgpu-adapter", false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	for _, test := range []struct {
		name       string
		files      fstest.MapFS
		says, todo string
	}{
		{"no adapter", files, "found no graphics adapter", "chrome://gpu says more"},
		{"no WebGPU", with(t, [3]string{"replay.js", `delete WorkerNavigator.prototype.gpu;` + "\n"}), "does not offer WebGPU", "chrome://flags"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &person{TB: t, page: b.MustOpen(t, serve(t, test.files))}
			p.find("text", test.says)
			p.find("text", test.todo)
			p.find("text", "Not running")
			p.find("button", "Try again")
			p.shot("without " + test.name)
			if errors := p.page.Errors(); len(errors) > 0 {
				t.Errorf("the console tells of %q", errors)
			}
		})
	}
}
