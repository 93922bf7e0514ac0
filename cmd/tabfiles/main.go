//go:build !js

// Command tabfiles writes the files of the tab that are made and not written:
// the icons, which package assets draws, and a zip of the default model.
//
//	go run ./cmd/tabfiles DIR     DIR/icon-192.png … DIR/default-model.zip
package main

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"duet/assets"
	"duet/model/checkpoint"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: tabfiles DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "tabfiles:", err)
		os.Exit(1)
	}
}

// icons are those that wasm/manifest.webmanifest and the pages name.
var icons = []struct {
	name string
	draw func(size int) image.Image
	size int
}{
	{"icon-64.png", assets.Icon, 64},
	{"icon-192.png", assets.Icon, 192},
	{"icon-512.png", assets.Icon, 512},
	{"maskable-192.png", assets.MaskableIcon, 192},
	{"maskable-512.png", assets.MaskableIcon, 512},
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, x := range icons {
		err := checkpoint.WriteFile(filepath.Join(dir, x.name), func(w io.Writer) error { return png.Encode(w, x.draw(x.size)) })
		if err != nil {
			return err
		}
	}
	files, err := entries(assets.DefaultModel())
	if err != nil {
		return err
	}
	return checkpoint.WriteFile(filepath.Join(dir, "default-model.zip"), func(w io.Writer) error { return checkpoint.WriteZip(w, files) })
}

// entries are the files of a model's folder.
func entries(folder fs.FS) (files []checkpoint.Entry, err error) {
	list, err := fs.ReadDir(folder, ".")
	for _, e := range list {
		content, err := fs.ReadFile(folder, e.Name())
		if err != nil {
			return nil, err
		}
		files = append(files, checkpoint.Data(e.Name(), content))
	}
	return files, err
}
