//go:build !js

// Command icons writes the program's icon, which package assets draws, in the
// sizes that desktops want.
//
//	go run ./cmd/icons DIR     DIR/hicolor/64x64/apps/duet.png …
package main

import (
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"duet/assets"
	"duet/model/checkpoint"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: icons DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "icons:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for _, size := range []int{32, 64, 128, 256} {
		folder := filepath.Join(dir, "hicolor", fmt.Sprintf("%dx%d", size, size), "apps")
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		err := checkpoint.WriteFile(filepath.Join(folder, "duet.png"), func(w io.Writer) error { return png.Encode(w, assets.Icon(size)) })
		if err != nil {
			return err
		}
	}
	return nil
}
