package tab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"path"
	"slices"
	"strings"
	"syscall/js"

	"duet/app/ui"
	"duet/gpu/promise"
	"duet/model/report"
)

// A Host is what the page does with files and settings. It implements [ui.Host].
type Host struct{}

// Prefs reads the settings of this origin.
func (Host) Prefs() (p ui.Prefs) {
	text := js.Global().Call("duetPrefs")
	if text.Type() != js.TypeString || json.Unmarshal([]byte(text.String()), &p) != nil {
		return ui.Prefs{}
	}
	return p
}

// KeepPrefs stores the settings, where the browser lets it.
func (Host) KeepPrefs(p ui.Prefs) error {
	text, err := json.Marshal(p)
	if err == nil {
		js.Global().Call("duetKeepPrefs", string(text))
	}
	return err
}

// Save gives the user a file.
func (Host) Save(_ context.Context, name string, content []byte) (string, error) {
	array := js.Global().Get("Uint8Array").New(len(content))
	js.CopyBytesToJS(array, content)
	js.Global().Call("duetSave", name, js.Global().Get("Blob").New([]any{array}))
	return name, nil
}

// maxSidecar bounds the words that are read from a text file.
const maxSidecar = 8 << 10

// Read looks for pictures among files, which the page has taken out of their
// folders. A text file of the same stem gives a picture its words. A model
// counts where it was given itself, not where it lay in a folder.
func (Host) Read(ctx context.Context, files []ui.File) (read ui.FilesRead, err error) {
	words := map[string]ui.File{}
	for _, f := range files {
		if stem, ok := strings.CutSuffix(strings.ToLower(f.Path), ".txt"); ok {
			words[stem] = f
		}
	}
	for _, f := range files {
		lower := strings.ToLower(f.Path)
		ext := path.Ext(lower)
		switch {
		case strings.HasPrefix(f.Name, "."), strings.Contains(f.Path, "__MACOSX"), ext == ".txt":
		case report.IsPicture(f.Name), report.IsForeignPicture(f.Name):
			x := ui.Item{File: f}
			if side, ok := words[strings.TrimSuffix(lower, ext)]; ok {
				text, err := promise.Await(ctx, blobOf(side).Call("slice", 0, maxSidecar).Call("text"))
				if err == nil && strings.TrimSpace(text.String()) != "" {
					x.Caption, x.From = strings.Join(strings.Fields(text.String()), " "), ui.Sidecar
				}
			}
			read.Items = append(read.Items, x)
		case ext == ".zip" && !strings.Contains(f.Path, "/"):
			read.Model = &f
		default:
			read.Skipped++
		}
	}
	slices.SortStableFunc(read.Items, func(a, b ui.Item) int { return strings.Compare(a.File.Path, b.File.Path) })
	return read, ctx.Err()
}

// Listen passes on what the page is given: it calls the function duetDropped
// with [{path, blob}], and duetDroppedText with words.
func (h Host) Listen(send func(ui.Message)) {
	js.Global().Set("duetDropped", js.FuncOf(func(_ js.Value, args []js.Value) any {
		var files []ui.File
		for i := range args[0].Length() {
			f := args[0].Index(i)
			files = append(files, fileOf(f.Get("path").String(), f.Get("blob")))
		}
		send(ui.Drop{Files: files})
		return nil
	}))
	js.Global().Set("duetFailed", js.FuncOf(func(_ js.Value, args []js.Value) any {
		send(ui.FailedDoing{Doing: ui.DoingRead, Error: promise.ErrorOf(args[0])})
		return nil
	}))
	js.Global().Set("duetRedraw", js.FuncOf(func(js.Value, []js.Value) any {
		send(ui.Redraw{})
		return nil
	}))
	h.watch(send)
	js.Global().Set("duetDroppedText", js.FuncOf(func(_ js.Value, args []js.Value) any {
		send(ui.DropText{Text: args[0].String()})
		return nil
	}))
}

// Thumbnail decodes a picture in the browser, upright, not larger than side.
func (Host) Thumbnail(f ui.File, side int) (image.Image, error) {
	blob := blobOf(f)
	if !blob.Truthy() {
		return nil, errors.New("the picture is not there any more")
	}
	v, err := promise.Await(context.Background(), js.Global().Call("duetThumbnail", blob, side))
	if err != nil {
		return nil, err
	}
	m := image.NewNRGBA(image.Rect(0, 0, v.Get("width").Int(), v.Get("height").Int()))
	if n := js.CopyBytesToGo(m.Pix, v.Get("pixels")); n != len(m.Pix) {
		return nil, fmt.Errorf("%d bytes of a picture, want %d", n, len(m.Pix))
	}
	return m, nil
}

// Chinese fetches the page's fonts for Chinese, a regular and a semi-bold one.
func (Host) Chinese() (regular, semiBold []byte, err error) {
	v, err := promise.Await(context.Background(), js.Global().Call("duetChinese"))
	if err != nil {
		return nil, nil, err
	}
	fonts := make([][]byte, 2)
	for i := range fonts {
		fonts[i] = make([]byte, v.Index(i).Length())
		js.CopyBytesToGo(fonts[i], v.Index(i))
	}
	return fonts[0], fonts[1], nil
}

var _ ui.Page = Host{}
