// In the tab the default model is a file beside the program (app/default_js.go),
// and nothing shows the photographs.
//go:build !js

package assets

import (
	"embed"
	"io/fs"
)

// Both directories hold a committed README.md, so that they embed even before make has put anything beside it.
var (
	//go:embed fetched
	fetched embed.FS
	//go:embed default
	shipped embed.FS
)

// demoPhotos are the fetched photographs, the one to show first in front.
var demoPhotos = []string{"space_shuttle.jpg", "flowers.png", "yellow_rose.webp", "branches.jpg"}

// DemoPhoto returns the encoded bytes of the demonstration photograph and its file name. ok is false in a build
// before which nothing was fetched (see fetched/README.md).
func DemoPhoto() (data []byte, name string, ok bool) {
	for _, name := range demoPhotos {
		if data, err := fetched.ReadFile("fetched/" + name); err == nil {
			return data, name, true
		}
	}
	return nil, "", false
}

// DemoPhotos returns the folder of fetched files: photographs in PNG, WebP and JPEG, beside a README.md.
func DemoPhotos() fs.FS { return sub(fetched, "fetched") }

// DefaultModel returns the folder of the shipped model: config.json, model.safetensors, the tokenizer's files and
// README.md, its model card.
func DefaultModel() fs.FS { return sub(shipped, "default") }

func sub(of fs.FS, dir string) fs.FS {
	f, err := fs.Sub(of, dir)
	if err != nil { // the directories are named in this file
		panic(err)
	}
	return f
}
