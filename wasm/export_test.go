//go:build !js

package wasm_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"duet/app"
	"duet/wasm/browser"
)

// TestTabExports exports the default model, the same from a zip, and the one in
// use, and compares with what this program writes.
func TestTabExports(t *testing.T) {
	files := tabFiles(t)
	page := browser.ForTest(t).MustOpen(t, serve(t, files)+"bare.html")
	eval(t, page, `await duet.ready`, nil)
	model, err := app.OpenFiles(app.Default)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	x, err := app.OpenExport(model)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for _, format := range []string{app.ExportSafetensors, app.ExportONNX} {
		var want bytes.Buffer
		if err := x.Write(&want, format, app.PartAll); err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{`duet.export('default', format)`, `duet.export(await duet.export('default'), format)`, `duet.export(undefined, format)`} {
			var encoded string
			eval(t, page, `await (async (format) => {
				const bytes = new Uint8Array(await (await `+call+`).arrayBuffer());
				let text = '';
				for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
				return btoa(text);
			})('`+format+`')`, &encoded)
			got, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			// An ONNX file begins with the program's version, which a test has not.
			tail := want.Bytes()[100:]
			if !bytes.HasSuffix(got, tail) || len(got) > want.Len()+100 {
				t.Errorf("%s gives %d bytes as %s, want those %d that this program writes", call, len(got), format, want.Len())
			}
		}
	}
	var refused string
	eval(t, page, `await duet.export('default', 'gguf').then(() => '', (e) => e.message)`, &refused)
	if refused == "" {
		t.Error("a format that there is not was written")
	}
}
