package data

import (
	"bytes"
	"syscall/js"
	"testing"
)

// Blobs as a page drops them make a collection.
func TestBlobs(t *testing.T) {
	blob := js.Global().Get("Blob")
	if blob.IsUndefined() {
		t.Skip("there are no blobs here")
	}
	files := MapFS{}
	for name, m := range map[string]uint64{"cat/1.png": 1, "dog/2.png": 2} {
		content := pngOf(drawn(m, 300, 200))
		array := js.Global().Get("Uint8Array").New(len(content))
		js.CopyBytesToJS(array, content)
		files[name] = Blob{blob.New([]any{array})}
	}
	c, err := Open(t.Context(), files, ".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	equalLines(t, summary(c), []string{"cat/1.png||cat|", "dog/2.png||dog|"})
	m, err := c.Examples[1].Picture.Decode(0)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Upright().Pix, drawn(2, 300, 200).Pix) {
		t.Error("the picture differs")
	}
}
