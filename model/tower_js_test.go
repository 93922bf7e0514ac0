package model_test

import (
	"io"
	"slices"
	"syscall/js"
	"testing"

	"duet/model/checkpoint"
	"duet/model/data"
	"duet/model/shared"
)

// A counted reader counts what is read.
type counted struct {
	io.ReaderAt
	bytes int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.bytes += n
	return n, err
}

// TestResNetFromBlob opens checkpoints that a page gave as Blobs: opening reads
// the list of tensors, and reading a part of one reads that part.
func TestResNetFromBlob(t *testing.T) {
	t.Run("device", func(t *testing.T) {
		const dir = "resnet18_width16"
		want := openFixture(t, dir, "model.safetensors")
		for _, name := range []string{"model.safetensors", "model.pth", "model_legacy.pth"} {
			content := shared.Read(t, "fixtures", dir, name)
			array := js.Global().Get("Uint8Array").New(len(content))
			js.CopyBytesToJS(array, content)
			blob := data.Blob{Value: js.Global().Get("Blob").New([]any{array})}
			r := &counted{ReaderAt: blob}
			f, err := checkpoint.Open(r, blob.Size())
			if err != nil {
				t.Fatal(err)
			}
			opening := r.bytes
			const tensor = "layer4.1.conv2.weight"
			part := make([]float32, 1000)
			if err := f.Float32At(tensor, 2000, part); err != nil || !slices.Equal(part, floatsOf(t, want, tensor)[2000:3000]) {
				t.Errorf("%s: a part of %s is %v…, %v", name, tensor, part[:3], err)
			}
			t.Logf("%s: opening read %d of %d bytes, 1000 values %d", name, opening, len(content), r.bytes-opening)
			if opening > len(content)/10 || r.bytes-opening != 4000 {
				t.Errorf("%s: opening read %d of %d bytes, 1000 values %d", name, opening, len(content), r.bytes-opening)
			}
			for _, tensor := range want.Names() {
				if info, _ := want.Info(tensor); info.Dtype.Float() && !slices.Equal(floatsOf(t, f, tensor), floatsOf(t, want, tensor)) {
					t.Errorf("%s: %s has other values", name, tensor)
				}
			}
		}
	})
}
